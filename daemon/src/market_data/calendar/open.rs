//! Which part of a time may hold bars at all (pure): the rest is never asked for.

use super::{Calendar, Day};
use crate::{
    gateway::Contract,
    market_data::{
        closing::{midnight, zone},
        hours::sessions,
    },
    model::{Coverage, DAY, HOUR, Nanos, SeriesKey, Session, TimeRange, Timeframe},
};

/// Ranges that are so near to each other have days in common.
const NEAR: Nanos = 3 * DAY;

/// What is in both; each ascending and disjoint.
fn common(one: &[TimeRange], other: &[TimeRange]) -> Vec<TimeRange> {
    let mut from = 0;
    let mut both = Vec::new();
    for range in one {
        from += other[from..].partition_point(|part| part.end() <= range.start());
        let overlapping = other[from..].iter().take_while(|part| part.start() < range.end());
        both.extend(overlapping.filter_map(|part| part.intersection(range)));
    }
    both
}

/// The parts of ascending ranges that may hold bars of a series. The hours that the gateway told with its contract count, too:
/// they may be newer than our tables. A series that no calendar is known of may have bars at any time.
pub(in crate::market_data) fn may_hold_bars(
    ranges: &[TimeRange],
    key: &SeriesKey,
    session: Session,
    contract: Option<&Contract>,
) -> Vec<TimeRange> {
    let Some(calendar) = Calendar::of_contract(&key.symbol, contract) else { return ranges.to_vec() };
    let told = contract.map(|one| {
        let hours = match session {
            Session::AllHours => &one.trading_hours,
            Session::RegularHours => &one.liquid_hours,
        };
        sessions(hours, &zone(&one.time_zone))
    });
    calendar.within_sessions(ranges, key.timeframe, session, &told.unwrap_or_default())
}

impl Calendar {
    /// The parts of ascending ranges that may hold bars of this size; `also`: other hours of the market that somebody told
    /// us of. What no table knows may hold some.
    pub(in crate::market_data) fn within_sessions(
        &self,
        ranges: &[TimeRange],
        timeframe: Timeframe,
        session: Session,
        also: &[TimeRange],
    ) -> Vec<TimeRange> {
        // a week and a month always hold a session
        if matches!(timeframe, Timeframe::Weeks1 | Timeframe::Months1) {
            return ranges.to_vec();
        }
        // ranges that share days look them up once
        let neighbours = ranges.chunk_by(|one, next| next.start().saturating_sub(one.end()) < NEAR);
        let within = neighbours.flat_map(|near| {
            let (Some(first), Some(last)) = (near.first(), near.last()) else { return Vec::new() };
            let Ok(hull) = TimeRange::new(first.start(), last.end()) else { return Vec::new() };
            common(near, self.open_in(&hull, timeframe, session, also).intervals())
        });
        let within: Coverage = within.collect();
        within.intervals().to_vec()
    }

    fn open_in(&self, hull: &TimeRange, timeframe: Timeframe, session: Session, also: &[TimeRange]) -> Coverage {
        let mut open = Coverage::default();
        for day in self.days(hull) {
            self.parts_of(&day, timeframe, session, also).into_iter().for_each(|part| open.insert(part));
        }
        if timeframe.is_intraday() {
            for part in also {
                open.insert(*part);
            }
        }
        [self.unknown_before(), self.unknown_after()].into_iter().flatten().for_each(|part| open.insert(part));
        open
    }

    fn parts_of(&self, day: &Day, timeframe: Timeframe, session: Session, also: &[TimeRange]) -> Vec<TimeRange> {
        if timeframe.is_intraday() {
            // where sizes beyond an hour begin, nobody has told us: perhaps before the opening
            let early = if timeframe.step() > HOUR { timeframe.step() } else { 0 };
            let widened = |part: &TimeRange| TimeRange::new(part.start() - early, part.end()).ok();
            return day.allowed(session).iter().filter_map(widened).collect();
        }
        let told = also.iter().any(|also| self.date_of(also.end() - 1) == day.date);
        let midnight = midnight(day.date);
        let date = TimeRange::new(midnight, midnight + DAY).ok();
        date.filter(|_| day.is_open() || told).into_iter().collect()
    }

    fn unknown_before(&self) -> Option<TimeRange> {
        TimeRange::new(Nanos::MIN, midnight(self.known.0) + DAY).ok()
    }

    fn unknown_after(&self) -> Option<TimeRange> {
        TimeRange::new(midnight(self.known.1), Nanos::MAX).ok()
    }
}
