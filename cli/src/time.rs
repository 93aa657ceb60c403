//! Instants as text: what people type, what documents carry. Everything is UTC.

use std::fmt::{self, Write as _};

use jiff::{Timestamp, civil, tz::TimeZone};
use serde::{Serialize, Serializer};

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Nanoseconds since the epoch, written as RFC 3339 with `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant(pub(crate) i64);

impl Instant {
    pub(crate) fn timestamp(self) -> Timestamp {
        // Every i64 of nanoseconds lies within the years that jiff knows.
        Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.timestamp().fmt(f)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Writes the stamps of many bars. Neighbours mostly share their day, so its text is kept.
#[derive(Debug, Default)]
pub(crate) struct Stamps {
    /// Whose clock; absent: UTC.
    zone: Option<TimeZone>,
    day: Option<i64>,
    /// The date of `day`, then whatever belongs to the last stamp.
    text: String,
}

/// Characters of a date.
const DATE_LENGTH: usize = 10;

impl Stamps {
    /// On the clock of a place.
    pub(crate) fn on(zone: TimeZone) -> Self {
        Self { zone: Some(zone), ..Self::default() }
    }

    /// `2025-06-06T22:00:00Z`, or `2025-06-06T18:00:00-04:00`
    pub(crate) fn rfc3339(&mut self, ns: i64) -> &str {
        let offset = self.offset(ns);
        self.write(ns.saturating_add(offset.unwrap_or(0) * NANOS_PER_SECOND), 'T');
        match offset {
            None => self.text.push('Z'),
            Some(seconds) => {
                let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
                write!(self.text, "{sign}{:02}:{:02}", minutes / 60, minutes % 60).ok();
            }
        }
        &self.text
    }

    /// `2025-06-06 22:00:00`
    pub(crate) fn plain(&mut self, ns: i64) -> &str {
        let offset = self.offset(ns).unwrap_or(0);
        self.write(ns.saturating_add(offset * NANOS_PER_SECOND), ' ');
        &self.text
    }

    /// What the clock is called.
    pub(crate) fn clock(&self) -> &str {
        self.zone.as_ref().map_or("UTC", |zone| zone.iana_name().unwrap_or("local"))
    }

    /// Of the clock from UTC, in seconds.
    fn offset(&self, ns: i64) -> Option<i64> {
        let zone = self.zone.as_ref()?;
        Some(i64::from(zone.to_offset(Instant(ns).timestamp()).seconds()))
    }

    fn write(&mut self, ns: i64, separator: char) {
        let seconds = ns.div_euclid(NANOS_PER_SECOND);
        let (day, of_day) = (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
        if self.day == Some(day) {
            self.text.truncate(DATE_LENGTH);
        } else {
            let date = TimeZone::UTC.to_datetime(Instant(ns).timestamp()).date();
            self.text.clear();
            write!(self.text, "{date}").ok();
            self.day = Some(day);
        }
        self.text.push(separator);
        for (value, mark) in [(of_day / 3600, Some(':')), (of_day / 60 % 60, Some(':')), (of_day % 60, None)] {
            for digit in [value / 10, value % 10] {
                self.text.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
            }
            self.text.extend(mark);
        }
        let fraction = ns.rem_euclid(NANOS_PER_SECOND);
        if fraction != 0 {
            write!(self.text, ".{fraction:09}").ok();
        }
    }
}

/// Reads a first instant; a date is its midnight.
pub(crate) fn parse_start(text: &str) -> Result<i64, String> {
    parse(text, Some)
}

/// Reads the instant that is no longer part of a range; a date is the midnight after it.
pub(crate) fn parse_end(text: &str) -> Result<i64, String> {
    parse(text, |date| date.tomorrow().ok())
}

fn parse(text: &str, midnight_of: fn(civil::Date) -> Option<civil::Date>) -> Result<i64, String> {
    let text = text.trim();
    let utc = |moment: civil::DateTime| TimeZone::UTC.to_timestamp(moment).ok();
    let instant = if is_bare_date(text) {
        let date = text.parse::<civil::Date>().ok().and_then(midnight_of);
        date.and_then(|date| utc(date.at(0, 0, 0, 0)))
    } else {
        let with_zone = text.parse::<Timestamp>().ok();
        with_zone.or_else(|| text.parse::<civil::DateTime>().ok().and_then(utc))
    };
    let instant = instant.ok_or("write YYYY-MM-DD, YYYY-MM-DD HH:MM[:SS] (UTC) or an RFC 3339 instant")?;
    i64::try_from(instant.as_nanosecond()).map_err(|_| "outside the years 1678 to 2261".to_owned())
}

fn is_bare_date(text: &str) -> bool {
    text.len() == DATE_LENGTH && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// `12.3s`, `4.5m`, `1.2h`.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        format!("{seconds:.1}s")
    } else if seconds < 3600.0 {
        format!("{:.1}m", seconds / 60.0)
    } else {
        format!("{:.1}h", seconds / 3600.0)
    }
}

/// `42s`, `4m 05s`, `3h 12m`, `30d 04h`: for figures that are looked at while they grow.
pub(crate) fn span(start_ns: i64, end_ns: i64) -> String {
    let seconds = end_ns.saturating_sub(start_ns).max(0) / NANOS_PER_SECOND;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600..SECONDS_PER_DAY => format!("{}h {:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d {:02}h", seconds / SECONDS_PER_DAY, seconds / 3_600 % 24),
    }
}

/// This moment, nanoseconds since the epoch.
pub(crate) fn now() -> i64 {
    i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}

/// How far an instant is from now, either way, seconds.
pub(crate) fn seconds_off(ns: i64) -> f64 {
    let now = now();
    seconds_between(now, ns).max(seconds_between(ns, now))
}

/// Seconds between two instants; never negative, clocks may step.
#[expect(clippy::cast_precision_loss, reason = "a duration for people; 2^53 ns are 104 days")]
pub(crate) fn seconds_between(start_ns: i64, end_ns: i64) -> f64 {
    end_ns.saturating_sub(start_ns).max(0) as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRIDAY: i64 = 1_749_247_200_000_000_000; // 2025-06-06T22:00:00Z

    #[test]
    fn stamps_equal_what_jiff_writes() {
        let mut stamps = Stamps::default();
        let hours = (0..2000).map(|n| FRIDAY - 500 * 3_600 * NANOS_PER_SECOND + n * 3_599 * NANOS_PER_SECOND);
        let odd = [0, -1, 1, i64::MIN, i64::MAX, -86_400 * NANOS_PER_SECOND, 951_782_400 * NANOS_PER_SECOND];
        for ns in hours.chain(odd) {
            let text = stamps.rfc3339(ns).to_owned();
            assert_eq!(text.parse::<Timestamp>().unwrap().as_nanosecond(), i128::from(ns), "{text}");
        }
        assert_eq!(stamps.rfc3339(FRIDAY), "2025-06-06T22:00:00Z");
        assert_eq!(stamps.plain(FRIDAY + NANOS_PER_SECOND), "2025-06-06 22:00:01");
        assert_eq!(Instant(FRIDAY).to_string(), "2025-06-06T22:00:00Z");
    }

    #[test]
    fn another_clock_says_how_far_it_is_from_utc() {
        let mut new_york = Stamps::on(TimeZone::get("America/New_York").unwrap());
        assert_eq!(new_york.rfc3339(FRIDAY), "2025-06-06T18:00:00-04:00");
        assert_eq!(new_york.plain(FRIDAY + 6 * 3_600 * NANOS_PER_SECOND), "2025-06-07 00:00:00");
        assert_eq!((new_york.clock(), Stamps::default().clock()), ("America/New_York", "UTC"));
        let winter = 1_736_172_000 * NANOS_PER_SECOND;
        assert_eq!(new_york.rfc3339(winter), "2025-01-06T09:00:00-05:00");
    }

    #[test]
    fn a_date_is_midnight_as_start_and_the_next_one_as_end() {
        let day = 86_400 * NANOS_PER_SECOND;
        let midnight = FRIDAY - 22 * 3_600 * NANOS_PER_SECOND;
        assert_eq!(parse_start("2025-06-06"), Ok(midnight));
        assert_eq!(parse_end("2025-06-06"), Ok(midnight + day));
        assert_eq!(parse_end("2024-02-29"), parse_start("2024-03-01"));
        assert_eq!(parse_end("2024-12-31"), parse_start("2025-01-01"));
    }

    #[test]
    fn instants_are_read_in_all_their_forms() {
        for text in [
            "2025-06-06T22:00:00Z",
            "2025-06-06T22:00:00.000Z",
            "2025-06-07T00:00:00+02:00",
            "2025-06-06T18:00:00-04:00",
            "2025-06-06 22:00:00",
            "2025-06-06 22:00",
            "2025-06-06T22:00:00",
        ] {
            assert_eq!(parse_start(text), Ok(FRIDAY), "{text}");
            assert_eq!(parse_end(text), Ok(FRIDAY), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in
            ["", "yesterday", "2025-13-01", "2025-02-29", "2025-6-6", "06/06/2025", "2025-06-06 25:00", "1500-01-01"]
        {
            assert!(parse_start(text).is_err() && parse_end(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_read_as_before() {
        assert_eq!([duration(12.34), duration(270.0), duration(4320.0)], ["12.3s", "4.5m", "1.2h"]);
        assert_eq!(seconds_between(5, 0).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn spans_that_grow_keep_their_shape() {
        let spans = [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 2_606_400].map(|s| span(7, 7 + s * NANOS_PER_SECOND));
        assert_eq!(spans, ["0s", "59s", "1m 00s", "59m 59s", "1h 00m", "23h 59m", "1d 00h", "30d 04h"]);
        assert_eq!(span(1, i64::MIN), "0s", "clocks may step");
    }

    /// What is typed as an instant, and prints, is read again as the same.
    #[test]
    fn foreign_bytes() {
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "instant").check(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            let (start, end) = (parse_start(&text), parse_end(&text));
            assert!(start.is_ok() || end.is_err() || is_bare_date(text.trim()), "{end:?}");
            let start = start?;
            assert!(end.as_ref().is_err() || end.as_ref().is_ok_and(|end| start <= *end), "{start} {end:?}");
            let printed = Instant(start).to_string();
            assert_eq!(parse_start(&printed), Ok(start), "{printed}");
            let mut stamps = Stamps::default();
            assert_eq!(parse_start(stamps.rfc3339(start)), Ok(start));
            assert_eq!(parse_start(stamps.plain(start)), Ok(start));
            let mut there = Stamps::on(TimeZone::get("Asia/Kathmandu").unwrap());
            let told = there.rfc3339(start).to_owned();
            // at the ends of time the clock of a place shows a day that has no number
            let inside = (i64::MIN + 86_400 * NANOS_PER_SECOND..i64::MAX - 86_400 * NANOS_PER_SECOND).contains(&start);
            assert!(
                !inside || parse_start(&told).is_ok_and(|read| (read - start).abs() < 60 * NANOS_PER_SECOND),
                "{told}"
            );
            Ok(if end == Ok(start) { "instant" } else { "date" }.into())
        });
    }
}
