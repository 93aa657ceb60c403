//! When the next request may leave (pure): IB's rules as a function of what was sent before.
//!
//! IB counts per login, over all its clients, and refuses for minutes once a rule is broken; so the rules are kept
//! before sending. Source: IB's page on historical data limitations; rule by rule in `Rules`.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::GatewayConfig;

/// The limits in force.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// The same request again: IB says 15 s.
    identical: Duration,
    /// "Six or more for the same contract, exchange and tick type within two seconds" are refused, so five.
    burst: (usize, Duration),
    /// Sixty in ten minutes for bars of 30 s and less; two are left for other programs on the login.
    window: (usize, Duration),
    /// Larger bars have no published limit, but answers slow down when too many are asked for. All contracts together
    /// get what IB grants one contract for small bars.
    larger: (usize, Duration),
    /// First pause after a refusal in spite of all this; doubled up to `pause_max`.
    pause: Duration,
    pause_max: Duration,
}

impl Rules {
    pub(super) fn new(config: &GatewayConfig) -> Self {
        let seconds = |seconds| config.scaled(Duration::from_secs(seconds));
        Self {
            identical: seconds(15),
            burst: (5, seconds(2)),
            window: (58, seconds(600)),
            larger: (5, seconds(2)),
            pause: seconds(60),
            pause_max: seconds(600),
        }
    }
}

/// What the rules look at in one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Footprint {
    /// Equal for equal requests.
    pub(super) request: u64,
    /// Equal for equal contract, exchange and kind of price.
    pub(super) subject: u64,
    /// For bars of 30 s and less.
    pub(super) small: bool,
}

/// The log of departures.
#[derive(Debug)]
pub(super) struct Pacer {
    rules: Rules,
    sent: VecDeque<(Instant, Footprint)>,
    paused_until: Option<Instant>,
    last_pause: Duration,
}

impl Pacer {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, sent: VecDeque::new(), paused_until: None, last_pause: Duration::ZERO }
    }

    /// The first moment, not before `now`, at which `next` breaks no rule.
    pub(super) fn earliest(&self, next: &Footprint, now: Instant) -> Instant {
        let rules = &self.rules;
        let identical = self.after(1, rules.identical, |sent| sent.request == next.request);
        let burst = self.after(rules.burst.0, rules.burst.1, |sent| sent.subject == next.subject);
        let (count, per) = if next.small { rules.window } else { rules.larger };
        let window = self.after(count, per, |sent| sent.small == next.small);
        [identical, burst, window, self.paused_until].into_iter().flatten().fold(now, Instant::max)
    }

    /// When fewer than `count` of those that `match_` will lie within `per`.
    fn after(&self, count: usize, per: Duration, matches: impl Fn(&Footprint) -> bool) -> Option<Instant> {
        let departure = self.sent.iter().rev().filter(|(_, sent)| matches(sent)).nth(count - 1);
        departure.map(|(at, _)| *at + per)
    }

    /// `footprint` leaves at `now`.
    pub(super) fn record(&mut self, footprint: Footprint, now: Instant) {
        self.sent.push_back((now, footprint));
        let longest = self.rules.window.1.max(self.rules.identical);
        while self.sent.front().is_some_and(|(at, _)| now.duration_since(*at) > longest) {
            self.sent.pop_front();
        }
    }

    /// The gateway refused all the same: stop for a while, longer each time.
    pub(super) fn refused(&mut self, now: Instant) {
        self.last_pause = (self.last_pause * 2).clamp(self.rules.pause, self.rules.pause_max);
        self.paused_until = Some(now + self.last_pause);
    }

    /// An answer came: the next refusal starts from the shortest pause.
    pub(super) fn answered(&mut self) {
        self.last_pause = Duration::ZERO;
    }

    /// Requests for small bars within the window, and how many are allowed.
    pub(super) fn window(&self, now: Instant) -> (usize, usize) {
        let (limit, per) = self.rules.window;
        let used = self.sent.iter().filter(|(at, sent)| sent.small && now.duration_since(*at) < per).count();
        (used, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules() -> Rules {
        Rules::new(&GatewayConfig { enabled: true, host: String::new(), port: 1, client_id: 1, time_scale: 1.0 })
    }

    fn any_footprint() -> impl Strategy<Value = Footprint> {
        (0_u64..6, 0_u64..2, any::<bool>()).prop_map(|(request, subject, small)| Footprint { request, subject, small })
    }

    proptest! {
        /// The oracle looks at every pair of departures; the pacer never does.
        #[test]
        fn no_rule_is_ever_broken(asks in prop::collection::vec((0_u64..3_000, any_footprint()), 1..150)) {
            let mut pacer = Pacer::new(rules());
            let (mut now, mut log) = (Instant::now(), Vec::new());
            for (gap, footprint) in asks {
                now = pacer.earliest(&footprint, now + Duration::from_millis(gap));
                pacer.record(footprint, now);
                log.push((now, footprint));
            }
            for (at, (sent, one)) in log.iter().enumerate() {
                let within = |seconds: u64, fits: &dyn Fn(&Footprint) -> bool| {
                    let limit = Duration::from_secs(seconds);
                    log[..=at].iter().filter(|(other, two)| sent.duration_since(*other) < limit && fits(two)).count()
                };
                prop_assert!(within(15, &|two| two.request == one.request) <= 1);
                prop_assert!(within(2, &|two| two.subject == one.subject) <= 5);
                prop_assert!(within(600, &|two| two.small && one.small) <= 58);
                prop_assert!(within(2, &|two| !two.small && !one.small) <= 5);
            }
        }
    }

    #[test]
    fn a_refusal_pauses_everything_and_the_next_one_pauses_longer() {
        let (mut pacer, now) = (Pacer::new(rules()), Instant::now());
        let any = Footprint { request: 1, subject: 1, small: false };
        pacer.refused(now);
        assert_eq!(pacer.earliest(&any, now), now + Duration::from_mins(1));
        pacer.refused(now);
        assert_eq!(pacer.earliest(&any, now), now + Duration::from_mins(2));
        pacer.answered();
        pacer.refused(now);
        assert_eq!(pacer.earliest(&any, now), now + Duration::from_mins(1));
    }
}
