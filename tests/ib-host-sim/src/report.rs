//! What happened, as a document.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

/// Control requests are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub connections: Connections,
    /// By method and path; `other` for those that lead nowhere.
    pub requests: BTreeMap<String, u64>,
    /// Faults played, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Most requests for data that were open at once.
    pub most_open: u64,
}

/// A connection counts from its first request on, or when it ends without one. One that its client closed may still
/// count for a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Connections {
    pub total: u64,
    pub most_at_once: u64,
}

impl Report {
    /// How many requests came, by method and path.
    pub fn requested(&self, route: &str) -> u64 {
        self.requests.get(route).copied().unwrap_or(0)
    }

    /// Writes the document whole or not at all.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = path.with_file_name(name);
        let mut file = std::fs::File::create(&temporary)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    }
}
