//! The program over real sockets: the recorded transcripts, its faults, and the traps of the real services.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where its simulator fails")]

mod control;
mod faults;
mod program;
mod replay;
mod scenarios;
mod shape;
mod traps;
