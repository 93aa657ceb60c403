//! Harness of the end-to-end tests, the demo and the process benches: real programs, real sockets, a folder of its own
//! for each.
//!
//! - [`programs`] finds the binaries, built by nobody's hand.
//! - [`home`] is the folder and the empty environment that one test lives in.
//! - [`daemon`], [`gateway_sim`], [`training_sim`] and [`cli`] run the programs there.
//! - [`chaos`] and [`training_chaos`] are the long runs in which everything fails, [`siege`] those in which the daemon itself is besieged.
//! - [`pty`] runs one on a terminal.
//! - [`steps`] are what many tests do with them.
//! - [`perf`] measures what was promised.
//! - [`between`] spoils what a service says.
//! - [`wait`] is the only wait: for a state, with a limit.
//!
//! Nothing here calls into the daemon's or the client's code; only the contract is shared.

pub mod between;
pub mod chaos;
pub mod cli;
pub mod cost;
pub mod daemon;
pub mod gateway_sim;
pub mod home;
pub mod http;
pub mod http_sim;
pub mod ib_host_sim;
pub mod perf;
pub mod process;
pub mod programs;
pub mod pty;
pub mod python;
pub mod s3;
pub mod series;
pub mod sessions;
pub mod siege;
pub mod steps;
pub mod training_chaos;
pub mod training_sim;
pub mod wait;

use std::path::PathBuf;

/// Price files that tests and the demo may use.
pub fn data_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data")
}
