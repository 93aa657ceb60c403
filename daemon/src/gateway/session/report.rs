//! What the session tells of itself: one log event a change of state, and the status that clients read.

use std::time::Instant;

use super::Session;
use crate::{clock, gateway::phase::Phase};

impl Session {
    pub(super) fn enter(&mut self, phase: Phase, because: &str) {
        let (from, to) = (self.phase.state(&self.attempts), phase.state(&self.attempts));
        self.phase = phase;
        if from != to {
            tracing::info!(from = from.name(), to = to.name(), because, "gateway changed");
        }
        self.status.send_modify(|status| {
            (status.state, status.since) = (to, clock::now());
            because.clone_into(&mut status.reason);
        });
    }

    /// Counts change silently; only a change of state wakes those who watch.
    pub(super) fn publish(&self) {
        let now = Instant::now();
        let next_slot = self.queue.iter().filter_map(|command| self.departure(command, now)).min();
        let (used, limit) = self.pacer.window(now);
        self.status.send_if_modified(|status| {
            status.next = self.next_in_words(now);
            status.client_id = self.config.enabled.then(|| self.attempts.client_id(self.config.client_id));
            status.server_version = self.link.as_ref().map(|link| link.client.server_version());
            (status.pacing_used, status.pacing_limit) = (used, limit);
            status.next_slot = next_slot;
            (status.open, status.queued) = (self.in_flight.len(), self.queue.len());
            status.reconnects = self.sessions.saturating_sub(1);
            status.farms = self.link.as_ref().map(|link| link.farms.clone()).unwrap_or_default();
            false
        });
    }

    fn next_in_words(&self, now: Instant) -> String {
        match &self.phase {
            Phase::Disabled => "nothing until it is switched on".into(),
            Phase::Waiting { until, .. } => {
                let wait = jiff::SignedDuration::try_from(until.saturating_duration_since(now)).unwrap_or_default();
                let at = jiff::Timestamp::from_nanosecond(i128::from(clock::now())).unwrap_or_default();
                let at = at.checked_add(wait).unwrap_or(at).as_second();
                format!("the next attempt at {}", clock::text(at.saturating_mul(crate::model::SECOND)))
            }
            Phase::Connecting => "the handshake, within 15 s".into(),
            Phase::Synchronising => "the first answer, within 15 s".into(),
            Phase::Ready => "serves requests".into(),
            Phase::Degraded { .. } => "waits for IB's servers".into(),
            Phase::Stopped => String::new(),
        }
    }
}
