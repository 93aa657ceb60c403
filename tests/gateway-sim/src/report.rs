//! What happened, as a document.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

/// Every key is always there, with zero when nothing happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    pub connections: Connections,
    /// Messages received, by kind.
    pub requests: BTreeMap<String, u64>,
    /// Accepted, and neither answered nor cancelled yet. Those of a closed connection are gone with it.
    pub open_requests: u64,
    /// Faults played, by kind.
    pub faults: BTreeMap<String, u64>,
    /// When a fault kept everybody from being served, in order of their beginnings.
    pub outages: Vec<Outage>,
    pub pacing: PacingUse,
    pub violations: Vec<Violation>,
}

/// Real time, nanoseconds since the epoch. Outages may overlap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outage {
    /// The fault.
    pub kind: String,
    pub from_ns: i64,
    pub to_ns: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Connections {
    pub total: u64,
    pub most_at_once: u64,
}

/// Requests for bars of 30 seconds and less, by which the use of what is allowed can be measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PacingUse {
    pub requests: u64,
    /// With those that count twice counted twice.
    pub weight: u64,
    /// Simulated seconds since the start.
    pub first: Option<f64>,
    pub last: Option<f64>,
    /// Highest weight in any ten minutes.
    pub most_in_10_minutes: u32,
}

/// Something a well-behaved client never does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    pub rule: String,
    /// RFC 3339, UTC.
    pub at: String,
    pub detail: String,
}

impl Report {
    /// How many messages of a kind came, by its name in the document.
    pub fn received(&self, kind: &str) -> u64 {
        self.requests.get(kind).copied().unwrap_or(0)
    }

    pub fn broke(&self, rule: &str) -> bool {
        self.violations.iter().any(|violation| violation.rule == rule)
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
