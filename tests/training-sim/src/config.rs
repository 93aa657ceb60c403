//! What a simulator is told.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::generation::Generation;
use ktrdr_http_sim::Rule;

/// How a simulator behaves.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub generation: Generation,
    /// Sessions at once; none: one, or as many as come in a container worker.
    pub slots: Option<u64>,
    pub epoch_ms: u64,
    pub batches: u32,
    /// Connections that were idle for so long are closed.
    pub keep_alive: Duration,
    /// How long a stop takes.
    pub stop: Duration,
    pub rules: Vec<Rule>,
    /// None: an invented one.
    pub worker_id: Option<String>,
    pub gpu: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            generation: Generation::A,
            slots: None,
            epoch_ms: 200,
            batches: 32,
            keep_alive: Duration::from_secs(5),
            stop: Duration::from_millis(100),
            rules: Vec::new(),
            worker_id: None,
            gpu: None,
        }
    }
}

impl Config {
    /// None: no limit.
    pub(crate) fn slots(&self) -> Option<u64> {
        self.slots.or((self.generation != Generation::Worker).then_some(1))
    }
}
