//! The state machine of the session (pure): where it is, why, and what an event makes of it.
//!
//! The session task tells events and carries out the [`Effect`]; nothing here touches the connection or a clock.

use std::time::{Duration, Instant};

use super::{
    GatewayConfig, GatewayError,
    attempts::Attempts,
    outages::{Outages, Weather},
    quiet::{self, Quiet},
};
use crate::{clock::text, model::Nanos};

/// A waiting request may bring the next attempt forward, but no closer to the last one than this. After a goodbye of
/// our own it is the whole pause: the gateway needs a moment to forget the session.
const PAUSE_MIN: Duration = Duration::from_secs(5);
/// New history is held back this long before a quiet time, so that none is open when it begins.
const QUIET_LEAD: Duration = Duration::from_mins(1);
/// One instant on both clocks: pauses are kept on one, quiet times on the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) instant: Instant,
    pub(super) wall: Nanos,
}

impl Moment {
    /// Another instant, on the wall's clock.
    fn wall_of(&self, at: Instant) -> Nanos {
        let ahead = at.saturating_duration_since(self.instant);
        self.wall.saturating_add(Nanos::try_from(ahead.as_nanos()).unwrap_or(Nanos::MAX))
    }
}

/// Where the session is.
#[derive(Debug)]
pub(super) enum Phase {
    Disabled,
    /// Between attempts.
    Waiting {
        until: Instant,
        failed_at: Instant,
        because: GatewayError,
    },
    /// In a quiet time: no connection, no knocking.
    Resting {
        until: Nanos,
    },
    Connecting,
    Synchronising,
    /// Usable, as far as nothing is out.
    Serving(Outages),
    /// Saying goodbye; a pause or a rest follows.
    Closing,
    Stopped,
}

/// What happened.
#[derive(Debug)]
pub(super) enum Event {
    /// Time has passed.
    Tick,
    /// The handshake is over.
    Connected,
    /// Requests may be sent; so much was announced as away meanwhile.
    Synchronised(Outages),
    /// An attempt failed, or the connection was lost. `chance` in 0..1 spreads the pauses.
    Lost { error: GatewayError, chance: f64 },
    /// Somebody asked for a new session.
    ReconnectAsked,
    /// The goodbye is over.
    Closed,
    /// A request waits for a session.
    Wanted,
    /// The gateway said something about IB's side, with these words.
    Said(Weather, String),
    /// The gateway's clock answered.
    ClockAnswered,
    /// The daemon stops.
    Stop,
}

/// What the session has to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Nothing,
    /// Make a connection.
    Connect,
    /// Answer what is open, say goodbye, close the socket.
    Close,
    /// IB's servers are away: what waits is told so.
    RefuseWaiting,
    /// IB's servers are back but have forgotten what was open: it has to be asked for again.
    AskAgain,
}

/// The phase, the reason for it, and what failures have taught.
#[derive(Debug)]
pub(super) struct Machine {
    config: GatewayConfig,
    pub(super) phase: Phase,
    pub(super) attempts: Attempts,
    /// Why it is in this state.
    pub(super) reason: String,
    /// When the state began.
    pub(super) since: Nanos,
    /// How often IB's side has gone away or come back.
    pub(super) weather_changes: u64,
}

impl Machine {
    pub(super) fn new(config: GatewayConfig, now: Moment) -> Self {
        let (phase, reason) = if config.enabled {
            let waiting = Phase::Waiting { until: now.instant, failed_at: now.instant, because: GatewayError::Lost };
            (waiting, "the daemon has started".to_owned())
        } else {
            (Phase::Disabled, GatewayError::Disabled.to_string())
        };
        Self { config, phase, attempts: Attempts::default(), reason, since: now.wall, weather_changes: 0 }
    }

    /// The transition. Events that mean nothing in a phase change nothing.
    pub(super) fn apply(&mut self, event: Event, now: Moment) -> Effect {
        let before = self.state(now);
        let effect = self.transition(event, now);
        if self.state(now) != before {
            self.since = now.wall;
        }
        effect
    }

