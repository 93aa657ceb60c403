//! Taking requests in, what their ends teach, and the pulse of the connection.

use std::time::{Duration, Instant};

use super::{Moment, Session};
use crate::{
    gateway::{
        Class, GatewayConfig, GatewayError, Origin,
        command::{Command, Done, End, Kind, Question},
        machine::{Event, Phase},
        outages::Weather,
    },
    model::Nanos,
};
use ktrdr_proto::reason;

/// Silence after which the connection is tested.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// Unanswered tests after which it counts as lost.
const MISSED_MAX: u32 = 2;
/// After "too many messages".
const MESSAGE_RATE_PAUSE: Duration = Duration::from_secs(5);
/// The wall's clock ran so much further than ours: the machine was asleep, and the peer may have given us up.
const SLEPT: Duration = Duration::from_secs(30);
/// How often the two clocks are compared.
const LOOK: Duration = Duration::from_secs(10);

/// Whether the other end is still there.
#[derive(Debug)]
pub(super) struct Pulse {
    last_answer: Instant,
    missed: u32,
    looked: Moment,
}

impl Pulse {
    pub(super) fn new(now: Moment) -> Self {
        Self { last_answer: now.instant, missed: 0, looked: now }
    }

    pub(super) fn new_session(&mut self, now: Moment) {
        *self = Self::new(now);
    }

    /// When to look again.
    pub(super) fn due(&self, config: &GatewayConfig) -> Instant {
        (self.last_answer + config.scaled(HEARTBEAT)).min(self.looked.instant + LOOK)
    }

    /// Whether the machine has slept since the last look.
    fn slept(&mut self, now: Moment) -> bool {
        let ran = |from: Nanos, to: Nanos| Duration::from_nanos(u64::try_from(to.saturating_sub(from)).unwrap_or(0));
        let wall = ran(self.looked.wall, now.wall);
        let ours = now.instant.saturating_duration_since(self.looked.instant);
        self.looked = now;
        wall.saturating_sub(ours) > SLEPT
    }
}

impl Session {
    pub(super) fn on_request(&mut self, origin: Origin, command: Command) {
        if let Some(error) = self.refusal(command.kind()) {
            return command.refuse(error);
        }
        self.apply(Event::Wanted);
        self.queue.push(origin, command);
    }

    /// Why a request is not even queued: waiting for a long pause to end would look like a hang.
    fn refusal(&self, kind: Kind) -> Option<GatewayError> {
        match &self.machine.phase {
            Phase::Disabled => Some(GatewayError::Disabled),
            Phase::Stopped => Some(GatewayError::Stopped),
            Phase::Resting { until } => Some(GatewayError::Resting { until: *until }),
            Phase::Serving(outages) if outages.upstream_is_lost() && kind != Kind::Clock => {
                Some(GatewayError::UpstreamLost)
            }
            Phase::Serving(_)
                if matches!(kind, Kind::Bars | Kind::Live) && self.machine.is_winding_down(Moment::now()) =>
            {
                let quiet = self.machine.next_quiet(Moment::now().wall);
                quiet.map(|quiet| GatewayError::Resting { until: quiet.end })
            }
            // but a load has the patience for our next client id
            Phase::Waiting { because, until, .. }
                if !self.machine.may_hurry() && (kind == Kind::Clock || !self.waits_for_other_id(because)) =>
            {
                Some(self.long_pause(because, *until))
            }
            _ if self.queue.is_full() => Some(GatewayError::Busy),
            _ => None,
        }
    }

    fn long_pause(&self, because: &GatewayError, until: Instant) -> GatewayError {
        let address = self.config.address();
        match (self.machine.state(Moment::now()), because) {
            (crate::gateway::State::LoginNeeded, _) => GatewayError::LoginNeeded { address },
            (_, GatewayError::NotReady { why, .. }) => {
                let retry_after = until.saturating_duration_since(Instant::now());
                GatewayError::Wedged { address, why: why.clone(), retry_after }
            }
            _ => because.clone(),
        }
    }

    pub(super) fn on_done(&mut self, done: &Done) {
        self.open.ends(done.kind);
        let timed_out = matches!(done.end, End::Failed(GatewayError::TimedOut { .. }));
        if done.kind == Kind::Clock {
            self.pulse.missed = if timed_out { self.pulse.missed + 1 } else { 0 };
        }
        // a request that timed out, or that its caller gave up, is no sign of life
        if !timed_out && !matches!(done.end, End::Withdrawn) {
            self.pulse.last_answer = Instant::now();
        }
        match &done.end {
            End::Failed(GatewayError::Lost) => self.on_lost(GatewayError::Lost),
            End::Failed(GatewayError::Refused { verdict, text, .. }) => {
                self.on_refused(verdict.class, verdict.reason.name, text);
            }
            End::Answered if done.kind == Kind::Bars => self.pacer.answered(),
            End::Answered if done.kind == Kind::Clock => self.apply(Event::ClockAnswered),
            _ if self.pulse.missed >= MISSED_MAX => self.on_silence(),
            _ => {}
        }
    }

    /// What a refusal teaches beyond its own request.
    fn on_refused(&mut self, class: Class, reason: &str, text: &str) {
        let now = Instant::now();
        if reason == reason::COMPETING_SESSION.name {
            return self.apply(Event::Said(Weather::Competing, text.to_owned()));
        }
        if class != Class::Pacing {
            return;
        }
        if reason == reason::TOO_MANY_OPEN_REQUESTS.name {
            self.open.one_at_a_time();
            self.pacer.pause(now + self.config.scaled(MESSAGE_RATE_PAUSE));
        } else if reason == reason::MESSAGE_RATE_EXCEEDED.name {
            self.pacer.pause(now + self.config.scaled(MESSAGE_RATE_PAUSE));
        } else {
            self.pacer.refused(now);
            let wait = self.pacer.paused_until(now).map_or(Duration::ZERO, |until| until - now);
            tracing::warn!(text, seconds = wait.as_secs(), "refused for pacing in spite of ours; asking for less");
        }
    }

    /// Tests a connection that has been silent, and one that a sleep of the machine may have cost.
    pub(super) fn feel_pulse(&mut self, now: Moment) {
        if self.link.is_none() {
            return;
        }
        let slept = self.pulse.slept(now);
        if slept {
            tracing::info!("the machine was asleep; testing the connection");
        }
        if slept || self.pulse.last_answer + self.config.scaled(HEARTBEAT) <= now.instant {
            self.pulse.last_answer = now.instant;
            self.queue.push(Origin::Daemon, Question::Clock(Vec::new()).into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SECOND;

    #[test]
    fn a_sleep_is_what_only_the_wall_has_seen() {
        let start = Moment { instant: Instant::now(), wall: 0 };
        let after =
            |ours: u64, wall: i64| Moment { instant: start.instant + Duration::from_secs(ours), wall: wall * SECOND };
        let slept = |now: Moment| Pulse::new(start).slept(now);
        assert!(!slept(after(10, 10)) && !slept(after(3_600, 3_600)), "time passed");
        assert!(slept(after(10, 3_600)), "an hour of sleep");
        assert!(!slept(after(10, -3_600)), "a wall's clock that was set back");
        let mut pulse = Pulse::new(start);
        assert!(pulse.slept(after(10, 100)) && !pulse.slept(after(20, 110)), "told once");
    }
}
