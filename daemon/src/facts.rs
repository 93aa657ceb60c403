//! What is told about the daemon itself.

use std::path::PathBuf;

use crate::model::Nanos;

/// Fixed at the start.
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
    /// The unit of systemd whose journal has the log.
    pub unit: Option<Unit>,
}

/// A unit of systemd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Such as `ktrdrd.service`.
    pub name: String,
    /// Of a user's manager, not the system's.
    pub of_user: bool,
}

/// The resident set; 0 where the system does not tell.
pub fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}
