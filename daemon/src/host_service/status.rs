//! What is told about a service.

use std::time::Duration;

use super::Health;
use crate::model::Nanos;

/// A service at one moment.
#[derive(Debug, Clone)]
pub struct HostStatus {
    /// In the configuration.
    pub name: String,
    /// `training`, `ib`.
    pub kind: &'static str,
    /// Base address.
    pub url: String,
    /// Its health.
    pub health: Health,
    /// When that began; `None` when it was never asked.
    pub since: Option<Nanos>,
    /// Which contract it speaks, once that is known.
    pub version: Option<String>,
    /// The last answer took so long.
    pub latency: Option<Duration>,
    /// Its connections.
    pub pool: PoolStatus,
    /// `closed`, `open` or `half-open`.
    pub breaker: &'static str,
    /// The last trouble, and when.
    pub last_error: Option<(Nanos, String)>,
    /// Calls since the start, repeats included.
    pub requests: u64,
}

/// Connections of a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolStatus {
    /// At most so many.
    pub size: usize,
    /// Open and free.
    pub idle: usize,
    /// Calls that wait for one.
    pub waiting: usize,
    /// Made since the start.
    pub opened: u64,
    /// Calls on a connection that had been used before.
    pub reused: u64,
}
