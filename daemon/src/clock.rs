//! The wall clock, in the daemon's unit. Pure code takes instants as arguments instead of calling this.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::Nanos;

/// Now, UTC.
pub fn now() -> Nanos {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Nanos::try_from(since.as_nanos()).unwrap_or(Nanos::MAX)
}

/// The current year, UTC.
pub fn year() -> i16 {
    jiff::Timestamp::from_nanosecond(i128::from(now()))
        .map_or(1970, |now| jiff::tz::TimeZone::UTC.to_datetime(now).year())
}

/// `2024-01-02T14:30:00Z`, for people and logs.
pub fn text(instant: Nanos) -> String {
    let whole_seconds = instant.div_euclid(1_000_000_000);
    match jiff::Timestamp::from_second(whole_seconds) {
        Ok(timestamp) => timestamp.to_string(),
        Err(_) => instant.to_string(),
    }
}
