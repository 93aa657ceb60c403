//! The siege: what a daemon withstands, with a figure for each.
//!
//! - [`kills`]: `kill -9` under load, a thousand times.
//! - [`crowd`]: many clients at once, and bad ones.
//! - [`faults`]: what the machine, or somebody on it, does to a daemon at work.
//! - [`soak`]: an hour of ordinary work.
//!
//! `cargo siege` runs them as large as the promise has them; `tests/e2e/siege.rs` runs them small.

mod chart;
pub mod crowd;
pub mod faults;
mod frames;
pub mod kills;
mod outcome;
pub mod soak;
mod supervised;
mod vitals;

pub use outcome::Outcome;
