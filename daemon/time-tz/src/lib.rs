//! Stands in for the crate `time-tz`, which `ibapi` turns wall-clock readings of the gateway into instants with
//! (`[patch.crates-io]` in the workspace's manifest). Its tables are 48,000 pointers that every start of the daemon has to move
//! to where it was loaded: half of the start's page faults, and 2 MiB of memory. They are of 2022. Here the
//! same words ask jiff, so that the gateway's dates and the daemon's calendars are of one zone database.
//!
//! Only what `ibapi` uses is here: should another release of it use more, it does not compile.

mod convert;
pub mod timezones;

pub use convert::{OffsetDateTimeExt, PrimitiveDateTimeExt};
use jiff::Timestamp;
use time::{OffsetDateTime, UtcOffset};

/// A zone that has a name. All are of [`timezones`], and there for good.
#[derive(Debug, PartialEq, Eq)]
pub struct Tz {
    zone: jiff::tz::TimeZone,
}

/// How far a zone is from UTC at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TzOffset {
    utc: UtcOffset,
}

/// What a wall clock's reading may be: once, twice (the earlier one first), or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetResult<T> {
    Some(T),
    Ambiguous(T, T),
    None,
}

pub trait Offset {
    fn to_utc(&self) -> UtcOffset;
}

pub trait TimeZone {
    type Offset: Offset;

    /// The offset at an instant.
    fn get_offset_utc(&self, date_time: &OffsetDateTime) -> Self::Offset;

    /// The offsets with which a clock of the zone can show what `date_time` shows in UTC.
    fn get_offset_local(&self, date_time: &OffsetDateTime) -> OffsetResult<Self::Offset>;

    /// Its IANA name.
    fn name(&self) -> &str;
}

impl Offset for TzOffset {
    fn to_utc(&self) -> UtcOffset {
        self.utc
    }
}

impl TimeZone for Tz {
    type Offset = TzOffset;

    fn get_offset_utc(&self, date_time: &OffsetDateTime) -> TzOffset {
        offset(self.zone.to_offset(timestamp(date_time)))
    }

    fn get_offset_local(&self, date_time: &OffsetDateTime) -> OffsetResult<TzOffset> {
        use jiff::tz::AmbiguousOffset;
        let reading = jiff::tz::Offset::UTC.to_datetime(timestamp(date_time));
        match self.zone.to_ambiguous_timestamp(reading).offset() {
            AmbiguousOffset::Unambiguous { offset: only } => OffsetResult::Some(offset(only)),
            AmbiguousOffset::Fold { before, after } => OffsetResult::Ambiguous(offset(before), offset(after)),
            AmbiguousOffset::Gap { .. } => OffsetResult::None,
        }
    }

    fn name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }
}

/// `time` has years to ±9999 as jiff has, but for some hours at either end.
fn timestamp(date_time: &OffsetDateTime) -> Timestamp {
    let nearest = if date_time.unix_timestamp() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(date_time.unix_timestamp()).unwrap_or(nearest)
}

/// Both know offsets up to 25:59:59.
fn offset(of: jiff::tz::Offset) -> TzOffset {
    TzOffset { utc: UtcOffset::from_whole_seconds(of.seconds()).unwrap_or(UtcOffset::UTC) }
}

#[cfg(test)]
mod tests;
