//! When the next request may leave (pure): IB's rules as a function of the log of departures.
//!
//! IB counts per login, over all its clients, and refuses for minutes once a rule is broken; so the rules are kept
//! before sending. Source: IB's page on historical data limitations; rule by rule in `Rules`.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{GatewayConfig, Origin};

/// Two requests that leave so far apart may arrive closer together: the first may be held up on its way, on a busy machine
/// by much more than this. So it is multiplied where that costs little. Real time, whatever the time scale.
const JITTER: Duration = Duration::from_millis(25);

/// The limits in force.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// The same request again: IB says 15 s.
    identical: Duration,
    /// "Six or more for the same contract, exchange and tick type within two seconds" are refused, so five.
    burst: (u32, Duration),
    /// Sixty in ten minutes for bars of 30 s and less; two are left for other programs on the login.
    window: (u32, Duration),
    /// Larger bars have no published limit, but answers slow down when too many are asked for. All contracts together
    /// get what IB grants one contract for small bars.
    larger: (u32, Duration),
    /// First pause after a refusal in spite of all this; doubled up to `pause_max`.
    pause: Duration,
    pause_max: Duration,
    /// After a refusal somebody else spends the budget too: half of it is enough for so long.
    slow: Duration,
}

impl Rules {
    pub(super) fn new(config: &GatewayConfig) -> Self {
        let seconds = |seconds| config.scaled(Duration::from_secs(seconds));
        Self {
            identical: seconds(15) + 10 * JITTER,
            burst: (5, seconds(2) + JITTER),
            window: (58, seconds(600) + 2 * JITTER),
            larger: (5, seconds(2) + JITTER),
            pause: seconds(60),
            pause_max: seconds(600),
            slow: seconds(3_600),
        }
    }

    fn halved(self) -> Self {
        let half = |(count, per): (u32, Duration)| (count / 2, per);
        Self { window: half(self.window), larger: half(self.larger), ..self }
    }
}

/// What the rules look at in one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Footprint {
    /// Equal for equal requests.
    pub(super) request: Arc<str>,
    /// Equal for equal contract, exchange and kind of price.
    pub(super) subject: Arc<str>,
    /// For bars of 30 s and less.
    pub(super) small: bool,
    /// How often it counts: IB counts bid and ask together as two.
    pub(super) weight: u32,
}

/// One request that left, or is about to.
#[derive(Debug, Clone)]
pub(super) struct Departure {
    pub(super) at: Instant,
    pub(super) footprint: Footprint,
    pub(super) origin: Origin,
}

/// The log of departures, oldest first, and what refusals have taught.
#[derive(Debug, Clone)]
pub(super) struct Pacer {
    rules: Rules,
    log: VecDeque<Departure>,
    paused_until: Option<Instant>,
    slow_until: Option<Instant>,
    last_pause: Duration,
}

/// How much of the ten minutes' budget is spent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) used: u32,
    pub(super) limit: u32,
    /// Who spent it.
    pub(super) users: BTreeMap<Origin, u32>,
}

impl Pacer {
    /// `log`: what an earlier life sent, oldest first.
    pub(super) fn new(rules: Rules, log: VecDeque<Departure>) -> Self {
        Self { rules, log, paused_until: None, slow_until: None, last_pause: Duration::ZERO }
    }

    fn rules(&self, now: Instant) -> Rules {
        if self.is_slow(now) { self.rules.halved() } else { self.rules }
    }

    /// The first moment, not before `now`, at which `next` breaks no rule.
    pub(super) fn earliest(&self, next: &Footprint, now: Instant) -> Instant {
        let rules = self.rules(now);
        let identical = self.after((1, rules.identical), 1, |sent| sent.request == next.request);
        let burst = self.after(rules.burst, next.weight, |sent| sent.subject == next.subject);
        let limit = if next.small { rules.window } else { rules.larger };
        let window = self.after(limit, next.weight, |sent| sent.small == next.small);
        [identical, burst, window, self.paused_until].into_iter().flatten().fold(now, Instant::max)
    }