    fn transition(&mut self, event: Event, now: Moment) -> Effect {
        match (event, &mut self.phase) {
            (_, Phase::Stopped) => Effect::Nothing,
            (Event::Stop, _) => self.enter(Phase::Stopped, "the daemon is stopping", Effect::Close),
            (_, Phase::Disabled) => Effect::Nothing,
            (Event::Tick, _) => self.tick(now),
            (Event::Connected, Phase::Connecting) => {
                self.enter(Phase::Synchronising, "connected; waiting until the session is usable", Effect::Nothing)
            }
            (Event::Synchronised(outages), Phase::Synchronising) => {
                self.attempts.succeeded(now.instant);
                let reason = outages.in_words().unwrap_or_else(|| "the session is synchronised".into());
                self.enter(Phase::Serving(outages), &reason, Effect::Nothing)
            }
            (Event::Lost { error, chance }, Phase::Connecting | Phase::Synchronising | Phase::Serving(_)) => {
                self.lost(error, chance, now)
            }
            (Event::ReconnectAsked, Phase::Serving(_)) => {
                self.enter(Phase::Closing, "asked to reconnect", Effect::Close)
            }
            (Event::ReconnectAsked | Event::Wanted, Phase::Waiting { .. }) => self.hurry(),
            (Event::Closed, Phase::Closing) => {
                let until = now.instant + self.config.scaled(PAUSE_MIN);
                let waiting = Phase::Waiting { until, failed_at: now.instant, because: GatewayError::Lost };
                self.phase = waiting;
                self.rest_or(now, Effect::Nothing)
            }
            (Event::Said(weather, text), Phase::Serving(outages)) => {
                let (was, had) = (outages.in_words(), outages.upstream_is_lost());
                outages.note(&weather, now.instant);
                self.weather_changes += u64::from(weather != Weather::Other);
                let (is, has) = (outages.in_words(), outages.upstream_is_lost());
                if is != was {
                    let because = if is.is_some() && !text.is_empty() { text } else { "IB's side is back".into() };
                    self.reason = is.map_or_else(|| because.clone(), |is| format!("{is}: {because}"));
                }
                match weather {
                    Weather::UpstreamLost if !had => Effect::RefuseWaiting,
                    Weather::UpstreamBack { data_lost: true } if !has => Effect::AskAgain,
                    _ => Effect::Nothing,
                }
            }
            (Event::ClockAnswered, Phase::Serving(outages)) => {
                let had = outages.upstream_is_lost();
                outages.answered(now.instant, |duration| self.config.scaled(duration));
                if had && !outages.upstream_is_lost() {
                    self.reason = "the gateway answers again".into();
                }
                Effect::Nothing
            }
            _ => Effect::Nothing,
        }
    }

    fn enter(&mut self, phase: Phase, reason: &str, effect: Effect) -> Effect {
        self.phase = phase;
        reason.clone_into(&mut self.reason);
        effect
    }

    fn tick(&mut self, now: Moment) -> Effect {
        let quiet = self.quiet_now(now.wall);
        match &mut self.phase {
            Phase::Waiting { until, .. } if *until <= now.instant => self.rest_or(now, Effect::Connect),
            Phase::Waiting { .. } if quiet.is_some() => self.rest_or(now, Effect::Nothing),
            Phase::Resting { until } if *until <= now.wall => self.rest_or(now, Effect::Connect),
            Phase::Serving(_) if quiet.is_some() => self.enter(Phase::Closing, "a quiet time begins", Effect::Close),
            Phase::Serving(outages) => {
                if outages.expire(now.instant, |duration| self.config.scaled(duration)) {
                    self.weather_changes += 1;
                    self.reason = "asking again after a pause".into();
                }
                Effect::Nothing
            }
            _ => Effect::Nothing,
        }
    }

    /// Rests when it is quiet now; otherwise goes on with `effect`.
    fn rest_or(&mut self, now: Moment, effect: Effect) -> Effect {
        if let Some(quiet) = self.quiet_now(now.wall) {
            let reason = format!("quiet time from {} to {}", text(quiet.start), text(quiet.end));
            return self.enter(Phase::Resting { until: quiet.end }, &reason, Effect::Nothing);
        }
        if effect == Effect::Connect {
            let id = self.attempts.client_id(self.config.client_id);
            let reason = format!("connecting to {} as client {id}", self.config.address());
            return self.enter(Phase::Connecting, &reason, effect);
        }
        effect
    }

    fn lost(&mut self, error: GatewayError, chance: f64, now: Moment) -> Effect {
        let pause = self.attempts.failed(&error, &self.config, now.instant, chance);
        let because = match error {
            GatewayError::Unreachable { address, source, .. } => {
                GatewayError::Unreachable { address, source, retry_after: pause }
            }
            GatewayError::HostAway { address, source, .. } => {
                GatewayError::HostAway { address, source, retry_after: pause }
            }
            other => other,
        };
        let reason = crate::error::in_line(&because);
        let until = now.instant + pause;
        self.enter(Phase::Waiting { until, failed_at: now.instant, because }, &reason, Effect::Nothing);
        self.rest_or(now, Effect::Nothing)
    }

    /// A request waits, or a person does: try sooner, if that is allowed.
    fn hurry(&mut self) -> Effect {
        let earliest = self.config.scaled(PAUSE_MIN);
        if self.may_hurry()
            && let Phase::Waiting { until, failed_at, .. } = &mut self.phase
        {
            *until = (*until).min(*failed_at + earliest);
        }
        Effect::Nothing
    }

    /// Not when the gateway is wedged, which more attempts would make worse, nor while a dead session of ours holds the
    /// client id.
    pub(super) fn may_hurry(&self) -> bool {
        let id_in_use = matches!(&self.phase, Phase::Waiting { because: GatewayError::ClientIdInUse { .. }, .. });
        !self.attempts.is_wedged() && !id_in_use
    }

    fn quiet_now(&self, wall: Nanos) -> Option<Quiet> {
        self.next_quiet(wall).filter(|quiet| quiet.start <= wall)
    }

    /// The quiet time that holds now, or the next.
    pub(super) fn next_quiet(&self, wall: Nanos) -> Option<Quiet> {
        quiet::current_or_next(&self.config.quiet, wall)
    }

    /// So close to a quiet time that no more history is asked for.
    pub(super) fn is_winding_down(&self, now: Moment) -> bool {
        let lead = Nanos::try_from(self.config.scaled(QUIET_LEAD).as_nanos()).unwrap_or(0);
        self.next_quiet(now.wall).is_some_and(|quiet| quiet.start - lead <= now.wall)
    }
}

mod telling;
#[cfg(test)]
mod tests;
