//! Instants as the old service's framework took them: ISO with or without a time and an offset, or a number since 1970 (pure).

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use serde_json::Value;

use crate::model::{Nanos, SECOND};

const MILLISECOND: Nanos = SECOND / 1_000;

/// Larger numbers are milliseconds.
const SECONDS_MAX: f64 = 2e10;

/// Why a value is no instant: in words, or because it is no kind of value that could be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoDate {
    Text(&'static str),
    Kind,
}

/// One that names no offset is UTC.
pub(super) fn read(value: &Value) -> Result<Nanos, NoDate> {
    match value {
        Value::String(text) => of_text(text.trim()),
        Value::Number(number) => of_number(number.as_f64().unwrap_or(f64::NAN)),
        _ => Err(NoDate::Kind),
    }
}

fn of_text(text: &str) -> Result<Nanos, NoDate> {
    if let Ok(number) = text.parse::<f64>() {
        return of_number(number);
    }
    let civil = || text.parse::<DateTime>().ok().and_then(|civil| TimeZone::UTC.to_timestamp(civil).ok());
    let at = text.parse::<Timestamp>().ok().or_else(civil).ok_or_else(|| NoDate::Text(why_not(text)))?;
    Nanos::try_from(at.as_nanosecond()).map_err(|_| NoDate::Text("year is out of range"))
}

#[expect(clippy::cast_possible_truncation, reason = "the range is looked at first")]
fn of_number(number: f64) -> Result<Nanos, NoDate> {
    let unit = if number.abs() > SECONDS_MAX { MILLISECOND } else { SECOND };
    #[expect(clippy::cast_precision_loss, reason = "both units are exact")]
    let nanos = number * unit as f64;
    if !nanos.is_finite() {
        return Err(NoDate::Text("NaN values not permitted"));
    }
    if nanos.abs() >= 9.2e18 {
        return Err(NoDate::Text("dates after 9999 are not supported as unix timestamps"));
    }
    Ok(nanos as Nanos)
}

/// The framework's words.
fn why_not(text: &str) -> &'static str {
    let bytes = text.as_bytes();
    let month = || text.get(5..7).and_then(|digits| digits.parse::<u8>().ok());
    match bytes {
        _ if bytes.len() < 10 => "input is too short",
        _ if !bytes[..4].iter().all(u8::is_ascii_digit) => "invalid character in year",
        _ if bytes[4] != b'-' || bytes[7] != b'-' => "invalid date separator, expected `-`",
        _ if month().is_none_or(|month| !(1..=12).contains(&month)) => "month value is outside expected range of 1-12",
        _ if text.get(..10).is_none_or(|date| date.parse::<Date>().is_err()) => "day value is outside expected range",
        _ => "unexpected extra characters at the end of the input",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn an_instant_has_many_spellings() {
        let day = 1_735_776_000 * SECOND;
        for value in [
            json!("2025-01-02T00:00:00Z"),
            json!("2025-01-01T19:00:00-05:00"),
            json!("2025-01-02 00:00:00"),
            json!(" 2025-01-02 "),
            json!("2025-01-02T00:00:00.000000"),
            json!(1_735_776_000),
            json!("1735776000"),
            json!(1_735_776_000_000_i64),
        ] {
            assert_eq!(read(&value), Ok(day), "{value}");
        }
        let refused = |text: &str| read(&json!(text)).unwrap_err();
        assert_eq!(refused("yesterday"), NoDate::Text("input is too short"));
        assert_eq!(refused("2025-13-01"), NoDate::Text("month value is outside expected range of 1-12"));
        assert_eq!(refused("2025-02-30"), NoDate::Text("day value is outside expected range"));
        assert_eq!(refused("2025-02-03Tnoon"), NoDate::Text("unexpected extra characters at the end of the input"));
        assert_eq!(read(&json!(true)), Err(NoDate::Kind));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(text in ".{0,40}", number in any::<f64>()) {
            prop_assert!(!matches!(read(&json!(text)), Err(NoDate::Kind)));
            // JSON has no number for infinity
            let read = read(&json!(number));
            prop_assert!(number.is_finite() || read == Err(NoDate::Kind));
        }
    }
}
