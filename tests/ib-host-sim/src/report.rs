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
    /// Faults played, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Most requests for data that were open at once.
    pub most_open: u64,
}

impl Report {
    /// How many requests came, by method and path.
    pub fn requested(&self, route: &str) -> u64 {
        self.requests.get(route).copied().unwrap_or(0)
    }
}
