//! What is told about the connection.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::Origin;
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
    /// In a configured quiet time.
    Resting,
    /// Accepts connections and says nothing, again and again.
    Wedged,
    /// A person must log in at the gateway.
    LoginNeeded,
    /// The daemon is stopping.
    Stopped,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Disabled,
        Self::Disconnected,
        Self::Connecting,
        Self::Synchronising,
        Self::Ready,
        Self::Degraded,
        Self::Resting,
        Self::Wedged,
        Self::LoginNeeded,
        Self::Stopped,
    ];

    /// One word, for logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::Synchronising => "synchronising",
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Resting => "resting",
            Self::Wedged => "wedged",
            Self::LoginNeeded => "login_needed",
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
    /// What pacing allows, and who used it.
    pub pacing: Pacing,
    /// Sent and not answered.
    pub open: usize,
    /// Waiting here.
    pub queued: usize,
    /// Sessions after the first.
    pub reconnects: u64,
    /// Data farms by name, and whether they are up.
    pub farms: BTreeMap<String, bool>,
    /// How often IB's side has gone away or come back. Meanwhile, subscriptions are silent, and leave out what was traded.
    pub weather_changes: u64,
    /// No farm of historical data is known to be away, so "no data" is a fact.
    pub history_up: bool,
    /// Codes of the gateway that our table does not know, and how often each came.
    pub unknown_codes: BTreeMap<i32, u64>,
}

/// What pacing allows, and who used it.
#[derive(Debug, Clone, Default)]
pub struct Pacing {
    /// Requests for small bars in the last ten minutes.
    pub used: u32,
    /// How many of them are allowed.
    pub limit: u32,
    /// Who sent them.
    pub users: Vec<(Origin, u32)>,
    /// When the first of the waiting requests may leave.
    pub next_slot: Option<Instant>,
    /// When the first waiting request of each may leave, by the rules alone.
    pub waits: BTreeMap<Origin, Instant>,
    /// IB refused in spite of our pacing: nothing leaves until then.
    pub paused_until: Option<Instant>,
    /// Since that refusal only half is asked for.
    pub slow: bool,
}

impl Pacing {
    /// How long the first request of `origin` has to wait still.
    pub fn wait(&self, origin: &Origin) -> Duration {
        until(self.waits.get(origin).copied())
    }

    /// How long the first of all waiting requests has to wait still.
    pub fn next_wait(&self) -> Duration {
        until(self.next_slot)
    }

    /// How long nothing will leave because of a refusal.
    pub fn pause(&self) -> Duration {
        until(self.paused_until)
    }
}

fn until(at: Option<Instant>) -> Duration {
    at.map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()))
}
