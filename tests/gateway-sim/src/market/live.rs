//! A running bar as it grows, and the one after it.

use super::{Bar, BarQuery, BarSize, Market, Span, Stamp, period};

/// Follows one series from what was told of it last.
#[derive(Clone, Debug)]
pub(crate) struct Follower {
    query: BarQuery,
    last: Option<Bar>,
    /// When it was looked at last, epoch seconds.
    seen: i64,
}

impl Follower {
    /// `query` is the one that `last` was the last answer to.
    pub(crate) fn new(query: BarQuery, last: Option<Bar>) -> Self {
        Self { seen: query.now, query, last }
    }

    /// What there is to tell at an instant: bars that closed since, as they ended, and the running one, changed or
    /// not. Nothing while the market is closed.
    pub(crate) fn states(&mut self, market: &Market, now: i64) -> Vec<Bar> {
        let query = BarQuery { end: now, now, span: self.span(now), ..self.query.clone() };
        let mut bars = market.bars(&query);
        let oldest = self.last.map(|bar| bar.stamp);
        bars.retain(|bar| oldest.is_none_or(|oldest| bar.stamp >= oldest));
        bars.retain(|bar| self.last != Some(*bar) || is_running(bar, &query));
        self.last = bars.last().copied().or(self.last);
        self.seen = now;
        bars
    }

    /// Far enough back for the bar told last and all after it.
    fn span(&self, now: i64) -> Span {
        const DAY: i64 = 86_400;
        let away = (now - self.seen).max(0);
        match self.query.size {
            BarSize::Seconds(seconds) => Span::Seconds((2 * seconds + away).min(DAY)),
            BarSize::Day => Span::Days(2 + away / DAY),
            BarSize::Week => Span::Weeks(2 + away / DAY / 7),
            BarSize::Month => Span::Months(2 + away / DAY / 28),
        }
    }
}

/// Whether trading goes on in this bar.
fn is_running(bar: &Bar, query: &BarQuery) -> bool {
    let (schedule, now) = (&query.contract.schedule, query.now);
    let goes_on = match bar.stamp {
        Stamp::Second(start) => (start..start + query.size.seconds()).contains(&now),
        Stamp::Day(date) => {
            period::group_of(schedule.trade_date(now), query.size) == period::group_of(date, query.size)
        }
    };
    goes_on && schedule.is_open(now, query.regular)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::market::{Query, What};

    /// 2025-06-06 11:20:30 New York, a Friday.
    const NOW: i64 = 1_749_223_230;

    fn query(market: &Market, size: &str, now: i64) -> BarQuery {
        let apple = Query { symbol: "AAPL".to_owned(), ..Query::default() };
        BarQuery {
            contract: market.find(&apple, 0).remove(0),
            size: BarSize::of_request(size).unwrap(),
            span: Span::Days(1),
            what: What::Trades,
            regular: false,
            end: now,
            now,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Whenever it is looked at: the last state told of each bar before the running one is the bar for good.
        #[test]
        fn what_is_told_last_is_what_history_says(
            size in proptest::sample::select(vec!["5 secs", "30 secs", "1 min", "5 mins", "1 hour", "1 day"]),
            pauses in proptest::collection::vec(1i64..1500, 1..30),
        ) {
            let market = Market::open(7, None, false, 0).unwrap();
            let query = query(&market, size, NOW);
            let first = market.bars(&query);
            let mut told: std::collections::BTreeMap<Stamp, Bar> = first.iter().map(|bar| (bar.stamp, *bar)).collect();
            let mut follower = Follower::new(query.clone(), first.last().copied());
            let mut now = NOW;
            for pause in pauses {
                now += pause;
                let states = follower.states(&market, now);
                prop_assert!(states.is_sorted_by(|one, next| one.stamp < next.stamp));
                told.extend(states.into_iter().map(|bar| (bar.stamp, bar)));
            }
            let history = market.bars(&BarQuery { end: now, now, span: Span::Days(2), ..query });
            let oldest = first[0].stamp;
            let history: Vec<_> = history.into_iter().filter(|bar| bar.stamp >= oldest).collect();
            prop_assert_eq!(told.into_values().collect::<Vec<_>>(), history);
        }
    }

    #[test]
    fn a_running_bar_is_repeated_and_a_closed_one_is_not() {
        let market = Market::open(7, None, false, 0).unwrap();
        let query = query(&market, "1 hour", NOW);
        let last = market.bars(&query).last().copied();
        let mut follower = Follower::new(query.clone(), last);
        assert_eq!(follower.states(&market, NOW).len(), 1);
        // 19:59:59, and from 20:00 to midnight.
        let before_close = follower.states(&market, NOW + 31_169);
        assert_eq!(before_close.last().unwrap().stamp, Stamp::Second(NOW + 27_570));
        assert_eq!(follower.states(&market, NOW + 31_170).len(), 1);
        assert_eq!(follower.states(&market, NOW + 31_171).len(), 0);
        assert_eq!(follower.states(&market, NOW + 40_000).len(), 0);
    }
}
