//! From what is missing to the requests that bring it (pure).
//!
//! Each step is as long as the gateway answers well for its bar size. Lengths are asked for generously (a day more
//! than needed, because `D` counts sessions and the current one counts as one), and what is too much is cut off later:
//! the old system rounded down and left holes.

use std::collections::VecDeque;

use crate::{
    gateway::{Duration, Unit},
    model::{DAY, HOUR, Nanos, SECOND, TimeRange, Timeframe},
};

/// Which end of a range is fetched first. A load that is cut off must leave stored bars in one piece, so that the next
/// one of its mode knows where to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Growing towards now: `tail`.
    OldestFirst,
    /// Growing into the past, and the useful end first: all others.
    NewestFirst,
}

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// The bars that are wanted of it.
    pub(super) range: TimeRange,
    /// Where the request ends: a bar later than wanted, so that the last wanted one is whole.
    pub(super) end: Nanos,
    /// How far back it goes.
    pub(super) duration: Duration,
}

/// Longest step of a bar size: below 5,000 bars even with extended hours (IB: "a few thousand bars per answer"), and
/// within IB's table of durations. Months are at least 28 days, quarters 89, half years 181; a day less than that, because
/// months are counted on the exchange's clock, which may be set forward meanwhile: an hour less.
fn longest(timeframe: Timeframe) -> Nanos {
    match timeframe {
        Timeframe::Seconds1 => 1_800 * SECOND,
        Timeframe::Seconds5 => HOUR,
        Timeframe::Seconds10 | Timeframe::Seconds15 => 4 * HOUR,
        Timeframe::Seconds30 => 8 * HOUR,
        Timeframe::Minutes1 => 3 * DAY,
        Timeframe::Minutes2 => 6 * DAY,
        Timeframe::Minutes3 | Timeframe::Minutes4 | Timeframe::Minutes5 => 10 * DAY,
        Timeframe::Minutes10 => 20 * DAY,
        Timeframe::Minutes15 | Timeframe::Minutes20 => 27 * DAY,
        Timeframe::Minutes30 => 88 * DAY,
        Timeframe::Hours1 => 180 * DAY,
        Timeframe::Hours2 | Timeframe::Hours3 | Timeframe::Hours4 | Timeframe::Hours8 => 364 * DAY,
        Timeframe::Days1 => 3_650 * DAY,
        Timeframe::Weeks1 | Timeframe::Months1 => 7_300 * DAY,
    }
}

/// Whether these take several requests.
pub(super) fn is_more_than_one_step(missing: &[TimeRange], timeframe: Timeframe) -> bool {
    let (Some(first), Some(last)) = (missing.first(), missing.last()) else { return false };
    last.end().saturating_sub(first.start()) > longest(timeframe) - timeframe.step()
}

/// Days that so many months have at least.
const MONTHS: [Nanos; 12] = [28, 59, 89, 120, 150, 181, 212, 242, 273, 303, 334, 365];

/// The shortest length that IB accepts for this bar size and that covers `length`.
fn duration(timeframe: Timeframe, length: Nanos) -> Duration {
    let amount = |value: Nanos| u16::try_from(value).unwrap_or(u16::MAX);
    if timeframe.is_small() {
        return Duration { amount: amount(rounded_up(length, SECOND)), unit: Unit::Seconds };
    }
    let days = rounded_up(length, DAY);
    if timeframe.step() < 15 * 60 * SECOND || days < 20 || (!timeframe.is_intraday() && days < 365) {
        return Duration { amount: amount(days + 1), unit: Unit::Days };
    }
    // the clock may be set forward meanwhile
    let days = if timeframe.is_intraday() { rounded_up(length + HOUR, DAY) } else { days };
    match MONTHS.iter().zip(1..).find(|(at_least, _)| **at_least >= days) {
        Some((_, months)) if timeframe.is_intraday() => Duration { amount: months, unit: Unit::Months },
        _ => Duration { amount: amount(rounded_up(days, 365)), unit: Unit::Years },
    }
}

/// How far back the first answer of a subscription goes, to reach `length` where one answer can.
pub(super) fn opening(timeframe: Timeframe, length: Nanos) -> Duration {
    duration(timeframe, length.clamp(timeframe.step(), longest(timeframe)))
}

/// Of non-negative numbers.
fn rounded_up(value: Nanos, by: Nanos) -> Nanos {
    (value + by - 1).div_euclid(by)
}

/// Covers every missing instant with as few steps as possible. `missing` is ascending and disjoint. A step may reach
/// over stored parts between two missing ones: a request is what is scarce. `now` bounds where a request may end.
pub(super) fn steps(missing: &[TimeRange], timeframe: Timeframe, order: Order, now: Nanos) -> Vec<Step> {
    // a request ends one bar later than what is wanted of it
    steps_within(missing, timeframe, order, now, longest(timeframe) - timeframe.step())
}

