//! Times in which the gateway is left alone (pure): its nightly restart, the weekly login.
//!
//! Written `[DAY] HH:MM[:SS]-HH:MM[:SS] ZONE`, such as `23:45-23:50 America/New_York` or
//! `sun 01:00-08:00 America/New_York`. An end that is not after the start lies on the next day.

use std::{fmt, str::FromStr};

use jiff::{
    Timestamp,
    civil::{Time, Weekday},
    tz::TimeZone,
};

use crate::model::Nanos;

/// A time of day, of every day or of one day of the week, on the clock of a zone.
#[derive(Debug, Clone)]
pub struct QuietTime {
    day: Option<Weekday>,
    start: Time,
    end: Time,
    zone: TimeZone,
    text: String,
}

/// One occurrence of a quiet time: half open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Quiet {
    pub(super) start: Nanos,
    pub(super) end: Nanos,
}

impl FromStr for QuietTime {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "it should read [DAY] HH:MM-HH:MM ZONE, such as sun 01:00-08:00 America/New_York";
        let words: Vec<&str> = text.split_whitespace().collect();
        let (day, times, zone) = match words.as_slice() {
            [times, zone] => (None, times, zone),
            [day, times, zone] => (Some(weekday(day).ok_or(FORM)?), times, zone),
            _ => return Err(FORM),
        };
        let (start, end) = times.split_once('-').ok_or(FORM)?;
        let time = |text: &str| Time::strptime("%H:%M:%S", text).or_else(|_| Time::strptime("%H:%M", text));
        let (start, end) = (time(start).map_err(|_| FORM)?, time(end).map_err(|_| FORM)?);
        if start == end {
            return Err("it would last a whole day: give a start and an end that differ");
        }
        let zone =
            TimeZone::get(zone).map_err(|_| "its zone is not one of the IANA names, such as America/New_York")?;
        Ok(Self { day, start, end, zone, text: text.to_owned() })
    }
}

fn weekday(text: &str) -> Option<Weekday> {
    use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let days = [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday];
    let at = names.iter().position(|name| text.eq_ignore_ascii_case(name))?;
    days.get(at).copied()
}

impl fmt::Display for QuietTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl QuietTime {
    /// The occurrence that has not ended at `now`: the current one, or the next.
    fn at_or_after(&self, now: Nanos) -> Option<Quiet> {
        let timestamp = Timestamp::from_nanosecond(i128::from(now)).ok()?;
        let mut date = self.zone.to_datetime(timestamp).date().yesterday().ok()?;
        // a week and the day on either side
        for _ in 0..9 {
            let next = date.tomorrow().ok()?;
            if self.day.is_none_or(|day| day == date.weekday()) {
                let last = if self.end > self.start { date } else { next };
                // a time that a change of clocks leaves out begins when the clocks have changed
                let instant = |date: jiff::civil::Date, time| {
                    let at = self.zone.to_timestamp(date.to_datetime(time)).ok()?;
                    Nanos::try_from(at.as_nanosecond()).ok()
                };
                let quiet = Quiet { start: instant(date, self.start)?, end: instant(last, self.end)? };
                if quiet.end > now && quiet.end > quiet.start {
                    return Some(quiet);
                }
            }
            date = next;
        }
        None
    }
}

/// The quiet time that holds at `now`, or the next one. Times that touch or overlap are one.
pub(super) fn current_or_next(times: &[QuietTime], now: Nanos) -> Option<Quiet> {
    let mut found = times.iter().filter_map(|time| time.at_or_after(now)).min()?;
    while let Some(longer) = times
        .iter()
        .filter_map(|time| time.at_or_after(found.start))
        .find(|other| other.start <= found.end && other.end > found.end)
    {
        found.end = longer.end;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Nanos {
        Nanos::try_from(text.parse::<Timestamp>().unwrap().as_nanosecond()).unwrap()
    }

    fn next(times: &[&str], now: &str) -> (String, String) {
        let times: Vec<QuietTime> = times.iter().map(|time| time.parse().unwrap()).collect();
        let quiet = current_or_next(&times, at(now)).unwrap();
        (crate::clock::text(quiet.start), crate::clock::text(quiet.end))
    }

    fn said(start: &str, end: &str) -> (String, String) {
        (start.to_owned(), end.to_owned())
    }

    #[test]
    fn every_night_in_the_zone_of_the_gateway() {
        let nightly = ["23:45-00:15 America/New_York"];
        let winter = said("2026-01-10T04:45:00Z", "2026-01-10T05:15:00Z");
        assert_eq!(next(&nightly, "2026-01-09T12:00:00Z"), winter);
        assert_eq!(next(&nightly, "2026-01-10T05:14:59Z"), winter, "still the same night");
        assert_eq!(next(&nightly, "2026-01-10T05:15:00Z").0, "2026-01-11T04:45:00Z", "the end is not part of it");
        assert_eq!(next(&nightly, "2026-07-10T05:15:00Z").0, "2026-07-11T03:45:00Z", "summer time");
    }

    #[test]
    fn one_day_of_the_week() {
        let weekly = ["sun 01:00-08:00 America/New_York"];
        assert_eq!(next(&weekly, "2026-11-27T20:00:00Z"), said("2026-11-29T06:00:00Z", "2026-11-29T13:00:00Z"));
        assert_eq!(next(&weekly, "2026-11-29T13:00:00Z").0, "2026-12-06T06:00:00Z");
    }

    #[test]
    fn what_touches_is_one() {
        let both = ["10:00-11:00 UTC", "10:30-12:00 UTC", "12:00-12:30 UTC", "20:00-21:00 UTC"];
        assert_eq!(next(&both, "2026-11-27T10:15:00Z"), said("2026-11-27T10:00:00Z", "2026-11-27T12:30:00Z"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for wrong in
            ["", "23:45", "25:00-26:00 UTC", "funday 10:00-11:00 UTC", "10:00-10:00 UTC", "10:00-11:00 Mars", "a b c d"]
        {
            assert!(wrong.parse::<QuietTime>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn it_has_not_ended_and_nothing_lies_between(hour in 0_i8..24, minutes in 1_i64..1_440, now in 0_i64..4_000_000_000) {
            let start = Time::new(hour, 0, 0, 0).unwrap();
            let end = start.wrapping_add(jiff::Span::new().minutes(minutes));
            prop_assume!(start != end);
            let time: QuietTime = format!("{start}-{end} Europe/Berlin").parse().unwrap();
            let now = now * crate::model::SECOND;
            let quiet = current_or_next(std::slice::from_ref(&time), now).unwrap();
            prop_assert!(quiet.end > now && quiet.start < quiet.end);
            // at most a day and an hour of changed clocks away
            prop_assert!(quiet.start - now <= crate::model::DAY + crate::model::HOUR);
        }
    }
}
