//! What is counted for a report, and its file.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

/// A connection counts from its first request on, or when it ends without one. One that its client closed may still
/// count for a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Connections {
    pub total: u64,
    pub most_at_once: u64,
}

/// Counts so far. Control requests are not in it.
#[derive(Debug, Default)]
pub struct Tally {
    pub connections: Connections,
    /// By method and path; `other` for those that lead nowhere.
    pub requests: BTreeMap<String, u64>,
    /// Faults played, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Requests that carried a header.
    pub headers: BTreeMap<String, u64>,
    /// Most requests that weigh something, open at once.
    pub most_open: u64,
    pub(crate) connections_now: u64,
    pub(crate) open_now: u64,
}

/// Writes the document whole or not at all.
pub fn write(report: &impl Serialize, path: &Path) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let mut file = std::fs::File::create(&temporary)?;
    serde_json::to_writer_pretty(&mut file, report)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}
