//! Birth and death of the daemon.
//!
//! - Two locks, held for life, decide who is the daemon of an address and of a store; never a pid or a socket file.
//! - It listens before it says that it is ready, and it needs no gateway for that.
//! - kill -9 at any moment leaves nothing that needs a hand.

mod error;
mod lock;
mod shutdown;
mod socket;
mod start;

pub use error::StartError;
pub use start::run;
