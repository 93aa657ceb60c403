//! What the session tells of itself: one log event a change of state, and the status that clients read.

use std::{collections::BTreeMap, time::Instant};

use super::{Moment, Session};
use crate::gateway::{
    self,
    link::Link,
    machine::{Machine, Phase},
    status::Pacing,
};

/// What was told last.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) state: gateway::State,
    reason: String,
}

impl State {
    pub(super) fn of(machine: &Machine) -> Self {
        Self { state: machine.state(Moment::now()), reason: machine.reason.clone() }
    }
}

impl Session {
    /// Tells those who watch, if there is something new.
    pub(super) fn tell_change(&mut self) {
        let now = State::of(&self.machine);
        if now == self.told {
            return;
        }
        if now.state != self.told.state {
            let (from, to) = (self.told.state.name(), now.state.name());
            tracing::info!(from, to, because = now.reason, "gateway changed");
        }
        self.told = now;
        self.publish();
        self.status.send_modify(|_| {});
        // nobody may be watching
        drop(self.changes.send(self.status.borrow().clone()));
    }

    /// Counts change silently; only a change of state wakes those who watch.
    pub(super) fn publish(&self) {
        let now = Moment::now();
        let pacing = self.pacing(now.instant);
        self.status.send_if_modified(|status| {
            (status.state, status.since) = (self.machine.state(now), self.machine.since);
            status.reason.clone_from(&self.machine.reason);
            status.next = self.machine.next(now);
            status.client_id = self.config.enabled.then(|| self.machine.attempts.client_id(self.config.client_id));
            status.server_version = self.link.as_ref().and_then(Link::version);
            status.pacing = pacing;
            (status.open, status.queued) = (self.in_flight.len(), self.queue.len());
            status.reconnects = self.sessions.saturating_sub(1);
            status.unknown_codes.clone_from(self.notices.unknown());
            status.weather_changes = self.machine.weather_changes;
            (status.farms, status.history_up) = match &self.machine.phase {
                Phase::Serving(outages) => (outages.farms(), outages.history_is_up()),
                _ => (BTreeMap::new(), false),
            };
            false
        });
    }

    fn pacing(&self, now: Instant) -> Pacing {
        let budget = self.pacer.budget(now);
        let mut waits = BTreeMap::new();
        for (at, departure) in self.forecast(now) {
            if let Some(waiting) = self.queue.get(at) {
                waits.entry(waiting.origin.clone()).or_insert(departure);
            }
        }
        Pacing {
            used: budget.used,
            limit: budget.limit,
            users: budget.users.into_iter().collect(),
            next_slot: waits.values().min().copied(),
            waits,
            paused_until: self.pacer.paused_until(now),
            slow: self.pacer.is_slow(now),
        }
    }
}
