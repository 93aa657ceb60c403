//! From what is told of running bars to bars that are over (pure): ascending, each once, and what a lost subscription
//! left out is known.
//!
//! A bar is over when a later one begins. Not here: where the states come from and how a hole is filled (`follow`).

use crate::{
    gateway::comes_closed,
    market_data::closing::is_one_bar,
    model::{Bar, Bars, Nanos, TimeRange, Timeframe},
};

/// One series as its subscriptions tell it.
#[derive(Debug)]
pub(super) struct Assembly {
    timeframe: Timeframe,
    /// Start of the last closed bar that was given.
    given: Option<Nanos>,
    running: Option<Bar>,
    /// The subscription is a new one: bars may be missing before the first that it tells.
    resumed: bool,
    /// The bar that starts then could not be used, and was not told again yet.
    spoiled: Option<Nanos>,
    /// One may be missing before the next that is given.
    gap_before: bool,
}

impl Assembly {
    pub(super) fn new(timeframe: Timeframe) -> Self {
        Self { timeframe, given: None, running: None, resumed: false, spoiled: None, gap_before: false }
    }

    /// Start of the last closed bar that was given.
    pub(super) fn given(&self) -> Option<Nanos> {
        self.given
    }

    /// The bar that is still open, as it was told last.
    pub(super) fn running(&self) -> Option<Bar> {
        self.running
    }

    /// The subscription was lost. What was told of the running bar will be told again, or is in the hole.
    pub(super) fn interrupted(&mut self) {
        (self.running, self.spoiled, self.resumed) = (None, None, true);
    }

    /// Whether the bar before this one was not told: those of five seconds come without a break, others are told again
    /// until they are over.
    pub(super) fn leaves_out_before(&self, start: Nanos) -> bool {
        let skips = |given: Nanos| start > given.saturating_add(self.timeframe.step());
        let skipped = comes_closed(self.timeframe) && self.given.is_some_and(skips);
        skipped || self.spoiled.is_some_and(|spoiled| spoiled != start)
    }

    /// What may be missing before the first bar that a new subscription tells, to be asked of history; once.
    pub(super) fn hole_before(&mut self, first: Nanos) -> Option<TimeRange> {
        let given = self.given.filter(|_| std::mem::take(&mut self.resumed))?;
        let next = if self.timeframe.is_intraday() { self.timeframe.step() } else { 1 };
        if first <= given.saturating_add(next) {
            return None;
        }
        TimeRange::new(given.saturating_add(1), first).ok()
    }

    /// A bar may be missing before the next one that is given.
    pub(super) fn leave_gap(&mut self) {
        self.gap_before = true;
    }

    /// Whether a bar may be missing before the one that is given now; told once.
    pub(super) fn take_gap(&mut self) -> bool {
        std::mem::take(&mut self.gap_before)
    }

    /// Sorted closed bars from history: those that were not given yet.
    pub(super) fn history(&mut self, bars: &Bars) -> Bars {
        let from = self.given.map_or(0, |given| bars.start.partition_point(|start| *start <= given));
        let new = bars.slice(from..bars.len());
        self.given = new.start.last().copied().or(self.given);
        self.running = self.running.filter(|running| self.given.is_none_or(|given| running.start > given));
        new
    }

    /// The first answer of a subscription: its last bar may still be running. The closed ones that were not given yet.
    pub(super) fn opening(&mut self, bars: &Bars) -> Bars {
        let Some(last) = bars.len().checked_sub(1) else { return Bars::default() };
        let closed = self.history(&bars.slice(0..last));
        let running = bars.at(last);
        self.running = Some(running).filter(|running| self.given.is_none_or(|given| running.start > given));
        closed
    }

    /// A state of a bar; the bar that is over now, if one is. What is told of bars before the running one is too late.
    pub(super) fn bar(&mut self, bar: Bar) -> Option<Bar> {
        let latest = self.running.map(|running| running.start).max(self.given);
        let is_running = self.running.is_some_and(|running| running.start == bar.start);
        if !is_running && latest.is_some_and(|latest| bar.start <= latest) {
            return None;
        }
        if comes_closed(self.timeframe) {
            self.given = Some(bar.start);
            return Some(bar);
        }
        self.spoiled = None;
        let before = self.running.replace(bar).filter(|before| !is_one_bar(before.start, bar.start, self.timeframe))?;
        self.given = Some(before.start);
        Some(before)
    }

