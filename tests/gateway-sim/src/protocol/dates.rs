//! Dates as the protocol writes them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Zone of a date that names none: the one the gateway was installed with.
pub(crate) const GATEWAY_ZONE: &str = "US/Eastern";

/// A request's end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// Epoch seconds; `None` for "now".
    pub(crate) second: Option<i64>,
    pub(crate) named_zone: bool,
}

/// Empty, `yyyymmdd hh:mm:ss Zone`, `yyyymmdd-hh:mm:ss` (UTC), or the first without a zone. `None` if refused.
pub(crate) fn parse_end(text: &str) -> Option<End> {
    if text.is_empty() {
        return Some(End { second: None, named_zone: true });
    }
    if let Some((date, time)) = text.split_once('-') {
        return end(date, time, &TimeZone::UTC, true);
    }
    let mut parts = text.splitn(3, ' ');
    let (date, time) = (parts.next()?, parts.next()?);
    match parts.next() {
        // Known to the zone database, but not to the gateway.
        Some("GMT" | "") => None,
        Some(name) => end(date, time, &TimeZone::get(name).ok()?, true),
        None => end(date, time, &TimeZone::get(GATEWAY_ZONE).ok()?, false),
    }
}

fn end(date: &str, time: &str, zone: &TimeZone, named_zone: bool) -> Option<End> {
    let fixed = date.len() == 8 && time.len() == 8;
    let at = fixed.then(|| DateTime::strptime("%Y%m%d %H:%M:%S", format!("{date} {time}")).ok()).flatten()?;
    Some(End { second: Some(zone.to_timestamp(at).ok()?.as_second()), named_zone })
}

/// `yyyymmdd`.
pub(crate) fn day(date: Date) -> String {
    date.strftime("%Y%m%d").to_string()
}

/// `yyyymmdd hh:mm:ss Zone`, in the gateway's own zone.
pub(crate) fn in_gateway_zone(second: i64) -> String {
    let zone = TimeZone::get(GATEWAY_ZONE).unwrap_or(TimeZone::UTC);
    let at = zone.to_datetime(Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH));
    format!("{} {GATEWAY_ZONE}", at.strftime("%Y%m%d %H:%M:%S"))
}

/// `yyyymmdd hh:mm:ss UTC`.
pub(crate) fn utc(second: i64) -> String {
    format(second, "%Y%m%d %H:%M:%S UTC")
}

/// `yyyymmdd-hh:mm:ss`.
pub(crate) fn utc_dashed(second: i64) -> String {
    format(second, "%Y%m%d-%H:%M:%S")
}

/// `yyyymmdd-hh:mm:ss`, by the wall clock of whatever zone is meant.
pub(crate) fn dashed(at: DateTime) -> String {
    at.strftime("%Y%m%d-%H:%M:%S").to_string()
}

fn format(second: i64, form: &str) -> String {
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH).strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends() {
        let at = |second, named_zone| Some(End { second: Some(second), named_zone });
        assert_eq!(parse_end(""), Some(End { second: None, named_zone: true }));
        assert_eq!(parse_end("20240102 14:32:00 UTC"), at(1_704_205_920, true));
        assert_eq!(parse_end("20240102-14:32:00"), at(1_704_205_920, true));
        assert_eq!(parse_end("20240102 09:32:00 US/Eastern"), at(1_704_205_920, true));
        assert_eq!(parse_end("20240102 09:32:00"), at(1_704_205_920, false));
        for refused in ["20240102 14:32:00 GMT", "20240102", "2024-01-02 14:32:00", "20240102 14:32:00 Mars/One", "x"] {
            assert_eq!(parse_end(refused), None, "{refused}");
        }
    }
}
