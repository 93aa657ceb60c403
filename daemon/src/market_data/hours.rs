//! Trading hours in IB's notation, as ranges of instants (pure).
//!
//! A part is `20240102:0400-20240102:2000`, `20240103:CLOSED`, or the old form without the date of the end, several
//! sessions apart by commas: then an end that is not after its start means that the session began the day before.

use jiff::{civil::DateTime, tz::TimeZone};

use crate::model::{Nanos, TimeRange};

/// Ascending. A part that cannot be read is left out: hours are told, never decided on.
pub(super) fn sessions(parts: &[String], zone: &TimeZone) -> Vec<TimeRange> {
    let texts = parts.iter().flat_map(|part| part.split(';'));
    let mut all: Vec<TimeRange> = texts.flat_map(|day| day_sessions(day.trim(), zone)).collect();
    all.sort_by_key(TimeRange::start);
    all.dedup();
    all
}

fn day_sessions(day: &str, zone: &TimeZone) -> Vec<TimeRange> {
    let Some((date, times)) = day.split_once(':') else { return Vec::new() };
    times.split(',').filter_map(|session| one(date, session, zone)).collect()
}

/// `date` is the day before the first colon; both ends may carry one of their own.
fn one(date: &str, session: &str, zone: &TimeZone) -> Option<TimeRange> {
    let (start, end) = session.split_once('-')?;
    let (start_date, start) = start.split_once(':').unwrap_or((date, start));
    let dated_end = end.split_once(':');
    let (end_date, end) = dated_end.unwrap_or((start_date, end));
    let (mut start, end) = (local(start_date, start)?, local(end_date, end)?);
    if dated_end.is_none() && end <= start {
        start = start.yesterday_same_time()?;
    }
    TimeRange::new(instant(start, zone)?, instant(end, zone)?).ok()
}

trait Yesterday: Sized {
    fn yesterday_same_time(self) -> Option<Self>;
}

impl Yesterday for DateTime {
    fn yesterday_same_time(self) -> Option<Self> {
        Some(self.date().yesterday().ok()?.to_datetime(self.time()))
    }
}

/// `2400` is the next midnight.
fn local(date: &str, time: &str) -> Option<DateTime> {
    let day = jiff::civil::Date::strptime("%Y%m%d", date).ok()?;
    if time == "2400" {
        return Some(day.tomorrow().ok()?.at(0, 0, 0, 0));
    }
    Some(day.to_datetime(jiff::civil::Time::strptime("%H%M", time).ok()?))
}

fn instant(at: DateTime, zone: &TimeZone) -> Option<Nanos> {
    Nanos::try_from(zone.to_timestamp(at).ok()?.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let zone = TimeZone::get("America/New_York").unwrap();
        let text_of = |range: &TimeRange| (crate::clock::text(range.start()), crate::clock::text(range.end()));
        sessions(&[text.to_owned()], &zone).iter().map(text_of).collect()
    }

    fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
        wanted.iter().map(|(start, end)| ((*start).to_owned(), (*end).to_owned())).collect()
    }

    #[test]
    fn every_form_is_read() {
        for (text, wanted) in [
            ("20240102:0400-20240102:2000;20240103:CLOSED", &[("2024-01-02T09:00:00Z", "2024-01-03T01:00:00Z")][..]),
            ("20240107:1800-20240108:1700", &[("2024-01-07T23:00:00Z", "2024-01-08T22:00:00Z")]),
            ("20180320:1715-1700", &[("2018-03-19T21:15:00Z", "2018-03-20T21:00:00Z")]),
            (
                "20130114:1700-1515,1530-1615",
                &[("2013-01-13T22:00:00Z", "2013-01-14T20:15:00Z"), ("2013-01-14T20:30:00Z", "2013-01-14T21:15:00Z")],
            ),
            ("20240102:0000-20240102:2400", &[("2024-01-02T05:00:00Z", "2024-01-03T05:00:00Z")]),
            ("", &[]),
            ("20241301:0400-20241301:2000;nonsense;20240102:2000-20240102:0400", &[]),
        ] {
            assert_eq!(read(text), pairs(wanted), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[0-9:;,\\-A-Z]{0,60}|\\PC{0,40}") {
            read(&text);
        }
    }

    /// A zone on the first line, hours on the others.
    #[test]
    fn foreign_bytes() {
        // a line may be empty, and costs a string
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "hours").memory(96, 1 << 20).check(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            let mut lines = text.lines();
            let name = lines.next().unwrap_or_default();
            let zone = crate::market_data::zones::by_name(name).ok_or("nobody knows the zone")?;
            let parts: Vec<String> = lines.map(str::to_owned).collect();
            let sessions = sessions(&parts, &zone);
            assert!(sessions.is_sorted_by_key(TimeRange::start), "{sessions:?}");
            assert!(sessions.iter().all(|one| one.start() < one.end()), "{sessions:?}");
            Ok(format!("{} sessions", if sessions.is_empty() { "no" } else { "some" }))
        });
    }
}
