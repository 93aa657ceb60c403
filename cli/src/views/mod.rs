//! The documents of `--format json`, made from the messages of the wire, and the words and cells that tables share
//! with them. Keys are a promise: one may be added, none renamed.

pub(crate) mod calendar;
pub(crate) mod check;
pub(crate) mod contract;
pub(crate) mod daemon;
pub(crate) mod gateway;
pub(crate) mod housekeeping;
pub(crate) mod import;
pub(crate) mod operation;
pub(crate) mod series;
pub(crate) mod services;
pub(crate) mod training;

use ktrdr_proto::{
    spelling::{self, Word},
    v1::SeriesId,
};

/// The word of an enum's value as it came over the wire.
pub(crate) fn word<E: Word + TryFrom<i32>>(value: i32) -> &'static str {
    // A value of tomorrow's daemon has no word yet.
    E::try_from(value).map_or("unknown", Word::word)
}

/// The spelling of a series' timeframe.
pub(crate) fn timeframe(series: Option<&SeriesId>) -> &'static str {
    series.and_then(|series| spelling::timeframe(series.timeframe())).unwrap_or("unknown")
}
