//! The program over real sockets: the recorded transcripts, its bars and contracts, its faults.
#![expect(clippy::unwrap_used, reason = "a test ends where its simulator fails")]

mod control;
mod data;
mod faults;
mod program;
mod replay;
mod shape;