/// The same in shorter requests, for a gateway that closes the connection over the whole; `None` when it is short already.
pub(super) fn shorter(step: &Step, timeframe: Timeframe, order: Order, now: Nanos) -> Option<Vec<Step>> {
    /// Fewer bars than this are never too much.
    const FEW: Nanos = 32;
    let length = step.range.end() - step.range.start();
    let unit = if length >= 4 * DAY { DAY.max(timeframe.step()) } else { timeframe.step() };
    let half = rounded_up(rounded_up(length, 2), unit) * unit;
    let parts = (length > FEW * timeframe.step()).then(|| steps_within(&[step.range], timeframe, order, now, half))?;
    // a gateway closes over the length that it is asked for, and IB's lengths are coarse
    parts.iter().all(|part| part.duration != step.duration).then_some(parts)
}

/// Lets the requests beside the stored bars (the starts of the first and the last) reach over some of them, which costs no
/// request: what both tell is compared. A request that is as long as it may be stays as it is.
pub(super) fn overlap(steps: &mut [Step], (first, last): (Nanos, Nanos), timeframe: Timeframe, now: Nanos) {
    let (back, on) = match timeframe.step() {
        step if timeframe.is_small() => (10 * step, 10 * step),
        // counted in sessions, a length brings one more anyway
        step if step < 2 * HOUR => (0, DAY),
        step if step < DAY => (4 * DAY, 4 * DAY),
        step => (10 * step, 10 * step),
    };
    let fits = |step: &Step, more: Nanos| step.end - step.range.start() + more <= longest(timeframe);
    let after = steps.iter_mut().filter(|step| step.range.start() > last).min_by_key(|step| step.range.start());
    if let Some(step) = after.filter(|step| back > 0 && fits(step, back)) {
        step.duration = duration(timeframe, step.end - step.range.start() + back);
    }
    let before = steps.iter_mut().filter(|step| step.range.end() <= first).max_by_key(|step| step.range.end());
    if let Some(step) = before.filter(|step| fits(step, on)) {
        step.end = rounded_up((step.end + on).min(now.max(step.end)), SECOND) * SECOND;
        step.duration = duration(timeframe, step.end - step.range.start());
    }
}

fn steps_within(missing: &[TimeRange], timeframe: Timeframe, order: Order, now: Nanos, longest: Nanos) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut left: VecDeque<TimeRange> = missing.iter().copied().collect();
    loop {
        let range = match order {
            Order::OldestFirst => oldest(&mut left, longest),
            Order::NewestFirst => newest(&mut left, longest),
        };
        let Some(range) = range else { return steps };
        // whole seconds: that is all a request can say
        let end = range.end().saturating_add(timeframe.step()).min(now.max(range.end()));
        let end = rounded_up(end, SECOND) * SECOND;
        steps.push(Step { range, end, duration: duration(timeframe, end - range.start()) });
    }
}

/// Takes what is missing of the first so many nanoseconds.
fn oldest(left: &mut VecDeque<TimeRange>, longest: Nanos) -> Option<TimeRange> {
    let start = left.front()?.start();
    let limit = start.saturating_add(longest);
    let mut end = start;
    while let Some(part) = left.front().copied().filter(|part| part.start() < limit) {
        left.pop_front();
        end = part.end().min(limit);
        if let Ok(rest) = TimeRange::new(limit, part.end()) {
            left.push_front(rest);
        }
    }
    TimeRange::new(start, end).ok()
}

