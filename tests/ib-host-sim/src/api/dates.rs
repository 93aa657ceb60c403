//! Dates as the Python framework reads them: ISO with or without a time and an offset, or a number.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;

/// Numbers above are milliseconds.
const MOST_SECONDS: f64 = 2e10;

/// An instant as a request names it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    /// No offset was said; it is read as UTC.
    pub(super) naive: bool,
}

impl Moment {
    /// The first whole second that is not before it.
    pub(super) fn second(self) -> i64 {
        let whole = self.at.as_second();
        whole + i64::from(self.at.subsec_nanosecond() > 0)
    }
}

/// The error is the reason of a text that is none, and nothing for what is no text.
pub(super) fn read_date(value: &Value) -> Result<Moment, Option<&'static str>> {
    match value {
        Value::String(text) => read_text(text.trim()).map_err(Some),
        Value::Number(number) => read_number(number.as_f64().unwrap_or(f64::NAN)).map_err(Some),
        _ => Err(None),
    }
}

fn read_text(text: &str) -> Result<Moment, &'static str> {
    if let Ok(number) = text.parse::<f64>()
        && text.starts_with(|first: char| first.is_ascii_digit() || first == '-')
    {
        return read_number(number);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Moment { at, naive: false });
    }
    // A date is one at midnight.
    match text.parse::<DateTime>() {
        Ok(civil) => {
            let at = TimeZone::UTC.to_timestamp(civil).map_err(|_| "year is out of range")?;
            Ok(Moment { at, naive: true })
        }
        Err(_) => Err(why_not(text)),
    }
}

fn read_number(number: f64) -> Result<Moment, &'static str> {
    let seconds = if number.abs() > MOST_SECONDS { number / 1e3 } else { number };
    let since = jiff::SignedDuration::try_from_secs_f64(seconds).map_err(|_| "NaN values not permitted")?;
    let at = Timestamp::UNIX_EPOCH
        .checked_add(since)
        .map_err(|_| "dates after 9999 are not supported as unix timestamps")?;
    Ok(Moment { at, naive: false })
}

fn why_not(text: &str) -> &'static str {
    let number = |range| text.get(range).and_then(|digits: &str| digits.parse::<u8>().ok());
    if text.len() < 10 {
        "input is too short"
    } else if !text.bytes().take(4).all(|byte| byte.is_ascii_digit()) {
        "invalid character in year"
    } else if text.as_bytes().get(4) != Some(&b'-') || text.as_bytes().get(7) != Some(&b'-') {
        "invalid date separator, expected `-`"
    } else if number(5..7).is_none_or(|month| !(1..=12).contains(&month)) {
        "month value is outside expected range of 1-12"
    } else if text.get(..10).is_none_or(|date| date.parse::<Date>().is_err()) {
        "day value is outside expected range"
    } else {
        "unexpected extra characters at the end of the input"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dates_come_in_many_forms() {
        let at = |naive| Ok(Moment { at: "2025-01-02T00:00:00Z".parse().unwrap(), naive });
        for (value, naive) in [
            (json!("2025-01-02T00:00:00Z"), false),
            (json!("2025-01-02T00:00:00+00:00"), false),
            (json!("2025-01-01T19:00:00-05:00"), false),
            (json!("2025-01-02 00:00:00.000Z"), false),
            (json!("2025-01-02T00:00:00"), true),
            (json!("2025-01-02T00:00"), true),
            (json!("2025-01-02"), true),
            (json!(1_735_776_000), false),
            (json!("1735776000"), false),
            (json!(1_735_776_000_000_i64), false),
            (json!(1_735_776_000.0), false),
        ] {
            assert_eq!(read_date(&value), at(naive), "{value}");
        }
        let refused = |text: &str| read_date(&json!(text)).unwrap_err().unwrap();
        assert_eq!(refused("yesterday"), "input is too short");
        assert_eq!(refused("the day before"), "invalid character in year");
        assert_eq!(refused("2025-13-01"), "month value is outside expected range of 1-12");
        assert_eq!(refused("2025-02-30"), "day value is outside expected range");
        assert_eq!(refused("2025-02-03Tnoon"), "unexpected extra characters at the end of the input");
        assert_eq!((read_date(&json!(true)), read_date(&json!(null))), (Err(None), Err(None)));
    }

    #[test]
    fn parts_of_seconds_are_rounded_up() {
        let second = |text: &str| read_date(&json!(text)).unwrap().second();
        assert_eq!(second("1970-01-01T00:00:01.5Z"), 2);
        assert_eq!(second("1970-01-01T00:00:01Z"), 1);
    }
}
