//! What failed attempts to connect have taught (pure): the pause before the next one, and with which client id.
//!
//! Every attempt costs a gateway a place among its 32, and half-finished handshakes wedge it for everybody; so pauses
//! grow, ids are few, and nothing is forgotten before a session has held.

use std::time::{Duration, Instant};

use super::{GatewayConfig, GatewayError};

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
/// A session that was lost sooner than this has proved nothing.
const PROVEN_AFTER: Duration = Duration::from_mins(1);

/// Failures since a session last held.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    failed: u32,
    silent: u32,
    id_refused: u32,
    since: Option<Instant>,
    ready_at: Option<Instant>,
}

impl Attempts {
    /// Which of the allowed ids the next attempt uses.
    pub(super) fn client_id(&self, first: i32) -> i32 {
        first.saturating_add(i32::try_from(self.id_refused % CLIENT_IDS).unwrap_or(0))
    }

    /// Takes a failure in; returns the pause before the next attempt. `chance` in 0..1 spreads pauses by ±20 %.
    pub(super) fn failed(
        &mut self,
        error: &GatewayError,
        config: &GatewayConfig,
        now: Instant,
        chance: f64,
    ) -> Duration {
        if self.ready_at.take().is_some_and(|ready| now.duration_since(ready) >= config.scaled(PROVEN_AFTER)) {
            *self = Self { id_refused: self.id_refused, ..Self::default() };
        }
        self.failed += 1;
        self.since.get_or_insert(now);
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

    /// How long there has been no session.
    pub(super) fn failing_for(&self, now: Instant) -> Duration {
        self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// Failures in a row.
    pub(super) fn count(&self) -> u32 {
        self.failed
    }

    /// The session became usable. It answered, so it is not wedged; pauses start from the shortest again once it has
    /// held for a while.
    pub(super) fn succeeded(&mut self, now: Instant) {
        (self.silent, self.since, self.ready_at) = (0, None, Some(now));
    }
}

fn step(pauses: &[u64], at: u32) -> Duration {
    let at = usize::try_from(at).unwrap_or(usize::MAX).min(pauses.len() - 1);
    Duration::from_secs(pauses[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> GatewayConfig {
        GatewayConfig::on("h", 1, 7)
    }

    fn silent() -> GatewayError {
        GatewayError::NotReady { address: "h:1".into(), why: "silence".into() }
    }

    fn pauses(attempts: &mut Attempts, error: &GatewayError, count: usize) -> Vec<u64> {
        let now = Instant::now();
        (0..count).map(|_| attempts.failed(error, &config(), now, 0.5).as_secs()).collect()
    }

    #[test]
    fn pauses_grow_to_a_minute_and_start_again_when_a_session_has_held() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        assert_eq!(pauses(&mut attempts, &GatewayError::Lost, 8), [2, 5, 10, 20, 30, 60, 60, 60]);
        let after = |attempts: &mut Attempts, held: u64| {
            attempts.succeeded(now);
            attempts.failed(&GatewayError::Lost, &config(), now + Duration::from_secs(held), 0.5).as_secs()
        };
        assert_eq!(after(&mut attempts, 59), 60, "a session that is lost at once proves nothing");
        assert_eq!(after(&mut attempts, 60), 2);
    }

    #[test]
    fn jitter_stays_within_a_fifth() {
        let pause = |chance| Attempts::default().failed(&GatewayError::Lost, &config(), Instant::now(), chance);
        assert_eq!((pause(0.0), pause(1.0)), (Duration::from_millis(1600), Duration::from_millis(2400)));
    }

    #[test]
    fn two_silent_handshakes_mean_wedged_and_long_pauses() {
        let mut attempts = Attempts::default();
        assert_eq!(pauses(&mut attempts, &silent(), 5), [2, 60, 300, 900, 900]);
        assert!(attempts.is_wedged());
        pauses(&mut attempts, &GatewayError::Lost, 1);
        assert!(!attempts.is_wedged(), "it answered, if only to refuse");
    }

    #[test]
    fn three_client_ids_are_tried_and_no_fourth() {
        let mut attempts = Attempts::default();
        let ids: Vec<i32> = (0..5)
            .map(|_| {
                let id = attempts.client_id(7);
                pauses(&mut attempts, &GatewayError::ClientIdInUse { id }, 1);
                id
            })
            .collect();
        assert_eq!(ids, [7, 8, 9, 7, 8]);
    }
}
