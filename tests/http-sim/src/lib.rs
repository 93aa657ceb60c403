//! What the simulated services of the old system have in common: a port with everything that can go wrong on it, the
//! routes and refusals of the Python framework, the control routes under `/_sim`, the report, and the life of a program.
//!
//! What a service answers is not here: it is a [`Service`]. Nothing is shared with the programs that are tested.

mod answer;
mod control;
mod faults;
mod program;
mod refusal;
mod report;
mod route;
mod server;
mod service;
mod simulator;
pub mod testing;

pub use answer::Answer;
pub use control::read;
pub use faults::{FaultKind, Rule, WrongRule};
pub use program::{Program, main};
pub use refusal::{complaint, malformed, refused};
pub use report::{Connections, Tally, write};
pub use route::{Found, Route, Row, decode, query_value};
pub use server::Shared;
pub use service::{Call, Service};
pub use simulator::{Frame, Simulator};