    /// The running bar is over though none follows.
    pub(super) fn close_running(&mut self) -> Option<Bar> {
        let bar = self.running.take()?;
        self.given = Some(bar.start);
        Some(bar)
    }

    /// A state of a bar could not be used. Unless it is told again, that bar is not known. The bar before it is over.
    pub(super) fn spoil(&mut self, start: Nanos) -> Option<Bar> {
        if comes_closed(self.timeframe) || self.given.is_some_and(|given| start <= given) {
            return None;
        }
        self.spoiled = Some(start);
        let before = self.running.take().filter(|running| running.start < start)?;
        self.given = Some(before.start);
        Some(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DAY, MINUTE, SECOND};
    use proptest::prelude::*;

    fn bar(minute: i64, close: i32) -> Bar {
        let close = f64::from(close);
        Bar { start: minute * MINUTE, open: close, high: close, low: close, close, volume: None }
    }

    fn starts(bars: &Bars) -> Vec<i64> {
        bars.start.iter().map(|start| start / MINUTE).collect()
    }

    fn minutes(range: Option<TimeRange>) -> Option<(i64, i64)> {
        range.map(|range| (range.start() / MINUTE, range.end() / MINUTE))
    }

    #[test]
    fn a_bar_is_given_when_the_next_one_begins_as_it_was_told_last() {
        let mut assembly = Assembly::new(Timeframe::Minutes1);
        let opening: Bars = [bar(1, 1), bar(2, 2), bar(3, 3)].into_iter().collect();
        assert_eq!(starts(&assembly.opening(&opening)), [1, 2]);
        assert_eq!(assembly.bar(bar(3, 4)), None);
        assert_eq!(assembly.bar(bar(4, 5)), Some(bar(3, 4)));
        assert_eq!(assembly.bar(bar(3, 9)), None, "too late");
        assert_eq!(assembly.running(), Some(bar(4, 5)));
        assert_eq!(assembly.close_running(), Some(bar(4, 5)));
        assert_eq!(assembly.bar(bar(4, 6)), None, "given already");
    }

    #[test]
    fn bars_of_five_seconds_are_given_at_once() {
        let mut assembly = Assembly::new(Timeframe::Seconds5);
        let five = |nth: i64| Bar { start: nth * 5 * SECOND, ..bar(0, 1) };
        assert_eq!(assembly.bar(five(1)), Some(five(1)));
        assert_eq!(assembly.bar(five(1)), None);
        assembly.interrupted();
        assert_eq!(assembly.hole_before(five(2).start), None, "the next one");
        assembly.interrupted();
        let hole = assembly.hole_before(five(4).start).unwrap();
        assert!(!hole.contains(five(1).start) && hole.contains(five(2).start) && hole.contains(five(3).start));
        assert!(!hole.contains(five(4).start));
        assert_eq!(assembly.hole_before(five(4).start), None, "asked once");
        assert_eq!(assembly.history(&[five(1), five(2), five(3)].into_iter().collect()).len(), 2);
    }

    #[test]
    fn a_first_answer_that_reaches_back_leaves_no_hole() {
        let mut assembly = Assembly::new(Timeframe::Minutes1);
        assembly.opening(&[bar(1, 1), bar(2, 2)].into_iter().collect());
        assert_eq!(minutes(assembly.hole_before(5 * MINUTE)), None, "never lost");
        assembly.interrupted();
        assert_eq!(minutes(assembly.hole_before(MINUTE)), None);
        assert_eq!(
            starts(&assembly.opening(&[bar(1, 1), bar(2, 7), bar(3, 3), bar(4, 4)].into_iter().collect())),
            [2, 3]
        );
        assembly.interrupted();
        assert_eq!(minutes(assembly.hole_before(9 * MINUTE)), Some((3, 9)));
        assert_eq!(assembly.running(), None);
    }

    #[test]
    fn what_could_not_be_read_is_known_to_be_missing() {
        let mut assembly = Assembly::new(Timeframe::Minutes1);
        assembly.bar(bar(1, 1));
        assert_eq!(assembly.spoil(MINUTE), None);
        assembly.bar(bar(1, 2));
        assert_eq!((assembly.bar(bar(2, 3)), assembly.take_gap()), (Some(bar(1, 2)), false), "told again");
        assert_eq!((assembly.spoil(3 * MINUTE), assembly.take_gap()), (Some(bar(2, 3)), false));
        assert!(assembly.leaves_out_before(4 * MINUTE) && !assembly.leaves_out_before(3 * MINUTE));
        assembly.interrupted();
        assert_eq!(minutes(assembly.hole_before(4 * MINUTE)), Some((2, 4)), "after the second, before the fourth");
        assert!(!assembly.leaves_out_before(4 * MINUTE), "known now");
        let mut assembly = Assembly::new(Timeframe::Seconds5);
        let five = |nth: i64| Bar { start: nth * 5 * SECOND, ..bar(0, 1) };
        assembly.bar(five(1));
        assert_eq!(assembly.spoil(five(2).start), None);
        assert!(assembly.leaves_out_before(five(3).start) && !assembly.leaves_out_before(five(2).start));
    }

    #[test]
    fn a_week_whose_label_moves_is_still_running() {
        let mut assembly = Assembly::new(Timeframe::Weeks1);
        let day = |day: i64, close| Bar { start: day * DAY, ..bar(0, close) };
        // 20,241 days after 1970 is a Monday
        assert_eq!(assembly.bar(day(20_241, 1)), None);
        assert_eq!(assembly.bar(day(20_243, 2)), None);
        assert_eq!(assembly.bar(day(20_248, 3)), Some(day(20_243, 2)));
    }

    /// What a gateway tells: an opening, or a state.
    #[derive(Debug, Clone)]
    enum Told {
        State(i64, i32),
        /// Lost, and again: history of so many minutes up to the running one.
        Again(usize, i64),
    }

    fn told() -> impl Strategy<Value = Vec<Told>> {
        let state = (0..3i64, 0..100).prop_map(|(ahead, close)| Told::State(ahead, close));
        let again = (0..6usize, 0..8i64).prop_map(|(length, ahead)| Told::Again(length, ahead));
        prop::collection::vec(prop_oneof![5 => state, 1 => again], 0..60)
    }

    proptest! {
        /// Whatever is lost in between: ascending, none twice, none left out, each as the gateway had it in the end.
        #[test]
        fn each_minute_is_given_once_and_whole(story in told()) {
            let mut assembly = Assembly::new(Timeframe::Minutes1);
            // the truth: one bar a minute, as it ended
            let (mut truth, mut given) = (vec![bar(0, 0)], Bars::default());
            let ahead = |truth: &mut Vec<Bar>, by: i64| (0..by).for_each(|_| {
                let next = i64::try_from(truth.len()).unwrap();
                truth.push(bar(next, 0));
            });
            assembly.bar(truth[0]);
            for one in story {
                match one {
                    Told::State(by, close) => {
                        // a stream tells each bar at least once
                        for _ in 0..by {
                            ahead(&mut truth, 1);
                            given.extend_with(assembly.bar(*truth.last().unwrap()));
                        }
                        let last = truth.len() - 1;
                        truth[last] = bar(i64::try_from(last).unwrap(), close);
                        given.extend_with(assembly.bar(truth[last]));
                    }
                    Told::Again(length, by) => {
                        assembly.interrupted();
                        ahead(&mut truth, by);
                        let opening: Bars = truth[truth.len().saturating_sub(length)..].iter().copied().collect();
                        let first = opening.start.first().copied();
                        if let Some(hole) = first.and_then(|first| assembly.hole_before(first)) {
                            let filled = truth.iter().copied().filter(|bar| hole.contains(bar.start)).collect();
                            given.extend_with(assembly.history(&filled).iter());
                        }
                        given.extend_with(assembly.opening(&opening).iter());
                        // without an answer, the hole is known when the next bar comes
                        let last = *truth.last().unwrap();
                        if let Some(hole) = assembly.hole_before(last.start) {
                            let filled = truth.iter().copied().filter(|bar| hole.contains(bar.start)).collect();
                            given.extend_with(assembly.history(&filled).iter());
                        }
                        given.extend_with(assembly.bar(last));
                    }
                }
            }
            prop_assert!(given.is_sorted());
            let wanted: Bars = truth[..truth.len() - 1].iter().copied().collect();
            // before the first given bar nothing was promised
            let from = given.start.first().map_or(wanted.len(), |first| usize::try_from(first / MINUTE).unwrap());
            prop_assert_eq!(given, wanted.slice(from..wanted.len()));
        }
    }

    trait ExtendWith {
        fn extend_with(&mut self, bars: impl IntoIterator<Item = Bar>);
    }

    impl ExtendWith for Bars {
        fn extend_with(&mut self, bars: impl IntoIterator<Item = Bar>) {
            bars.into_iter().for_each(|bar| self.push(bar));
        }
    }
}
