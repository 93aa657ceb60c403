//! From a stamp to the start of a bar.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::{Offset, TimeZone},
};

use super::{CsvOptions, stamp::Stamp};
use crate::model::Nanos;

/// Why a stamp is no start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    /// Not read, or not representable.
    Unparsable,
    /// The wall shows this time twice or never on that day.
    Ambiguous,
    /// A zone must be given.
    ZoneNeeded,
}

/// The start of the bar that `text` stamps.
pub(super) fn start(text: &str, options: &CsvOptions) -> Result<Nanos, Unusable> {
    let stamp = Stamp::parse(text).ok_or(Unusable::Unparsable)?;
    let zone = options.time_zone.as_ref();
    let start = if options.timeframe.is_intraday() {
        nanos(instant(stamp, zone)?)?
    } else {
        midnight(exchange_date(stamp, zone)?)?
    };
    // the end of the bar must be an instant too: everyone adds the step
    let end = start.checked_add(options.timeframe.step());
    end.map(|_| start).ok_or(Unusable::Unparsable)
}

fn instant(stamp: Stamp, zone: Option<&TimeZone>) -> Result<Timestamp, Unusable> {
    if let Some(offset) = stamp.offset {
        return offset.to_timestamp(stamp.wall).map_err(|_| Unusable::Unparsable);
    }
    let instant = zone.ok_or(Unusable::ZoneNeeded)?.to_ambiguous_timestamp(stamp.wall);
    if instant.is_ambiguous() {
        return Err(Unusable::Ambiguous);
    }
    instant.unambiguous().map_err(|_| Unusable::Unparsable)
}

/// The exchange date of a bar of one day or longer. Midnight UTC is how such bars are labelled by most who write a
/// zone at all, IB's files included; read in the exchange's zone it would name the day before.
fn exchange_date(stamp: Stamp, zone: Option<&TimeZone>) -> Result<Date, Unusable> {
    if stamp.offset.is_none() {
        return Ok(stamp.wall.date());
    }
    let instant = instant(stamp, zone)?;
    let utc = Offset::UTC.to_datetime(instant);
    Ok(match zone {
        _ if utc.time() == Time::midnight() => utc.date(),
        Some(zone) => zone.to_datetime(instant).date(),
        // whoever wrote the stamp wrote it in the zone he lives by
        None => stamp.wall.date(),
    })
}

fn midnight(date: Date) -> Result<Nanos, Unusable> {
    let midnight = Offset::UTC.to_timestamp(date.to_datetime(Time::midnight()));
    nanos(midnight.map_err(|_| Unusable::Unparsable)?)
}

fn nanos(instant: Timestamp) -> Result<Nanos, Unusable> {
    Nanos::try_from(instant.as_nanosecond()).map_err(|_| Unusable::Unparsable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timeframe;

    fn read(text: &str, timeframe: Timeframe, zone: Option<&str>) -> Result<String, Unusable> {
        let options = CsvOptions { timeframe, time_zone: zone.map(|name| TimeZone::get(name).unwrap()) };
        start(text, &options).map(|start| Timestamp::from_nanosecond(start.into()).unwrap().to_string())
    }

    #[test]
    fn intraday_stamps_are_instants() {
        let hours = |text, zone| read(text, Timeframe::Hours1, zone);
        let eight = Ok("2025-05-22T08:00:00Z".to_owned());
        assert_eq!(hours("2025-05-22 08:00:00+00:00", None), eight);
        assert_eq!(hours("2025-05-22T04:00:00-04:00", Some("Asia/Tokyo")), eight);
        assert_eq!(hours("2025-05-22 04:00:00", Some("America/New_York")), eight);
        assert_eq!(hours("2025-05-22 04:00:00", None), Err(Unusable::ZoneNeeded));
        assert_eq!(hours("2025-05-22", None), Err(Unusable::ZoneNeeded));
        assert_eq!(hours("2025-05-22", Some("America/New_York")), Ok("2025-05-22T04:00:00Z".into()));
    }

    #[test]
    fn a_wall_time_that_happens_twice_or_never_is_no_instant() {
        let new_york = |text| read(text, Timeframe::Minutes1, Some("America/New_York"));
        assert_eq!(new_york("2025-03-09 02:30:00"), Err(Unusable::Ambiguous));
        assert_eq!(new_york("2025-11-02 01:30:00"), Err(Unusable::Ambiguous));
        assert_eq!(new_york("2025-11-02 01:30:00-05:00"), Ok("2025-11-02T06:30:00Z".into()));
        assert_eq!(new_york("2025-11-02 02:00:00"), Ok("2025-11-02T07:00:00Z".into()));
    }

    #[test]
    fn longer_bars_carry_their_exchange_date() {
        let days = |text, zone| read(text, Timeframe::Days1, zone);
        let second = Ok("2024-01-02T00:00:00Z".to_owned());
        for text in [
            "2024-01-02",
            "2024-01-02 16:00:00",
            "2024-01-02 00:00:00+00:00",
            "2024-01-02T00:00:00Z",
            "2024-01-01T19:00:00-05:00",
            "2024-01-02T00:00:00-05:00",
            "2024-01-02T00:00:00+09:00",
        ] {
            assert_eq!(days(text, None), second, "{text}");
        }
        assert_eq!(days("2024-01-02 00:00:00+00:00", Some("America/New_York")), second);
        assert_eq!(days("2024-01-03 02:00:00+00:00", Some("America/New_York")), second);
        assert_eq!(days("2025-03-09 02:30:00", Some("America/New_York")), Ok("2025-03-09T00:00:00Z".into()));
    }

    #[test]
    fn only_what_64_bits_hold() {
        let minutes = |text| read(text, Timeframe::Minutes1, None);
        assert!(minutes("1677-09-21T00:12:44Z").is_ok());
        assert_eq!(minutes("1677-09-21T00:12:43Z"), Err(Unusable::Unparsable));
        assert!(minutes("2262-04-11T23:46:00Z").is_ok());
        assert_eq!(minutes("2262-04-11T23:47:00Z"), Err(Unusable::Unparsable));
        for text in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "9999-12-31", "0001-01-01"] {
            assert_eq!(read(text, Timeframe::Months1, Some("Asia/Tokyo")), Err(Unusable::Unparsable));
            assert_eq!(read(text, Timeframe::Seconds1, Some("Asia/Tokyo")), Err(Unusable::Unparsable));
        }
    }
}
