//! The last bar, if it came before it was over (pure). Of those before it, the next one says that they were.

use crate::{
    market_data::{calendar::Calendar, closing::labelled},
    model::{Nanos, Session, TimeRange, Timeframe},
};

/// What has to be known of the series.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) calendar: &'static Calendar,
    pub(super) timeframe: Timeframe,
    pub(super) session: Session,
    /// All its bars came then or earlier.
    pub(super) came: Nanos,
}

impl Ending {
    /// Weeks and months are labelled by any of their days, so nothing is said of them.
    pub(super) fn is_open(&self, start: Nanos) -> bool {
        self.end_of(start).is_some_and(|end| start <= self.came && self.came < end)
    }

    /// The last bar of a session may be a short one.
    fn end_of(&self, start: Nanos) -> Option<Nanos> {
        match self.timeframe {
            Timeframe::Weeks1 | Timeframe::Months1 => None,
            Timeframe::Days1 => {
                let day = self.calendar.day(labelled(start)?)?;
                day.due(self.session).last().map(TimeRange::end)
            }
            _ => {
                let day = self.calendar.day(self.calendar.date_of(start))?;
                let part = day.allowed(self.session).iter().find(|part| part.contains(start))?;
                Some(part.end().min(start.saturating_add(self.timeframe.step())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DAY, HOUR, MINUTE};

    fn at(text: &str) -> Nanos {
        i64::try_from(text.parse::<jiff::Timestamp>().unwrap().as_nanosecond()).unwrap()
    }

    fn is_open(timeframe: Timeframe, start: &str, came: Nanos) -> bool {
        let calendar = Calendar::named("NYSE").unwrap();
        Ending { calendar, timeframe, session: Session::RegularHours, came }.is_open(at(start))
    }

    #[test]
    fn a_bar_is_open_until_its_time_or_its_session_ends() {
        // New York closes at 21:00 UTC in winter, and at 18:00 on the day after Thanksgiving
        let cases = [
            (Timeframe::Hours1, "2025-11-24T15:00:00Z", "2025-11-24T16:00:00Z"),
            (Timeframe::Hours4, "2025-11-24T19:00:00Z", "2025-11-24T21:00:00Z"),
            (Timeframe::Days1, "2025-11-24T00:00:00Z", "2025-11-24T21:00:00Z"),
            (Timeframe::Days1, "2025-11-28T00:00:00Z", "2025-11-28T18:00:00Z"),
            (Timeframe::Minutes1, "2025-11-28T17:59:00Z", "2025-11-28T18:00:00Z"),
        ];
        for (timeframe, start, end) in cases {
            assert!(is_open(timeframe, start, at(end) - MINUTE / 2), "{start}");
            assert!(!is_open(timeframe, start, at(end)), "{start}");
            assert!(!is_open(timeframe, start, at(start) - 1), "what has not begun is told by another rule");
        }
        assert!(!is_open(Timeframe::Weeks1, "2025-11-24T00:00:00Z", at("2025-11-24T00:00:00Z") + DAY));
        assert!(!is_open(Timeframe::Hours1, "2025-11-24T03:00:00Z", at("2025-11-24T03:00:00Z") + HOUR / 2), "at night");
    }
}
