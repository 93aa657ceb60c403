//! Which bars a load wants (pure): by dates, or by mode and what is stored.

use super::{LoadRequest, Mode};
use crate::model::{Coverage, DAY, HOUR, Nanos, TimeRange, Timeframe};

/// What `tail` loads of a series of which nothing is stored.
const TAIL: Nanos = 30 * DAY;

/// What is known of the series.
#[derive(Debug, Clone, Default)]
pub(super) struct Stored {
    /// Start of the first stored bar.
    pub(super) first: Option<Nanos>,
    /// Start of the last stored bar.
    pub(super) last: Option<Nanos>,
    /// What is known complete.
    pub(super) coverage: Coverage,
}

impl Stored {
    /// For a load that compares: nothing is known, and a tail begins some bars earlier.
    pub(super) fn doubted(self, timeframe: Timeframe) -> Self {
        let again = 20 * timeframe.step() + if timeframe.is_intraday() { 4 * DAY } else { 10 * DAY };
        let end = self.coverage.end().or(self.last).map(|end| end.saturating_sub(again).max(self.first.unwrap_or(end)));
        let known = end.and_then(|end| TimeRange::new(end.saturating_sub(1), end).ok());
        Self { coverage: known.into_iter().collect(), ..self }
    }

    /// Up to where it is known, as far as bars can be over: a file may hold a bar of the future.
    fn known_until(&self, closed: Nanos) -> Option<Nanos> {
        let covered = self.coverage.intervals().iter().rev().find(|covered| covered.start() < closed);
        let known = covered.map(TimeRange::end).or(self.last).map(|known| known.min(closed));
        // what is known of a time without any bars says nothing about where to go on
        known.filter(|_| self.first.is_some_and(|first| first < closed))
    }
}

/// `None` when there is nothing to want. `head`: where the history begins, if that is known. `closed`: no bar that starts
/// then or later is over.
pub(super) fn wanted(request: &LoadRequest, stored: &Stored, head: Option<Nanos>, closed: Nanos) -> Option<TimeRange> {
    let timeframe = request.key.timeframe;
    let end_of_mode = match request.mode {
        Mode::Backfill if request.start.is_none() => stored.first.unwrap_or(closed).min(closed),
        _ => closed,
    };
    let end = request.end.unwrap_or(end_of_mode).min(closed);
    let start_of_mode = match request.mode {
        Mode::Tail | Mode::Local => stored.known_until(closed).filter(|known| request.end.is_none() || *known < end),
        Mode::Backfill | Mode::Full => Some(head.unwrap_or(closed - depth_assumed(timeframe))),
    };
    let start = request.start.or(start_of_mode).unwrap_or(end.saturating_sub(TAIL));
    TimeRange::new(start.max(closed - depth_max(timeframe)), end).ok()
}

/// IB keeps bars of 30 s and less for six months.
pub(in crate::market_data) const SMALL_BARS_KEPT: Nanos = 184 * DAY;

/// Nothing older is ever asked for: beyond what IB keeps, or has at all.
fn depth_max(timeframe: Timeframe) -> Nanos {
    match timeframe.step() {
        _ if timeframe.is_small() => SMALL_BARS_KEPT,
        step if step < DAY => 30 * 366 * DAY,
        _ => 100 * 366 * DAY,
    }
}

/// How far back a history is assumed to reach when the gateway cannot tell.
fn depth_assumed(timeframe: Timeframe) -> Nanos {
    match timeframe.step() {
        _ if timeframe.is_small() => 180 * DAY,
        step if step < HOUR => 2 * 365 * DAY,
        step if step < DAY => 5 * 365 * DAY,
        _ => 20 * 365 * DAY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        market_data::OnSplit,
        model::{Basis, SeriesKey, Session, Symbol, WhatToShow},
    };

    const NOW: Nanos = 20_000 * DAY;

    fn request(mode: Mode, start: Option<Nanos>, end: Option<Nanos>) -> LoadRequest {
        let key = SeriesKey { symbol: Symbol::parse("AAPL").unwrap(), timeframe: Timeframe::Hours1 };
        let basis = Basis { session: Session::AllHours, what: WhatToShow::Trades };
        LoadRequest { key, mode, start, end, basis, on_split: OnSplit::Fail, verify: false }
    }

    fn days(range: Option<TimeRange>) -> Option<(Nanos, Nanos)> {
        range.map(|range| (range.start() / DAY - 20_000, range.end() / DAY - 20_000))
    }

    /// Bars from 100 to 60 days ago, known complete until 50 days ago.
    fn stored() -> Stored {
        let covered = TimeRange::new(NOW - 100 * DAY, NOW - 50 * DAY).unwrap();
        Stored { first: Some(NOW - 100 * DAY), last: Some(NOW - 60 * DAY), coverage: [covered].into_iter().collect() }
    }

    fn want(request: &LoadRequest, stored: &Stored) -> Option<(Nanos, Nanos)> {
        days(wanted(request, stored, Some(NOW - 900 * DAY), NOW))
    }

    #[test]
    fn modes_choose_the_range_when_no_dates_do() {
        assert_eq!(want(&request(Mode::Tail, None, None), &stored()), Some((-50, 0)));
        assert_eq!(want(&request(Mode::Tail, None, None), &Stored::default()), Some((-30, 0)));
        assert_eq!(want(&request(Mode::Backfill, None, None), &stored()), Some((-900, -100)));
        assert_eq!(want(&request(Mode::Full, None, None), &stored()), Some((-900, 0)));
        assert_eq!(want(&request(Mode::Backfill, None, None), &Stored::default()), Some((-900, 0)));
    }

    #[test]
    fn dates_win_over_modes_and_the_end_is_the_last_closed_bar() {
        for mode in [Mode::Tail, Mode::Backfill, Mode::Full] {
            let both = request(mode, Some(NOW - 70 * DAY), Some(NOW + 5 * DAY));
            assert_eq!(want(&both, &stored()), Some((-70, 0)), "{mode:?}");
        }
        assert_eq!(want(&request(Mode::Tail, None, Some(NOW - 10 * DAY)), &stored()), Some((-50, -10)));
        // an end before what is known, or with nothing stored
        assert_eq!(want(&request(Mode::Tail, None, Some(NOW - 80 * DAY)), &stored()), Some((-110, -80)));
        assert_eq!(want(&request(Mode::Tail, None, Some(NOW - 80 * DAY)), &Stored::default()), Some((-110, -80)));
        assert_eq!(want(&request(Mode::Tail, Some(NOW), None), &stored()), None);
    }

    #[test]
    fn a_bar_of_the_future_and_a_time_without_bars_do_not_mislead_the_tail() {
        let mut future = stored();
        future.coverage.insert(TimeRange::new(NOW + 20_000 * DAY, NOW + 20_001 * DAY).unwrap());
        future.last = Some(NOW + 20_000 * DAY);
        assert_eq!(want(&request(Mode::Tail, None, None), &future), Some((-50, 0)));

        let nothing = TimeRange::new(DAY, 2_000 * DAY).unwrap();
        let empty = Stored { coverage: [nothing].into_iter().collect(), ..Stored::default() };
        assert_eq!(want(&request(Mode::Tail, None, None), &empty), Some((-30, 0)));
    }

    #[test]
    fn no_wish_is_older_than_what_ib_keeps() {
        let mut seconds = request(Mode::Full, Some(Nanos::MIN), None);
        seconds.key.timeframe = Timeframe::Seconds1;
        assert_eq!(want(&seconds, &Stored::default()), Some((-184, 0)));
    }
}
