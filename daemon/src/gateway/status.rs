//! What is told about the connection.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::model::Nanos;

/// States of the connection, as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Switched off by configuration.
    Disabled,
    /// Waiting for the next attempt.
    Disconnected,
    /// An attempt is under way.
    Connecting,
    /// Connected, not usable yet.
    Synchronising,
    /// Usable.
    Ready,
    /// Connected, IB's servers are away.
    Degraded,
    /// Accepts connections and says nothing, again and again.
    Wedged,
    /// The daemon is stopping.
    Stopped,
}

impl State {
    /// One word, for logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::Synchronising => "synchronising",
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Wedged => "wedged",
            Self::Stopped => "stopped",
        }
    }
}

/// The connection at one moment.
#[derive(Debug, Clone)]
pub struct Status {
    /// Where it is.
    pub state: State,
    /// Since when.
    pub since: Nanos,
    /// Why.
    pub reason: String,
    /// What happens next.
    pub next: String,
    /// `host:port`.
    pub address: String,
    /// Of the current session or attempt.
    pub client_id: Option<i32>,
    /// Of the current session.
    pub server_version: Option<i32>,
    /// Requests for small bars in the last ten minutes.
    pub pacing_used: usize,
    /// How many of them are allowed.
    pub pacing_limit: usize,
    /// When the first of the waiting requests may leave.
    pub next_slot: Option<Instant>,
    /// Sent and not answered.
    pub open: usize,
    /// Waiting here.
    pub queued: usize,
    /// Sessions after the first.
    pub reconnects: u64,
    /// Data farms by name, and whether they are up.
    pub farms: BTreeMap<String, bool>,
}

impl Status {
    /// How long the waiting requests have to wait still.
    pub fn wait(&self) -> Duration {
        self.next_slot.map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()))
    }
}
