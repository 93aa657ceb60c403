//! How far back a request reaches: from an end and a span to a first instant or date.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::schedule::Schedule;
use super::zone::{self, plus_days};
use super::{BarSize, Span};

/// First instant of intraday bars that a schedule gives. Seconds count trading, days whole sessions,
/// longer units the calendar; nothing before `floor`.
pub(crate) fn first_instant(schedule: &Schedule, regular: bool, end: i64, span: Span, floor: i64) -> i64 {
    let mut sessions = schedule.back_from(end, floor, regular);
    let first = match span {
        Span::Seconds(seconds) => {
            let mut left = seconds;
            sessions.find_map(|session| {
                let close = session.close.min(end);
                let reached = (close - session.open >= left).then_some(close - left);
                left -= close - session.open;
                reached
            })
        }
        Span::Days(days) => sessions.nth(index(days)).map(|session| session.open),
        longer => Some(calendar_back(&schedule.zone, end, longer)),
    };
    first.unwrap_or(floor).max(floor)
}

/// First date of daily and longer bars. A date counts when its midnight lies before the end.
pub(crate) fn first_date(schedule: &Schedule, regular: bool, end: i64, span: Span, floor: i64) -> Date {
    let oldest = schedule.local_date(floor);
    let started = |date: Date| zone::midnight(&schedule.zone, date) < end;
    let mut dates = schedule.back_from(end, floor, regular).map(|session| session.date).filter(|date| started(*date));
    let first = match span {
        Span::Seconds(_) => {
            let reached = first_instant(schedule, regular, end, span, floor);
            Some(schedule.trade_date(reached))
        }
        Span::Days(days) => dates.nth(index(days)),
        longer => Some(date_at_or_after(&schedule.zone, calendar_back(&schedule.zone, end, longer))),
    };
    first.unwrap_or(oldest).max(oldest)
}

/// Weeks, months and years before an end, on the exchange's calendar.
pub(crate) fn calendar_back(zone: &TimeZone, end: i64, span: Span) -> i64 {
    let Some(calendar) = span.calendar() else { return end };
    let end = zone::local(zone, end);
    zone::second_of(zone, end.saturating_sub(calendar))
}

/// What a date's bar belongs to: itself, its week's Monday, its month's first.
pub(crate) fn group_of(date: Date, size: BarSize) -> Date {
    match size {
        BarSize::Month => date.first_of_month(),
        BarSize::Week => plus_days(date, -i64::from(days_since_monday(date.weekday()))),
        BarSize::Day | BarSize::Seconds(_) => date,
    }
}

/// First date whose midnight is not before an instant.
fn date_at_or_after(zone: &TimeZone, second: i64) -> Date {
    let date = zone::local(zone, second).date();
    plus_days(date, i64::from(zone::midnight(zone, date) < second))
}

fn days_since_monday(weekday: Weekday) -> i8 {
    weekday.to_monday_zero_offset()
}

fn index(days: i64) -> usize {
    usize::try_from(days - 1).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn new_york(day: Date, hour: i8) -> i64 {
        zone::instant(&Schedule::us_stock().zone, day, time(hour, 0, 0, 0))
    }

    #[test]
    fn a_day_of_seconds_is_three_regular_sessions_and_a_bit() {
        let end = new_york(date(2025, 6, 7), 0);
        let first = first_instant(&Schedule::us_stock(), true, end, Span::Seconds(86_400), 0);
        assert_eq!(Schedule::us_stock().local_date(first), date(2025, 6, 3));
    }

    #[test]
    fn days_are_sessions_across_a_weekend() {
        let end = new_york(date(2025, 6, 9), 12);
        let first = first_instant(&Schedule::us_stock(), false, end, Span::Days(2), 0);
        assert_eq!(first, new_york(date(2025, 6, 6), 4));
    }

    #[test]
    fn midnight_ends_the_day_before() {
        let end = new_york(date(2025, 6, 7), 0);
        assert_eq!(first_date(&Schedule::forex(), false, end, Span::Days(1), 0), date(2025, 6, 6));
        assert_eq!(first_date(&Schedule::us_stock(), false, end, Span::Months(1), 0), date(2025, 5, 7));
    }

    #[test]
    fn nothing_reaches_below_the_floor() {
        let floor = new_york(date(2025, 6, 5), 9);
        let end = new_york(date(2025, 6, 7), 0);
        assert_eq!(first_instant(&Schedule::us_stock(), true, end, Span::Years(5), floor), floor);
        assert_eq!(first_instant(&Schedule::us_stock(), true, end, Span::Days(30), floor), floor);
    }
}
