//! When a call leaves once more (pure).
//!
//! Why so and not otherwise: a start that timed out may have begun, so it is never repeated blindly; a refused connection
//! is always safe to repeat, and is.

use std::time::{Duration, Instant};

use super::Repeat;

/// How an attempt failed, as far as repeating it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    /// Nothing has left.
    NotSent,
    /// The connection broke after the request had left.
    Broken {
        /// It had been used before: the service may have closed it meanwhile.
        reused: bool,
    },
    /// No answer in time.
    TimedOut,
    /// 408, 429, 502, 503 or 504.
    Unavailable,
    /// Anything else: asking again brings the same.
    ForGood,
}

/// Whether the call may leave again.
pub(super) fn may_repeat(repeat: Repeat, failed: Failed) -> bool {
    match (failed, repeat) {
        (Failed::ForGood, _) => false,
        (Failed::NotSent, _) | (_, Repeat::Always) => true,
        (failed, Repeat::NotAfterTimeOut) => failed != Failed::TimedOut,
        (_, Repeat::NotSent) => false,
    }
}

/// How long to wait before attempt `attempt` (the first repeat is 1): 250 ms doubling to 10 s, spread evenly over the
/// whole of it, so that many clients of one service do not come back together. `random` is 0 to 1.
pub(super) fn pause(attempt: u32, retry_after: Option<Duration>, random: f64) -> Duration {
    const FIRST: Duration = Duration::from_millis(250);
    const LONGEST: Duration = Duration::from_secs(10);
    let longest = FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST);
    let own = longest.mul_f64(random.clamp(0.0, 1.0));
    // a service that says when, knows
    retry_after.map_or(own, |asked| asked.min(LONGEST).max(own))
}

/// Repeats must not become a load of their own: one for ten calls, and three a second in any case.
#[derive(Debug)]
pub(super) struct Budget {
    tokens: f64,
    at: Instant,
}

impl Budget {
    const MOST: f64 = 20.0;
    const PER_CALL: f64 = 0.1;
    const PER_SECOND: f64 = 3.0;

    pub(super) fn new(now: Instant) -> Self {
        Self { tokens: Self::MOST, at: now }
    }

    /// A first attempt.
    pub(super) fn called(&mut self) {
        self.tokens = (self.tokens + Self::PER_CALL).min(Self::MOST);
    }

    /// Takes a repeat out, if there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        (self.tokens, self.at) = ((self.tokens + Self::PER_SECOND * since).min(Self::MOST), now);
        let has = self.tokens >= 1.0;
        if has {
            self.tokens -= 1.0;
        }
        has
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Failed::{Broken, ForGood, NotSent, TimedOut, Unavailable};

    #[test]
    fn what_may_have_begun_is_not_asked_for_twice() {
        let broken = Broken { reused: true };
        for (repeat, allowed) in [
            (Repeat::NotSent, vec![NotSent]),
            (Repeat::NotAfterTimeOut, vec![NotSent, broken, Unavailable]),
            (Repeat::Always, vec![NotSent, broken, Unavailable, TimedOut]),
        ] {
            for failed in [NotSent, broken, TimedOut, Unavailable, ForGood] {
                assert_eq!(may_repeat(repeat, failed), allowed.contains(&failed), "{repeat:?} {failed:?}");
            }
        }
    }

    #[test]
    fn pauses_grow_to_ten_seconds_and_obey_the_service() {
        let ms = |attempt, after, random| pause(attempt, after, random).as_millis();
        assert_eq!([ms(1, None, 1.0), ms(2, None, 1.0), ms(9, None, 1.0)], [250, 500, 10_000]);
        assert_eq!([ms(1, None, 0.0), ms(40, None, 0.5)], [0, 5_000]);
        assert_eq!(ms(1, Some(Duration::from_secs(2)), 0.0), 2_000);
        assert_eq!(ms(1, Some(Duration::from_hours(1)), 0.0), 10_000);
    }

    #[test]
    fn repeats_stay_few_however_many_calls_fail() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        let mut repeats = 0;
        for call in 0..1_000_u32 {
            budget.called();
            let now = start + Duration::from_millis(u64::from(call));
            repeats += u32::from(budget.take(now)) + u32::from(budget.take(now));
        }
        // 20 at the start, 100 for the calls, 3 for the second
        assert!((120..=124).contains(&repeats), "{repeats}");
    }
}
