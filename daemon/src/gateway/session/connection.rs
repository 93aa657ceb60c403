//! Making, losing and ending the session's one connection.

use std::{collections::VecDeque, time::Instant};

use super::{RECONNECT_PAUSE, Session, Step};
use crate::gateway::{GatewayError, command::Command, link::Link, phase::Phase};

impl Session {
    pub(super) fn connect(&mut self) {
        let client_id = self.attempts.client_id(self.config.client_id);
        self.enter(Phase::Connecting, &format!("connecting to {} as client {client_id}", self.config.address()));
        let attempt = Link::open(self.config.clone(), client_id);
        self.step = Some(Box::pin(async move { Step::Connected(attempt.await) }));
    }

    pub(super) fn on_step(&mut self, step: Step) {
        self.step = None;
        match step {
            Step::Connected(Ok(link)) => {
                self.enter(Phase::Synchronising, "connected; waiting until the session is usable");
                let synchronise = link.synchronise(self.config.clone());
                self.step = Some(Box::pin(async move { Step::Synchronised(synchronise.await) }));
            }
            Step::Synchronised(Ok(link)) => {
                self.attempts.succeeded();
                self.sessions += 1;
                self.heartbeats_missed = 0;
                let now = Instant::now();
                (self.last_answer, self.last_clock) = (now, Some(now));
                self.heads_asked = 0;
                let away = link.upstream_lost;
                self.link = Some(link);
                if away {
                    self.enter(Phase::Degraded { since: now }, "connected, but IB's servers are away");
                } else {
                    self.enter(Phase::Ready, "the session is synchronised");
                }
            }
            Step::Connected(Err(error)) | Step::Synchronised(Err(error)) => self.on_lost(error),
            Step::Closed => {
                let (now, because) = (Instant::now(), GatewayError::Lost);
                let until = now + self.config.scaled(RECONNECT_PAUSE);
                self.enter(Phase::Waiting { until, failed_at: now, because }, "asked to reconnect");
            }
        }
    }

    /// No session any more, or none yet: all who wait hear why, and the pause before the next attempt begins.
    pub(super) fn on_lost(&mut self, error: GatewayError) {
        self.drop_requests();
        drop(self.link.take());
        let now = Instant::now();
        let pause = self.attempts.failed(&error, &self.config, chance());
        let error = match error {
            GatewayError::Unreachable { address, source, .. } => {
                GatewayError::Unreachable { address, source, retry_after: pause }
            }
            other => other,
        };
        if self.waits_for_other_id(&error) {
            let is_clock = |command: &Command| matches!(command, Command::Clock(_));
            let (clocks, rest): (VecDeque<_>, VecDeque<_>) = self.queue.drain(..).partition(is_clock);
            self.queue = rest;
            for clock in clocks {
                clock.refuse(error.clone());
            }
        } else {
            self.refuse_all(&error);
        }
        let told = crate::error::chain(&error).join(": ");
        self.enter(Phase::Waiting { until: now + pause, failed_at: now, because: error }, &told);
    }

    /// Our next client id is tried in seconds: loads wait for that.
    pub(super) fn waits_for_other_id(&self, because: &GatewayError) -> bool {
        matches!(because, GatewayError::ClientIdInUse { .. }) && self.attempts.has_other_id()
    }

    pub(super) fn refuse_all(&mut self, error: &GatewayError) {
        self.queue.drain(..).for_each(|command| command.refuse(error.clone()));
    }

    /// Dropping the requests answers their callers; with a live connection it withdraws them at the gateway. Whether there
    /// were any.
    pub(super) fn drop_requests(&mut self) -> bool {
        let any = !self.in_flight.is_empty();
        self.in_flight.clear();
        (self.history_open, self.lookups_open, self.clock_open) = (0, 0, false);
        any
    }

    pub(super) fn reconnect(&mut self) {
        let cancelling = self.drop_requests();
        if let Some(link) = self.link.take() {
            self.step = Some(Box::pin(async move {
                link.close(cancelling).await;
                Step::Closed
            }));
        } else if self.step.is_none() {
            self.phase.hurry(&self.attempts, &self.config);
        }
    }
}

/// Spreads the attempts of several daemons that lost one gateway together. Quality does not matter.
fn chance() -> f64 {
    f64::from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().subsec_micros())
        / 1_000_000.0
}