/// The same from the end.
fn newest(left: &mut VecDeque<TimeRange>, longest: Nanos) -> Option<TimeRange> {
    let end = left.back()?.end();
    let limit = end.saturating_sub(longest);
    let mut start = end;
    while let Some(part) = left.back().copied().filter(|part| part.end() > limit) {
        left.pop_back();
        start = part.start().max(limit);
        if let Ok(rest) = TimeRange::new(part.start(), limit) {
            left.push_back(rest);
        }
    }
    TimeRange::new(start, end).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Coverage, MINUTE};
    use proptest::prelude::*;

    fn range(start: Nanos, end: Nanos) -> TimeRange {
        TimeRange::new(start, end).unwrap()
    }

    fn asked(timeframe: Timeframe, length: Nanos) -> String {
        duration(timeframe, length).to_string()
    }

    #[test]
    fn lengths_are_ibs_own_and_never_too_short() {
        assert_eq!(asked(Timeframe::Seconds1, 1_800 * SECOND), "1800 S");
        assert_eq!(asked(Timeframe::Minutes1, 3 * DAY), "4 D");
        assert_eq!(asked(Timeframe::Minutes1, 5 * MINUTE), "2 D");
        assert_eq!(asked(Timeframe::Hours1, 180 * DAY), "6 M");
        assert_eq!(asked(Timeframe::Hours1, 181 * DAY), "7 M", "an hour may be missing of six");
        assert_eq!(asked(Timeframe::Hours1, 29 * DAY), "2 M");
        assert_eq!(asked(Timeframe::Hours1, 6 * DAY), "7 D");
        assert_eq!(asked(Timeframe::Hours4, 364 * DAY), "12 M");
        assert_eq!(asked(Timeframe::Days1, 364 * DAY), "365 D");
        assert_eq!(asked(Timeframe::Days1, 366 * DAY), "2 Y");
        assert_eq!(asked(Timeframe::Days1, 3_650 * DAY), "10 Y");
    }

    #[test]
    fn a_year_of_hours_is_three_requests_newest_first() {
        let year = range(0, 400 * DAY);
        let steps = steps(&[year], Timeframe::Hours1, Order::NewestFirst, 1_000 * DAY);
        let hours: Vec<_> = steps.iter().map(|step| (step.range.start() / HOUR, step.range.end() / HOUR)).collect();
        assert_eq!(hours, [(220 * 24 + 1, 400 * 24), (40 * 24 + 2, 220 * 24 + 1), (0, 40 * 24 + 2)]);
        assert_eq!(steps[0].end, 400 * DAY + HOUR, "the last wanted bar is whole");
        assert_eq!(steps[0].duration.to_string(), "6 M");
    }

    #[test]
    fn small_holes_close_to_each_other_share_a_request() {
        let holes = [range(0, HOUR), range(DAY, DAY + HOUR), range(40 * DAY, 41 * DAY)];
        let steps = steps(&holes, Timeframe::Minutes5, Order::OldestFirst, 100 * DAY);
        assert_eq!(steps.len(), 2);
        assert_eq!(steps[0].range, range(0, DAY + HOUR));
    }

    #[test]
    fn requests_beside_stored_bars_reach_over_some_of_them() {
        let day = |from: i64, to: i64| range(from * DAY, to * DAY);
        let mut tail = steps(&[day(100, 103)], Timeframe::Days1, Order::OldestFirst, 103 * DAY);
        assert_eq!(tail[0].duration.to_string(), "4 D");
        overlap(&mut tail, (0, 99 * DAY), Timeframe::Days1, 103 * DAY);
        assert_eq!((tail[0].duration.to_string().as_str(), tail[0].range), ("14 D", day(100, 103)));
        let mut backfill = steps(&[day(50, 100)], Timeframe::Days1, Order::NewestFirst, 900 * DAY);
        overlap(&mut backfill, (100 * DAY, 300 * DAY), Timeframe::Days1, 900 * DAY);
        assert_eq!((backfill[0].end / DAY, backfill[0].duration.to_string().as_str()), (111, "62 D"));
        let mut full = steps(&[day(0, 3_649)], Timeframe::Days1, Order::NewestFirst, 9_000 * DAY);
        let before = full.clone();
        overlap(&mut full, (3_649 * DAY, 4_000 * DAY), Timeframe::Days1, 9_000 * DAY);
        assert_eq!(full, before, "as long as it may be");
    }

    #[test]
    #[ignore = "a measurement: cargo test --release -p ktrdrd --lib planner -- --ignored --nocapture"]
    fn how_long_the_planner_takes_over_twenty_years_with_ten_thousand_holes() {
        let calendar = crate::market_data::calendar::Calendar::named("NYSE").unwrap();
        let wanted = range(13_149 * DAY, 20_454 * DAY); // 2006 to 2025
        let hole = |nth: i64| range(wanted.start() + nth * 17 * HOUR, wanted.start() + nth * 17 * HOUR + 37 * MINUTE);
        let mut coverage: Coverage = std::iter::once(wanted).collect();
        (0..10_000).for_each(|nth| coverage.remove(&hole(nth)));
        let mut took: Vec<_> = (0..15)
            .map(|_| {
                let begun = std::time::Instant::now();
                let missing = coverage.missing(&wanted);
                let open =
                    calendar.within_sessions(&missing, Timeframe::Minutes1, crate::model::Session::AllHours, &[]);
                let steps = steps(&open, Timeframe::Minutes1, Order::NewestFirst, i64::MAX / 2);
                (begun.elapsed(), missing.len(), open.len(), steps.len())
            })
            .collect();
        took.sort_unstable();
        println!("median {:?}", took[took.len() / 2]);
    }

    /// Where a request begins: IB counts days and longer on the exchange's clock.
    fn begins(step: &Step) -> Nanos {
        let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
        let at = zone.to_datetime(jiff::Timestamp::from_nanosecond(i128::from(step.end)).unwrap());
        let amount = i64::from(step.duration.amount);
        let span = match step.duration.unit {
            Unit::Seconds => return step.end - amount * SECOND,
            Unit::Days => jiff::Span::new().days(amount),
            Unit::Months => jiff::Span::new().months(amount),
            Unit::Years => jiff::Span::new().years(amount),
        };
        let start = zone.to_timestamp(at.checked_sub(span).unwrap()).unwrap();
        i64::try_from(start.as_nanosecond()).unwrap()
    }

    proptest! {
        #[test]
        fn every_request_reaches_back_far_enough_whatever_the_clock_does(
            index in 0_usize..22, day in 11_000_i64..20_000, hour in 0_i64..24, share in 1_i64..=1_000, newest in any::<bool>(),
        ) {
            let timeframe = Timeframe::all().nth(index).unwrap();
            let start = day * DAY + hour * HOUR;
            let length = (longest(timeframe) - timeframe.step()) / 1_000 * share;
            prop_assume!(length > timeframe.step());
            let order = if newest { Order::NewestFirst } else { Order::OldestFirst };
            for step in steps(&[range(start, start + length)], timeframe, order, i64::MAX / 2) {
                prop_assert!(begins(&step) <= step.range.start(), "{timeframe} {step:?}");
            }
        }

        #[test]
        fn shorter_steps_cover_the_same_and_end_somewhere(
            index in 0_usize..22, bars in 1_i64..4_000, start in 0_i64..1_000_000, newest in any::<bool>(),
        ) {
            let timeframe = Timeframe::all().nth(index % Timeframe::all().count()).unwrap();
            let start = start * SECOND;
            let length = bars.saturating_mul(timeframe.step()).min(longest(timeframe) - timeframe.step());
            let order = if newest { Order::NewestFirst } else { Order::OldestFirst };
            let whole = steps(&[range(start, start + length)], timeframe, order, i64::MAX / 2)[0];
            match shorter(&whole, timeframe, order, i64::MAX / 2) {
                None => {
                    let few = length <= 32 * timeframe.step();
                    prop_assert!(few || whole.duration.amount <= 3 || length < 4 * DAY, "{whole:?}");
                }
                Some(parts) => {
                    prop_assert!(parts.len() == 2);
                    let asked: Coverage = parts.iter().map(|part| part.range).collect();
                    prop_assert_eq!(asked.intervals(), &[whole.range]);
                    let lengths = parts.iter().map(|part| part.range.end() - part.range.start());
                    prop_assert_eq!(lengths.clone().sum::<Nanos>(), length, "nothing twice");
                    prop_assert!(lengths.max() < Some(length));
                    prop_assert_eq!(parts[0].range.start() > parts[1].range.start(), newest);
                }
            }
        }

        #[test]
        fn every_missing_instant_is_asked_for_once_and_no_request_is_too_long(
            gaps in prop::collection::vec((1_i64..40 * 24, 1_i64..400 * 24), 1..20),
            index in 0_usize..22, newest in any::<bool>(),
        ) {
            let timeframe = Timeframe::all().nth(index).unwrap();
            // keep second bars to a few thousand steps
            let unit = if timeframe.step() < MINUTE { MINUTE } else { HOUR };
            let mut at = 0;
            let missing: Vec<TimeRange> = gaps.into_iter().map(|(gap, length)| {
                let start = at + gap * unit;
                at = start + length * unit;
                range(start, at)
            }).collect();
            let order = if newest { Order::NewestFirst } else { Order::OldestFirst };
            let steps = steps(&missing, timeframe, order, i64::MAX / 2);

            let asked: Coverage = steps.iter().map(|step| step.range).collect();
            for part in &missing {
                prop_assert!(asked.missing(part).is_empty());
            }
            let mut ordered = steps.clone();
            if newest { ordered.reverse(); }
            prop_assert!(ordered.windows(2).all(|pair| pair[0].range.end() <= pair[1].range.start()));
            for step in &steps {
                prop_assert!(step.range.end() - step.range.start() <= longest(timeframe));
                prop_assert!(missing.iter().any(|part| part.intersection(&step.range).is_some()));
                let limit: u32 = match step.duration.unit {
                    Unit::Seconds => 86_400, Unit::Days => 365, Unit::Months => 12, Unit::Years => 68,
                };
                let amount = u32::from(step.duration.amount);
                prop_assert!(amount >= 1 && amount <= limit, "{}", step.duration);
            }
        }
    }
}
