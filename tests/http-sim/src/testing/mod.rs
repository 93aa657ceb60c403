//! For the tests of a simulator: its program as a process, the plainest of clients, and recorded exchanges.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test ends where its simulator fails"
)]

mod program;
mod transcript;

pub use program::{End, PATIENCE, Program, Reply, exchange, request, until};
pub use transcript::{Recorded, Transcript, names};
