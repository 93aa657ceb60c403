//! When markets are open (pure): which days have sessions, from when to when, and when a bar is due.
//!
//! `table` reads what was generated for an exchange, `forex` is the week of currency pairs, `grid` says where bars begin.
//! Times are of the exchange's own clock. What no table knows is unknown: nothing is extrapolated.
//!
//! Not here: what is stored or missing (`gaps`), what a contract's own hours say (`hours`).

mod forex;
mod grid;
mod names;
mod open;
mod table;

use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};

pub(super) use grid::{Grid, starts};
pub(super) use open::may_hold_bars;

use crate::model::{Nanos, Session, TimeRange};
use table::Table;

/// The sessions of one market.
#[derive(Debug)]
pub struct Calendar {
    /// ISO 10383 code of an exchange, `FOREX`, or `ALWAYS`.
    pub code: &'static str,
    zone: TimeZone,
    /// First and last day that is known.
    known: (Date, Date),
    rule: Rule,
}

#[derive(Debug)]
enum Rule {
    Table(Table),
    Forex,
    Always,
}

/// Which hours there are beside the regular ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extended {
    /// From 04:00 to 20:00, or to 17:00 when the day ends early (United States).
    UnitedStates,
    /// None: what is traded is traded in one session.
    None,
    /// Some, around the regular ones; nobody told us which.
    Unknown,
}

/// Two times of a day's clock; `opens_before`: the first is of the day before. Midnight as an end is 24:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) opens_before: bool,
    pub(super) opens: Time,
    pub(super) closes: Time,
}

const ALL_DAY: Part = Part { opens_before: false, opens: Time::midnight(), closes: Time::midnight() };

/// A day with its hours as instants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The exchange's date.
    pub date: Date,
    /// Regular hours, ascending; empty when there is no session.
    pub regular: Vec<TimeRange>,
    /// Hours in which bars are due when all hours are kept.
    pub all: Vec<TimeRange>,
    /// Hours outside of which there is nothing, when all hours are kept.
    pub widest: Vec<TimeRange>,
    /// Other hours than usual, or none on a day that usually has some.
    pub special: bool,
}

impl Day {
    /// When bars are due.
    pub fn due(&self, session: Session) -> &[TimeRange] {
        match session {
            Session::RegularHours => &self.regular,
            Session::AllHours => &self.all,
        }
    }

    /// When bars may be.
    pub fn allowed(&self, session: Session) -> &[TimeRange] {
        match session {
            Session::RegularHours => &self.regular,
            Session::AllHours => &self.widest,
        }
    }

    /// Whether there is a session.
    pub fn is_open(&self) -> bool {
        !self.widest.is_empty()
    }
}

impl Calendar {
    /// The exchange's clock.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Of its clock from UTC.
    pub(super) fn offset_at(&self, instant: Nanos) -> Nanos {
        let at = jiff::Timestamp::from_nanosecond(i128::from(instant)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Nanos::from(self.zone.to_offset(at).seconds()) * crate::model::SECOND
    }

    /// First and last day that is known.
    pub fn known(&self) -> (Date, Date) {
        self.known
    }

    /// One day; `None` where nothing is known.
    pub fn day(&self, date: Date) -> Option<Day> {
        if !(self.known.0..=self.known.1).contains(&date) {
            return None;
        }
        let (parts, special) = match &self.rule {
            Rule::Table(table) => table.parts(date),
            Rule::Forex => forex::parts(date),
            Rule::Always => (vec![ALL_DAY], false),
        };
        let instants = |parts: &[Part]| parts.iter().filter_map(|part| self.instants(date, *part)).collect();
        let regular: Vec<TimeRange> = instants(&parts);
        let (all, widest) = match self.extended() {
            // what a holiday means differs by product
            Extended::None => (regular.clone(), instants(&self.usual(date))),
            _ if parts.is_empty() => (Vec::new(), Vec::new()),
            Extended::UnitedStates => {
                let early = parts.iter().any(|part| part.closes < Time::constant(16, 0, 0, 0));
                let closes = Time::constant(if early { 17 } else { 20 }, 0, 0, 0);
                let all = instants(&[Part { opens_before: false, opens: Time::constant(4, 0, 0, 0), closes }]);
                (all.clone(), all)
            }
            Extended::Unknown => (regular.clone(), instants(&[ALL_DAY])),
        };
        Some(Day { date, regular, all, widest, special })
    }

    fn usual(&self, date: Date) -> Vec<Part> {
        match &self.rule {
            Rule::Table(table) => table.usual(date),
            Rule::Forex => forex::usual(date),
            Rule::Always => vec![ALL_DAY],
        }
    }

    /// The known days that have anything in a range, and one on each side.
    pub fn days(&self, range: &TimeRange) -> impl Iterator<Item = Day> + '_ {
        let date = |instant: Nanos| self.date_of(instant);
        let (first, last) = (date(range.start()), date(range.end()));
        let first = first.yesterday().unwrap_or(first).max(self.known.0);
        let last = last.tomorrow().unwrap_or(last).min(self.known.1);
        first.series(jiff::Span::new().days(1)).take_while(move |date| *date <= last).filter_map(|date| self.day(date))
    }

    /// The date on the exchange's clock.
    pub fn date_of(&self, instant: Nanos) -> Date {
        let at = jiff::Timestamp::from_nanosecond(i128::from(instant)).unwrap_or(jiff::Timestamp::MAX);
        self.zone.to_datetime(at).date()
    }

    fn extended(&self) -> Extended {
        match self.code {
            "XNYS" => Extended::UnitedStates,
            "CMES" | names::FOREX | names::ALWAYS => Extended::None,
            _ => Extended::Unknown,
        }
    }

    fn instants(&self, date: Date, part: Part) -> Option<TimeRange> {
        let instant = |date: Date, time: Time| {
            Nanos::try_from(self.zone.to_timestamp(date.to_datetime(time)).ok()?.as_nanosecond()).ok()
        };
        let opens = if part.opens_before { date.yesterday().ok()? } else { date };
        let closes = if part.closes == Time::midnight() { date.tomorrow().ok()? } else { date };
        TimeRange::new(instant(opens, part.opens)?, instant(closes, part.closes)?).ok()
    }
}

#[cfg(test)]
mod tests;
