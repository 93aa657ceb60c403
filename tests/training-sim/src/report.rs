//! What happened, as a document.

use std::collections::BTreeMap;

use ktrdr_http_sim::Connections;
use serde::Serialize;

/// Control requests are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub connections: Connections,
    /// By method and path; `other` for those that lead nowhere.
    pub requests: BTreeMap<String, u64>,
    /// Sessions really created, by id. Restarts do not empty it, so a start that came through twice shows.
    pub starts: BTreeMap<String, u64>,
    /// Those known now, in memory or in the database.
    pub sessions: Vec<SessionRow>,
    /// Faults played, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Requests that carried a header.
    pub request_headers: BTreeMap<String, u64>,
    /// Most sessions that trained at once.
    pub most_running: u64,
}

/// A session in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionRow {
    pub id: String,
    pub status: String,
    pub epoch: u32,
    pub started_times: u64,
}

impl Report {
    /// How many requests came, by method and path.
    pub fn requested(&self, route: &str) -> u64 {
        self.requests.get(route).copied().unwrap_or(0)
    }
}
