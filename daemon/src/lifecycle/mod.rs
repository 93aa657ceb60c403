//! Birth and death of the daemon.
//!
//! - Two locks, held for life, decide who is the daemon of an address and of a store; never a pid or a socket file.
//! - It listens before it says that it is ready, and it needs no gateway for that.
//! - A service manager may hold the socket, and is told how things are.
//! - A socket whose file is taken away gets it again.
//! - A restart keeps the socket: the next life gets it from the one before.
//! - kill -9 at any moment leaves nothing that needs a hand.

mod descriptors;
mod doors;
mod error;
mod handover;
mod lock;
mod shutdown;
mod socket;
mod socket_watch;
mod start;
mod supervisor;
mod unit;

pub use error::StartError;
pub use handover::Handover;
pub use start::run;
pub use unit::logs_to_journal;
