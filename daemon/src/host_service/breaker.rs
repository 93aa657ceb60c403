//! The circuit breaker (pure): a service that is away is not asked by everybody again and again.
//!
//! It opens after failures of the transport, never because of an answer that somebody does not like. While open, calls
//! fail at once; after a pause one call goes through as a probe.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// In a row.
const FAILURES: u32 = 5;
/// The same while a session runs there: the oldest services are silent for seconds then, and a restart takes them 14 s.
const FAILURES_WHILE_BUSY: u32 = 10;
/// Half of so many within [`RECENT`].
const RECENT_MIN: usize = 10;
const RECENT: Duration = Duration::from_secs(30);
const PAUSE_FIRST: Duration = Duration::from_secs(5);
const PAUSE_LONGEST: Duration = Duration::from_mins(1);

/// Its state.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Closed,
    Open {
        until: Instant,
        pause: Duration,
    },
    /// One call is on its way to find out.
    Probing {
        since: Instant,
        pause: Duration,
    },
}

/// Whether a call may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// Yes.
    Pass,
    /// Not before so long.
    Refuse(Duration),
}

#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
    in_a_row: u32,
    recent: VecDeque<(Instant, bool)>,
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self { state: State::Closed, in_a_row: 0, recent: VecDeque::new() }
    }

    /// `closed`, `open` or `half-open`.
    pub(super) fn word(&self) -> &'static str {
        match self.state {
            State::Closed => "closed",
            State::Open { .. } => "open",
            State::Probing { .. } => "half-open",
        }
    }

    /// Nobody is let through, or only one to find out.
    pub(super) fn is_open(&self) -> bool {
        self.state != State::Closed
    }

    /// One is on its way to find out.
    pub(super) fn is_probing(&self) -> bool {
        matches!(self.state, State::Probing { .. })
    }

    /// The one that was to find out has not: the next one may.
    pub(super) fn given_up(&mut self, now: Instant) {
        if let State::Probing { pause, .. } = self.state {
            self.state = State::Open { until: now, pause };
        }
    }

    /// May a call leave now? The first one after the pause is the probe; one that never came back is forgotten.
    pub(super) fn admit(&mut self, now: Instant) -> Admission {
        match self.state {
            State::Closed => Admission::Pass,
            State::Open { until, pause } if now >= until => {
                self.state = State::Probing { since: now, pause };
                Admission::Pass
            }
            State::Probing { since, pause } if now >= since + PAUSE_LONGEST => {
                self.state = State::Probing { since: now, pause };
                Admission::Pass
            }
            State::Open { until, .. } => Admission::Refuse(until - now),
            State::Probing { .. } => Admission::Refuse(PAUSE_FIRST),
        }
    }

    /// It answered, whatever it said.
    pub(super) fn succeeded(&mut self, now: Instant) {
        (self.state, self.in_a_row) = (State::Closed, 0);
        self.remember(now, true);
    }

    /// It did not. `random` is 0 to 1 and spreads the pause by a fifth to both sides.
    pub(super) fn failed(&mut self, now: Instant, busy: bool, random: f64) {
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.remember(now, false);
        let open_for = |pause: Duration| State::Open { until: now + pause.mul_f64(0.8 + 0.4 * random), pause };
        let failures = self.recent.iter().filter(|(_, good)| !good).count();
        let often = self.recent.len() >= RECENT_MIN && failures * 2 >= self.recent.len() && !busy;
        self.state = match self.state {
            State::Probing { pause, .. } => open_for((pause * 2).min(PAUSE_LONGEST)),
            State::Closed if often || self.in_a_row >= if busy { FAILURES_WHILE_BUSY } else { FAILURES } => {
                open_for(PAUSE_FIRST)
            }
            same => same,
        };
    }

    fn remember(&mut self, now: Instant, good: bool) {
        self.recent.push_back((now, good));
        while self.recent.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > RECENT) {
            self.recent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn fail(breaker: &mut Breaker, now: Instant, times: u32, busy: bool) {
        (0..times).for_each(|_| breaker.failed(now, busy, 0.5));
    }

    #[test]
    fn five_in_a_row_open_it_and_one_answer_closes_it() {
        let (start, mut breaker) = (Instant::now(), Breaker::new());
        fail(&mut breaker, start, 4, false);
        assert_eq!(breaker.admit(start), Admission::Pass);
        fail(&mut breaker, start, 1, false);
        assert_eq!((breaker.word(), breaker.admit(start)), ("open", Admission::Refuse(secs(5))));
        // one probe, and only one
        let later = start + secs(6);
        assert_eq!((breaker.admit(later), breaker.word()), (Admission::Pass, "half-open"));
        assert!(matches!(breaker.admit(later), Admission::Refuse(_)));
        breaker.succeeded(later);
        assert_eq!((breaker.word(), breaker.admit(later)), ("closed", Admission::Pass));
    }

    #[test]
    fn pauses_double_to_a_minute() {
        let (mut now, mut breaker) = (Instant::now(), Breaker::new());
        fail(&mut breaker, now, 5, false);
        for pause in [5, 10, 20, 40, 60, 60] {
            assert_eq!(breaker.admit(now), Admission::Refuse(secs(pause)));
            now += secs(pause);
            assert_eq!(breaker.admit(now), Admission::Pass);
            breaker.failed(now, false, 0.5);
        }
    }

    #[test]
    fn a_service_at_work_is_given_more_time() {
        let (start, mut breaker) = (Instant::now(), Breaker::new());
        fail(&mut breaker, start, 9, true);
        assert_eq!(breaker.word(), "closed");
        fail(&mut breaker, start, 1, true);
        assert_eq!(breaker.word(), "open");
    }

    #[test]
    fn half_of_ten_within_half_a_minute_open_it() {
        let (start, mut breaker) = (Instant::now(), Breaker::new());
        for at in 0..5 {
            breaker.succeeded(start + secs(at));
            breaker.failed(start + secs(at), false, 0.5);
        }
        assert_eq!(breaker.word(), "open");
        let mut slow = Breaker::new();
        for at in 0..20 {
            slow.succeeded(start + secs(at * 10));
            slow.failed(start + secs(at * 10), false, 0.5);
        }
        assert_eq!(slow.word(), "closed", "eight within half a minute are too few to tell");
    }

    #[test]
    fn a_probe_that_was_given_up_leaves_the_next_one_to_find_out() {
        let (start, mut breaker) = (Instant::now(), Breaker::new());
        fail(&mut breaker, start, 5, false);
        assert_eq!(breaker.admit(start + secs(6)), Admission::Pass);
        assert!(breaker.is_probing() && breaker.is_open());
        breaker.given_up(start + secs(6));
        assert_eq!((breaker.word(), breaker.admit(start + secs(6))), ("open", Admission::Pass));
        breaker.succeeded(start + secs(6));
        breaker.given_up(start + secs(6));
        assert!(!breaker.is_open(), "after a verdict there is nothing to give up");
    }

    #[test]
    fn a_probe_that_never_came_back_is_forgotten() {
        let (start, mut breaker) = (Instant::now(), Breaker::new());
        fail(&mut breaker, start, 5, false);
        assert_eq!(breaker.admit(start + secs(6)), Admission::Pass);
        assert_eq!(breaker.admit(start + secs(66)), Admission::Pass);
    }
}
