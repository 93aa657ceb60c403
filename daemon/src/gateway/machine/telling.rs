//! What is told of the machine: its state, what comes next, and when to look again.

use std::time::{Duration, Instant};

use super::{Machine, Moment, Phase};
use crate::{
    clock::text,
    gateway::{State, quiet},
    model::Nanos,
};

/// Without a session for this long, at a time when IB wants a person to log in.
const LOGIN_NEEDED_AFTER: Duration = Duration::from_mins(15);

impl Machine {
    /// When [`Event::Tick`] is due.
    pub(in crate::gateway) fn wakes_at(&self, now: Moment) -> Option<Instant> {
        let on_wall = |wall: Nanos| {
            let ahead = u64::try_from(wall.saturating_sub(now.wall)).unwrap_or(0);
            now.instant + Duration::from_nanos(ahead)
        };
        let quiet = || self.next_quiet(now.wall).map(|quiet| on_wall(quiet.start));
        match &self.phase {
            Phase::Waiting { until, .. } => Some(quiet().map_or(*until, |quiet| quiet.min(*until))),
            Phase::Resting { until } => Some(on_wall(*until)),
            Phase::Serving(outages) => {
                let outage = outages.ends(|duration| self.config.scaled(duration));
                [outage, quiet()].into_iter().flatten().min()
            }
            _ => None,
        }
    }

    /// As told to others.
    pub(in crate::gateway) fn state(&self, now: Moment) -> State {
        match &self.phase {
            Phase::Disabled => State::Disabled,
            Phase::Waiting { .. } if self.needs_login(now) => State::LoginNeeded,
            Phase::Waiting { .. } if self.attempts.is_wedged() => State::Wedged,
            Phase::Waiting { .. } | Phase::Closing => State::Disconnected,
            Phase::Resting { .. } => State::Resting,
            Phase::Connecting => State::Connecting,
            Phase::Synchronising => State::Synchronising,
            Phase::Serving(outages) if outages.locked => State::LoginNeeded,
            Phase::Serving(outages) if outages.in_words().is_some() => State::Degraded,
            Phase::Serving(_) => State::Ready,
            Phase::Stopped => State::Stopped,
        }
    }

    /// IB ends every login once a week; nothing but a person brings the gateway back.
    fn needs_login(&self, now: Moment) -> bool {
        self.attempts.failing_for(now.instant) >= self.config.scaled(LOGIN_NEEDED_AFTER)
            && quiet::current_or_next(&self.config.weekly_login, now.wall).is_some_and(|login| login.start <= now.wall)
    }

    /// What happens next, for people.
    pub(in crate::gateway) fn next(&self, now: Moment) -> String {
        let attempt = |until: Instant| format!("attempt {} at {}", self.attempts.count() + 1, text(now.wall_of(until)));
        match &self.phase {
            Phase::Disabled => "nothing until it is switched on".into(),
            Phase::Waiting { until, .. } => match self.state(now) {
                State::Wedged => format!("restart the gateway; {}", attempt(*until)),
                State::LoginNeeded => format!("log in at the gateway (2FA); {}", attempt(*until)),
                _ => attempt(*until),
            },
            Phase::Resting { until } => format!("connects at {}", text(*until)),
            Phase::Connecting => "the handshake, within 15 s".into(),
            Phase::Synchronising => "the first answer, within 15 s".into(),
            Phase::Serving(outages) if outages.locked => "unlock the gateway".into(),
            Phase::Serving(outages) if outages.in_words().is_some() => "waits for IB; no reconnecting for this".into(),
            Phase::Serving(_) => match self.next_quiet(now.wall) {
                Some(quiet) => format!("serves requests; quiet from {} to {}", text(quiet.start), text(quiet.end)),
                None => "serves requests".into(),
            },
            Phase::Closing => "the goodbye, then a pause".into(),
            Phase::Stopped => String::new(),
        }
    }
}
