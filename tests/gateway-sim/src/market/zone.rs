//! Between a wall clock and epoch seconds.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A zone of the bundled database; UTC if a name is not in it.
pub(crate) fn named(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// The instant of a wall clock time. A time that the spring change skips is moved on.
pub(crate) fn instant(zone: &TimeZone, date: Date, time: Time) -> i64 {
    second_of(zone, date.to_datetime(time))
}

pub(crate) fn midnight(zone: &TimeZone, date: Date) -> i64 {
    instant(zone, date, Time::midnight())
}

pub(crate) fn local(zone: &TimeZone, second: i64) -> DateTime {
    zone.to_datetime(timestamp(second))
}

/// Seconds to add to UTC for the wall clock.
pub(crate) fn offset(zone: &TimeZone, second: i64) -> i64 {
    i64::from(zone.to_offset(timestamp(second)).seconds())
}

pub(crate) fn second_of(zone: &TimeZone, at: DateTime) -> i64 {
    zone.to_timestamp(at).unwrap_or(Timestamp::MAX).as_second()
}

pub(crate) fn plus_days(date: Date, days: i64) -> Date {
    date.saturating_add(days.days())
}

fn timestamp(second: i64) -> Timestamp {
    let second = second.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
}
