//! The words of the domain: values without I/O, clock, serde or prost.
//!
//! Each type has private fields and one fallible constructor, so that inside the daemon no text stands for a symbol
//! and no pair of numbers for a range.

mod bars;
mod coverage;
mod currency;
mod instrument;
mod series;
mod symbol;
mod time_range;
mod timeframe;

pub use bars::{Bar, Bars};
pub use coverage::Coverage;
pub use instrument::Instrument;
pub use series::{Basis, SeriesKey, Session, Source, WhatToShow};
pub use symbol::{InvalidSymbol, Symbol};
pub use time_range::{InvalidRange, TimeRange};
pub use timeframe::{DAY, HOUR, MINUTE, SECOND, Timeframe};

/// An instant: nanoseconds since 1970-01-01T00:00:00Z. A bar's instant is its start; a bar of one day and longer
/// carries midnight UTC of its exchange date.
pub type Nanos = i64;