    /// When `weight` more fits into `limit`, among those that `matches`.
    fn after(
        &self,
        (limit, per): (u32, Duration),
        weight: u32,
        matches: impl Fn(&Footprint) -> bool,
    ) -> Option<Instant> {
        let mut sum = weight;
        let mut matching = self.log.iter().rev().filter(|sent| matches(&sent.footprint));
        matching
            .find(|sent| {
                sum += sent.footprint.weight;
                sum > limit
            })
            .map(|sent| sent.at + per)
    }

    /// A request leaves at `now`, not before any other of the log.
    pub(super) fn record(&mut self, footprint: Footprint, origin: Origin, now: Instant) {
        self.log.push_back(Departure { at: now, footprint, origin });
        let longest = self.rules.window.1.max(self.rules.identical);
        while self.log.front().is_some_and(|sent| now.saturating_duration_since(sent.at) > longest) {
            self.log.pop_front();
        }
    }

    /// A request that was recorded leaves only now.
    pub(super) fn delayed(&mut self, footprint: &Footprint, now: Instant) {
        if let Some(at) = self.log.iter().rposition(|sent| sent.footprint == *footprint)
            && let Some(mut departure) = self.log.remove(at)
        {
            departure.at = now;
            self.log.push_back(departure);
        }
    }

