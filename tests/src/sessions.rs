//! Days on which New York trades: of others the daemon asks for nothing.

use jiff::{Timestamp, ToSpan as _, civil::Date, civil::Weekday, tz::TimeZone};

const TABLE: &str = include_str!("../../daemon/src/market_data/calendar/tables/XNYS.txt");

/// Whether there is a session of the usual hours.
pub fn is_session(day: Date) -> bool {
    let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let other = |line: &str| line.split(' ').nth(1) == Some(&day.to_string());
    !weekend && !TABLE.lines().any(other)
}

/// This hour (UTC) of the last session that is over everywhere.
pub fn last_session_at(hour: i8) -> Timestamp {
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    let past = today.saturating_sub(2.days()).series(-1.days());
    let day = past.into_iter().find(|day| is_session(*day)).unwrap_or(today);
    TimeZone::UTC.to_timestamp(day.at(hour, 0, 0, 0)).unwrap_or_default()
}
