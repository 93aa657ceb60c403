//! What is said of absent bars, and of how complete a session is (data).

use jiff::civil::Date;

use crate::model::{Nanos, TimeRange};

/// Why bars are absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapClass {
    /// Nobody asked for them.
    NeverAsked,
    /// They were asked for, and there are none.
    AskedAndEmpty,
    /// Before the first trade of a day, outside regular hours.
    NotTraded,
}

/// Absent bars of one session, or of sessions one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// From the first absent bar to the end of the last.
    pub range: TimeRange,
    /// Start of the last absent bar.
    pub last: Nanos,
    /// How many.
    pub bars: u64,
    /// Whole sessions among them.
    pub sessions: u64,
    /// Why.
    pub class: GapClass,
}

/// How complete a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completeness {
    /// Its date.
    pub date: Date,
    /// Bars that are due, of those not known to be none.
    pub due: u32,
    /// Those that are there.
    pub present: u32,
}
