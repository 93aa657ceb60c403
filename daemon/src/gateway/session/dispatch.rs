//! Which waiting request leaves next, and when.

use std::time::{Duration, Instant};

use super::{CLOCK_SPACING, HEADS_MAX, HISTORY_OPEN_MAX, LOOKUPS_OPEN_MAX, Session};
use crate::gateway::{GatewayError, command::Command, phase::Phase};

impl Session {
    /// Sends what may be sent; returns when to look again.
    pub(super) fn dispatch(&mut self, now: Instant) -> Instant {
        self.queue.retain(|command| !command.is_withdrawn());
        let far = now + Duration::from_hours(1);
        match &self.phase {
            Phase::Waiting { until, .. } => return *until,
            Phase::Ready | Phase::Degraded { .. } => {}
            _ => return far,
        }
        let mut timer = far;
        while let Some(link) = &self.link {
            let client = link.client.clone();
            timer = self.heartbeat_due();
            let mut ready = None;
            for (at, command) in self.queue.iter().enumerate() {
                match self.departure(command, now) {
                    Some(departure) if departure <= now => {
                        ready = Some(at);
                        break;
                    }
                    Some(departure) => timer = timer.min(departure),
                    None => {}
                }
            }
            let Some(command) = ready.and_then(|at| self.queue.remove(at)) else {
                break;
            };
            if matches!(command, Command::Head(..)) && self.heads_asked >= HEADS_MAX {
                command.refuse(GatewayError::Busy);
                continue;
            }
            let command = self.leaving(command, now);
            self.in_flight.push(Box::pin(command.perform(client)));
        }
        timer
    }

    /// The first moment a request may leave; `None`: when another one has ended.
    pub(super) fn departure(&self, command: &Command, now: Instant) -> Option<Instant> {
        match (command, command.footprint()) {
            (_, Some(_)) if self.history_open >= HISTORY_OPEN_MAX => None,
            (_, Some(footprint)) => Some(self.pacer.earliest(&footprint, now)),
            (Command::Contract(..) | Command::Head(..), None) if self.lookups_open >= LOOKUPS_OPEN_MAX => None,
            (Command::Clock(_), None) if self.clock_open => None,
            (Command::Clock(_), None) => Some(self.last_clock.map_or(now, |last| last + CLOCK_SPACING)),
            _ => Some(now),
        }
    }

    fn leaving(&mut self, command: Command, now: Instant) -> Command {
        if let Some(footprint) = command.footprint() {
            self.pacer.record(footprint, now);
            self.history_open += 1;
        }
        self.lookups_open += usize::from(matches!(command, Command::Contract(..) | Command::Head(..)));
        self.heads_asked += u32::from(matches!(command, Command::Head(..)));
        let Command::Clock(mut replies) = command else {
            return command;
        };
        (self.clock_open, self.last_clock) = (true, Some(now));
        // whoever else asks for the time shares the answer
        self.queue.retain_mut(|other| {
            let Command::Clock(more) = other else { return true };
            replies.append(more);
            false
        });
        Command::Clock(replies)
    }
}
