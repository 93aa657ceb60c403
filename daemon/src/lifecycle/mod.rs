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

use std::path::PathBuf;

pub use error::StartError;
pub use start::run;

use crate::model::Nanos;

/// What is told about the daemon.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When it started.
    pub started_at: Nanos,
    /// Where it listens.
    pub socket: PathBuf,
    /// The data folder.
    pub data_dir: PathBuf,
    /// Configuration that was read.
    pub config_files: Vec<PathBuf>,
}

/// The resident set; 0 where the system does not tell.
pub fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages
        .and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok())
        .unwrap_or(0);
    pages * rustix::param::page_size() as u64
}
