//! Which part of a time may hold bars at all (pure): the rest is never asked for.

use jiff::civil::Date;

use super::{Calendar, Day};
use crate::model::{Coverage, DAY, HOUR, Nanos, Session, TimeRange, Timeframe};

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
        let mut parts = Vec::new();
        for range in ranges {
            let mut add = |part: TimeRange| push(&mut parts, part.intersection(range));
            if let Some(before) = self.unknown_before().filter(|before| range.start() < before.end()) {
                add(before);
            }
            for day in self.days(range) {
                self.parts_of(&day, timeframe, session, also).into_iter().for_each(&mut add);
            }
            if let Some(after) = self.unknown_after().filter(|after| after.start() < range.end()) {
                add(after);
            }
        }
        let also = also.iter().filter(|_| timeframe.is_intraday());
        let told = also.flat_map(|also| ranges.iter().filter_map(|range| range.intersection(also)));
        let all: Coverage = parts.into_iter().chain(told).collect();
        all.intervals().to_vec()
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

/// Joins what touches.
fn push(parts: &mut Vec<TimeRange>, part: Option<TimeRange>) {
    let Some(part) = part else { return };
    match parts.last_mut() {
        Some(last) if part.start() <= last.end() => {
            *last = TimeRange::new(last.start(), last.end().max(part.end())).unwrap_or(*last);
        }
        _ => parts.push(part),
    }
}

fn midnight(date: Date) -> Nanos {
    let epoch = jiff::civil::date(1970, 1, 1);
    Nanos::from(date.since(epoch).map_or(0, |span| span.get_days())) * DAY
}
