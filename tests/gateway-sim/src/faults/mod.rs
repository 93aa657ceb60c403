//! Faults: what there is, when it strikes, and what it does to an answer.
//!
//! Nothing here knows of sockets or tasks: `server` plays what is decided here.

mod answer;
mod bars;
mod catalogue;
mod chaos;
mod codes;
mod fault;
mod file;
mod rule;

pub(crate) use answer::{Step, script};
pub use catalogue::FaultKind;
pub(crate) use catalogue::{Stage, listing};
pub use chaos::Level;
pub(crate) use chaos::{Draws, is_costly};
pub use fault::{Fault, FaultError, Value};
pub use file::{FileError, read_rules};
pub(crate) use rule::{Armed, Occasion};
pub use rule::{Rule, RuleError};
