//! What one answer teaches (pure): which of its bars are kept, and what is known afterwards.

use jiff::tz::TimeZone;

use crate::{
    gateway::BarsAnswer,
    market_data::{
        closing::is_closed,
        fetch::{nothing_until, settled_until},
        plan::Step,
    },
    model::{Bars, Coverage, Nanos, TimeRange, Timeframe},
    store::CoverageKind,
};

/// What is kept of an answer.
#[derive(Debug, PartialEq)]
pub(super) struct Lesson {
    pub(super) bars: Bars,
    /// All bars that are over, also those that were not wanted.
    pub(super) evidence: Bars,
    pub(super) cover: Vec<(TimeRange, CoverageKind)>,
    /// Bars of the range that came with prices that cannot be.
    pub(super) spoiled: Vec<TimeRange>,
}

/// `now`: when the answer came.
pub(super) fn learn(answer: BarsAnswer, step: &Step, timeframe: Timeframe, zone: &TimeZone, now: Nanos) -> Lesson {
    let range = step.range;
    let BarsAnswer::Bars { bars, spoiled } = answer else {
        let known = TimeRange::new(range.start(), range.end().min(nothing_until(now))).ok();
        return Lesson {
            bars: Bars::default(),
            evidence: Bars::default(),
            cover: known.map(|known| (known, CoverageKind::None)).into_iter().collect(),
            spoiled: Vec::new(),
        };
    };
    let wanted = bars.slice(bars.rows_in(&range));
    // what ran past the end of the request was cut off there, however late the answer came
    let whole = |start: Nanos| !timeframe.is_intraday() || start.saturating_add(timeframe.step()) <= step.end;
    let over = |start: Nanos| whole(start) && is_closed(start, now, timeframe, zone);
    let evidence: Bars = bars.iter().take_while(|bar| over(bar.start)).collect();
    let kept = evidence.slice(evidence.rows_in(&range));
    let first_open = wanted.start.get(kept.len()).copied().unwrap_or(range.end());
    let known_until = first_open.min(range.end()).min(settled_until(&kept, timeframe, now));
    let kind = if kept.is_empty() { CoverageKind::None } else { CoverageKind::Bars };
    let mut known: Coverage = TimeRange::new(range.start(), known_until).into_iter().collect();
    let inside = spoiled.into_iter().filter(|start| range.contains(*start));
    let spoiled: Vec<TimeRange> =
        inside.filter_map(|start| TimeRange::new(start, start.saturating_add(timeframe.step())).ok()).collect();
    for bar in &spoiled {
        known.remove(bar);
    }
    Lesson { bars: kept, evidence, cover: known.intervals().iter().map(|known| (*known, kind)).collect(), spoiled }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        gateway::{Duration, Unit},
        market_data::fetch::LAG,
        model::{Bar, DAY, HOUR, MINUTE},
    };

    const NOW: Nanos = 20_000 * DAY + 12 * HOUR + 30 * MINUTE;

    fn bars(starts: &[Nanos]) -> Bars {
        let bar = |start: &Nanos| Bar { start: *start, open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: None };
        starts.iter().map(bar).collect()
    }

    fn lesson(answer: BarsAnswer, start: Nanos, end: Nanos, asked_until: Nanos) -> (Vec<Nanos>, Vec<(Nanos, Nanos)>) {
        let duration = Duration { amount: 1, unit: Unit::Days };
        let step = Step { range: TimeRange::new(start, end).unwrap(), end: asked_until, duration };
        let lesson = learn(answer, &step, Timeframe::Hours1, &TimeZone::UTC, NOW);
        (lesson.bars.start, lesson.cover.iter().map(|(range, _)| (range.start(), range.end())).collect())
    }

    fn answer(starts: &[Nanos]) -> BarsAnswer {
        BarsAnswer::Bars { bars: bars(starts), spoiled: Vec::new() }
    }

    #[test]
    fn the_running_bar_is_neither_kept_nor_known() {
        let at = |hour: i64| 20_000 * DAY + hour * HOUR;
        let came = answer(&[at(9), at(10), at(11), at(12)]);
        assert_eq!(lesson(came, at(9), at(13), NOW), (vec![at(9), at(10), at(11)], vec![(at(9), at(12))]));
    }

    #[test]
    fn a_bar_that_the_request_cut_off_is_not_kept_even_when_the_answer_comes_late() {
        let at = |hour: i64| 20_000 * DAY + hour * HOUR;
        let came = answer(&[at(8), at(9)]);
        assert_eq!(lesson(came, at(8), at(10), at(9) + HOUR / 2), (vec![at(8)], vec![(at(8), at(9))]));
    }

    #[test]
    fn what_is_older_than_the_lag_is_known_and_what_may_still_come_is_not() {
        let at = |hour: i64| 20_000 * DAY + hour * HOUR;
        // nothing after 9: known until the lag begins, not until the end
        assert_eq!(lesson(answer(&[at(8)]), at(8), NOW, NOW), (vec![at(8)], vec![(at(8), NOW - LAG)]));
        // a holiday long ago: bars around it, none in it
        let (old, next) = (NOW - 30 * DAY, NOW - 29 * DAY);
        assert_eq!(lesson(answer(&[old - DAY]), old, next, next + HOUR), (vec![], vec![(old, next)]));
    }

    #[test]
    fn nothing_is_a_fact_unless_it_is_of_the_newest_day() {
        let ago = |days: i64| NOW - days * DAY;
        assert_eq!(lesson(BarsAnswer::NoData, ago(9), ago(8), ago(8)), (vec![], vec![(ago(9), ago(8))]));
        assert_eq!(lesson(BarsAnswer::NoData, ago(2), NOW, NOW), (vec![], vec![(ago(2), ago(1))]));
    }

    #[test]
    fn a_bar_with_a_price_that_is_no_number_stays_unknown() {
        let ago = |hours: i64| NOW - 30 * MINUTE - (1_000 + hours) * HOUR;
        let came = BarsAnswer::Bars { bars: bars(&[ago(4), ago(2)]), spoiled: vec![ago(3)] };
        let (_, known) = lesson(came, ago(4), ago(1), ago(0));
        assert_eq!(known, [(ago(4), ago(3)), (ago(2), ago(1))]);
    }
}
