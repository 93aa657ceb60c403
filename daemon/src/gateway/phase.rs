//! Where the session is and when it tries again (pure).

use std::time::{Duration, Instant};

use super::{GatewayConfig, GatewayError, State};

/// Pauses between attempts: short at first, because a gateway's nightly restart takes minutes, not hours.
const PAUSES: [u64; 6] = [2, 5, 10, 20, 30, 60];
/// Pauses while the gateway is wedged: each half-finished handshake makes it worse.
const WEDGED_PAUSES: [u64; 3] = [60, 300, 900];
/// Silent handshakes in a row that count as wedged.
const WEDGED_AFTER: u32 = 2;
/// A dead session of ours holds its client id for a while.
const CLIENT_ID_PAUSE: Duration = Duration::from_secs(10);
/// Client ids tried in a row: more would fill the gateway's 32 places with dead sessions.
const CLIENT_IDS: u32 = 3;
/// A waiting request may bring the next attempt forward, but no closer to the last one than this.
const PAUSE_MIN: Duration = Duration::from_secs(5);

/// Where the session is.
#[derive(Debug)]
pub(super) enum Phase {
    Disabled,
    Waiting {
        until: Instant,
        failed_at: Instant,
        because: GatewayError,
    },
    Connecting,
    Synchronising,
    Ready,
    /// IB's servers are away.
    Degraded {
        since: Instant,
    },
    Stopped,
}

/// What failed attempts have taught; reset by a session that became ready.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    failed: u32,
    silent: u32,
    id_refused: u32,
}

impl Attempts {
    /// Which of the allowed ids the next attempt uses.
    pub(super) fn client_id(&self, first: i32) -> i32 {
        first.saturating_add(i32::try_from(self.id_refused % CLIENT_IDS).unwrap_or(0))
    }

    /// Takes a failure in; returns the pause before the next attempt. `chance` in 0..1 spreads pauses by ±20 %.
    pub(super) fn failed(&mut self, error: &GatewayError, config: &GatewayConfig, chance: f64) -> Duration {
        self.failed += 1;
        let silent = matches!(error, GatewayError::NotReady { .. });
        self.silent = if silent { self.silent + 1 } else { 0 };
        let pause = if let GatewayError::ClientIdInUse { .. } = error {
            self.id_refused += 1;
            CLIENT_ID_PAUSE * self.id_refused.min(CLIENT_IDS)
        } else if self.is_wedged() {
            step(&WEDGED_PAUSES, self.silent - WEDGED_AFTER)
        } else {
            step(&PAUSES, self.failed - 1)
        };
        config.scaled(pause.mul_f64(0.8 + 0.4 * chance))
    }

    pub(super) fn is_wedged(&self) -> bool {
        self.silent >= WEDGED_AFTER
    }

    /// Another client id will be tried by itself.
    pub(super) fn has_other_id(&self) -> bool {
        !self.id_refused.is_multiple_of(CLIENT_IDS)
    }

    /// The session became usable.
    pub(super) fn succeeded(&mut self) {
        *self = Self { id_refused: self.id_refused, ..Self::default() };
    }
}

fn step(pauses: &[u64], at: u32) -> Duration {
    let at = usize::try_from(at).unwrap_or(usize::MAX).min(pauses.len() - 1);
    Duration::from_secs(pauses[at])
}

impl Phase {
    /// As told to others.
    pub(super) fn state(&self, attempts: &Attempts) -> State {
        match self {
            Self::Disabled => State::Disabled,
            Self::Waiting { .. } if attempts.is_wedged() => State::Wedged,
            Self::Waiting { .. } => State::Disconnected,
            Self::Connecting => State::Connecting,
            Self::Synchronising => State::Synchronising,
            Self::Ready => State::Ready,
            Self::Degraded { .. } => State::Degraded,
            Self::Stopped => State::Stopped,
        }
    }

    /// A request may bring the next attempt forward; not when the gateway is wedged, which more attempts would make
    /// worse, nor while a dead session of ours holds the client id.
    pub(super) fn may_hurry(&self, attempts: &Attempts) -> bool {
        let id_in_use = matches!(self, Self::Waiting { because: GatewayError::ClientIdInUse { .. }, .. });
        !attempts.is_wedged() && !id_in_use
    }

    /// A request waits: try sooner, if that is allowed.
    pub(super) fn hurry(&mut self, attempts: &Attempts, config: &GatewayConfig) {
        let allowed = self.may_hurry(attempts);
        if let Self::Waiting { until, failed_at, .. } = self
            && allowed
        {
            *until = (*until).min(*failed_at + config.scaled(PAUSE_MIN));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> GatewayConfig {
        GatewayConfig { enabled: true, host: "h".into(), port: 1, client_id: 7, time_scale: 1.0 }
    }

    fn silent() -> GatewayError {
        GatewayError::NotReady { address: "h:1".into(), why: "silence".into() }
    }

    #[test]
    fn pauses_grow_to_a_minute_and_start_again_after_success() {
        let mut attempts = Attempts::default();
        let pauses: Vec<u64> = (0..8).map(|_| attempts.failed(&GatewayError::Lost, &config(), 0.5).as_secs()).collect();
        assert_eq!(pauses, [2, 5, 10, 20, 30, 60, 60, 60]);
        attempts.succeeded();
        assert_eq!(attempts.failed(&GatewayError::Lost, &config(), 0.5).as_secs(), 2);
    }

    #[test]
    fn jitter_stays_within_a_fifth() {
        let pause = |chance| Attempts::default().failed(&GatewayError::Lost, &config(), chance);
        assert_eq!((pause(0.0), pause(1.0)), (Duration::from_millis(1600), Duration::from_millis(2400)));
    }

    #[test]
    fn two_silent_handshakes_mean_wedged_and_long_pauses() {
        let mut attempts = Attempts::default();
        let pauses: Vec<u64> = (0..5).map(|_| attempts.failed(&silent(), &config(), 0.5).as_secs()).collect();
        assert_eq!(pauses, [2, 60, 300, 900, 900]);
        assert!(attempts.is_wedged());
        attempts.failed(&GatewayError::Lost, &config(), 0.5);
        assert!(!attempts.is_wedged(), "it answered, if only to refuse");
    }

    #[test]
    fn three_client_ids_are_tried_and_no_fourth() {
        let mut attempts = Attempts::default();
        let ids: Vec<i32> = (0..5)
            .map(|_| {
                let id = attempts.client_id(7);
                attempts.failed(&GatewayError::ClientIdInUse { id }, &config(), 0.5);
                id
            })
            .collect();
        assert_eq!(ids, [7, 8, 9, 7, 8]);
    }

    #[test]
    fn a_waiting_request_shortens_a_pause_to_five_seconds_at_least() {
        let now = Instant::now();
        let waiting = |because| Phase::Waiting { until: now + Duration::from_mins(1), failed_at: now, because };
        let until = |phase: &Phase| match phase {
            Phase::Waiting { until, .. } => until.duration_since(now).as_secs(),
            _ => 0,
        };
        let mut attempts = Attempts::default();
        let mut phase = waiting(GatewayError::Lost);
        phase.hurry(&attempts, &config());
        assert_eq!(until(&phase), 5);
        attempts.failed(&silent(), &config(), 0.5);
        attempts.failed(&silent(), &config(), 0.5);
        let mut phase = waiting(silent());
        phase.hurry(&attempts, &config());
        assert_eq!(until(&phase), 60);
    }
}