    /// When each of `queue` may leave if nothing else comes.
    pub(super) fn forecast<'a>(&self, queue: impl Iterator<Item = &'a Footprint>, now: Instant) -> Vec<Instant> {
        let (mut imagined, mut last) = (self.clone(), now);
        queue
            .map(|footprint| {
                last = imagined.earliest(footprint, last);
                imagined.record(footprint.clone(), Origin::Daemon, last);
                last
            })
            .collect()
    }

    /// The gateway refused all the same: stop for a while, longer each time, and ask for half as much afterwards.
    pub(super) fn refused(&mut self, now: Instant) {
        self.last_pause = (self.last_pause * 2).clamp(self.rules.pause, self.rules.pause_max);
        self.paused_until = Some(now + self.last_pause);
        self.slow_until = Some(now + self.last_pause + self.rules.slow);
    }

    /// Nothing leaves for so long.
    pub(super) fn pause(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// An answer came: the next refusal starts from the shortest pause.
    pub(super) fn answered(&mut self) {
        self.last_pause = Duration::ZERO;
    }

    /// Until when nothing leaves because of a refusal.
    pub(super) fn paused_until(&self, now: Instant) -> Option<Instant> {
        self.paused_until.filter(|until| *until > now)
    }

    /// A refusal has halved the budget.
    pub(super) fn is_slow(&self, now: Instant) -> bool {
        self.slow_until.is_some_and(|until| until > now)
    }

    /// Requests for small bars within the window, and how many are allowed.
    pub(super) fn budget(&self, now: Instant) -> Budget {
        let (limit, per) = self.rules(now).window;
        let mut budget = Budget { limit, ..Budget::default() };
        let counted = |sent: &&Departure| sent.footprint.small && now.saturating_duration_since(sent.at) < per;
        for sent in self.log.iter().filter(counted) {
            budget.used += sent.footprint.weight;
            *budget.users.entry(sent.origin.clone()).or_default() += sent.footprint.weight;
        }
        budget
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pacer() -> Pacer {
        Pacer::new(Rules::new(&GatewayConfig::on("h", 1, 1)), VecDeque::new())
    }

    fn footprint(request: u64, subject: u64, small: bool, weight: u32) -> Footprint {
        let text = |number: u64| number.to_string().into();
        Footprint { request: text(request), subject: text(subject), small, weight }
    }

    fn any_footprint() -> impl Strategy<Value = Footprint> {
        (0_u64..6, 0_u64..2, any::<bool>(), 1_u32..3)
            .prop_map(|(request, subject, small, weight)| footprint(request, subject, small, weight))
    }

    proptest! {
        /// The oracle looks at every pair of departures; the pacer never does. A restart in between changes nothing.
        #[test]
        fn no_rule_is_ever_broken(
            asks in prop::collection::vec((0_u64..3_000, any_footprint()), 1..150),
            restart_at in 0_usize..150,
        ) {
            let mut pacer = pacer();
            let (mut now, mut log) = (Instant::now(), Vec::new());
            for (nth, (gap, footprint)) in asks.into_iter().enumerate() {
                if nth == restart_at {
                    pacer = Pacer::new(pacer.rules, pacer.log);
                }
                now = pacer.earliest(&footprint, now + Duration::from_millis(gap));
                pacer.record(footprint.clone(), Origin::Person, now);
                log.push((now, footprint));
            }
            for (at, (sent, one)) in log.iter().enumerate() {
                let within = |seconds: u64, fits: &dyn Fn(&Footprint) -> bool| -> u32 {
                    let limit = Duration::from_secs(seconds);
                    let close = log[..=at].iter().filter(|(other, two)| sent.duration_since(*other) < limit && fits(two));
                    close.map(|(_, two)| two.weight).sum()
                };
                prop_assert!(within(15, &|two| two.request == one.request) <= one.weight);
                prop_assert!(within(2, &|two| two.subject == one.subject) <= 5);
                prop_assert!(within(600, &|two| two.small && one.small) <= 58);
                prop_assert!(within(2, &|two| !two.small && !one.small) <= 5);
            }
        }

        /// What is told is what happens when nothing else comes.
        #[test]
        fn the_forecast_comes_true(asks in prop::collection::vec(any_footprint(), 1..80)) {
            let (mut pacer, mut now) = (pacer(), Instant::now());
            let told = pacer.forecast(asks.iter(), now);
            for (footprint, told) in asks.into_iter().zip(told) {
                now = pacer.earliest(&footprint, now);
                prop_assert_eq!(now, told);
                pacer.record(footprint, Origin::Person, now);
            }
        }

        /// A load that always has a request ready spends nearly all of what IB allows: 57 of 60 are 95 %.
        #[test]
        fn the_budget_is_spent(gaps in prop::collection::vec(0_u64..50, 300)) {
            let (mut pacer, start) = (pacer(), Instant::now());
            let (mut now, mut sent) = (start, Vec::new());
            for (nth, gap) in gaps.into_iter().enumerate() {
                let next = footprint(nth as u64, 1, true, 1);
                now = pacer.earliest(&next, now + Duration::from_millis(gap));
                pacer.record(next, Origin::Person, now);
                sent.push(now);
            }
            for window in 0..3 {
                let from = start + Duration::from_mins(10 * window);
                let count = sent.iter().filter(|at| **at >= from && **at < from + Duration::from_mins(10)).count();
                prop_assert!(count >= 57, "{count}");
            }
        }
    }

    #[test]
    fn a_refusal_pauses_everything_then_halves_the_budget_and_the_next_one_pauses_longer() {
        let (mut pacer, now) = (pacer(), Instant::now());
        let any = footprint(1, 1, false, 1);
        pacer.refused(now);
        assert_eq!(pacer.earliest(&any, now), now + Duration::from_mins(1));
        assert_eq!(pacer.budget(now).limit, 29);
        assert!(!pacer.is_slow(now + Duration::from_mins(62)));
        pacer.refused(now);
        assert_eq!(pacer.earliest(&any, now), now + Duration::from_mins(2));
        pacer.answered();
        pacer.refused(now);
        assert_eq!(pacer.earliest(&any, now), now + Duration::from_mins(1));
    }

    #[test]
    fn a_departure_that_was_held_up_counts_from_when_it_really_left() {
        let (mut pacer, now) = (pacer(), Instant::now());
        let one = footprint(1, 1, true, 1);
        pacer.record(one.clone(), Origin::Person, now);
        pacer.delayed(&one, now + Duration::from_secs(3));
        assert_eq!(pacer.earliest(&one, now), now + Duration::from_secs(18) + 10 * JITTER);
    }

    #[test]
    fn the_budget_names_who_spent_it() {
        let (mut pacer, now) = (pacer(), Instant::now());
        let load = Origin::Operation("op_load_1".into());
        (0..3).for_each(|nth| pacer.record(footprint(nth, nth, true, 1), load.clone(), now));
        pacer.record(footprint(9, 9, true, 2), Origin::Person, now);
        pacer.record(footprint(10, 10, false, 1), Origin::Person, now);
        let users = BTreeMap::from([(Origin::Person, 2), (load, 3)]);
        assert_eq!(pacer.budget(now), Budget { used: 5, limit: 58, users });
        assert_eq!(pacer.budget(now + Duration::from_secs(601)).used, 0);
    }
}
