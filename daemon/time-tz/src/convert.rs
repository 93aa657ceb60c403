//! The same for the types of `time`.

use crate::{Offset, OffsetResult, TimeZone};
use time::{OffsetDateTime, PrimitiveDateTime};

pub trait OffsetDateTimeExt {
    /// The same instant, with the offset that the zone has then.
    fn to_timezone<T: TimeZone>(&self, tz: &T) -> OffsetDateTime;
}

pub trait PrimitiveDateTimeExt {
    /// The instants at which a clock of the zone shows this.
    fn assume_timezone<T: TimeZone>(&self, tz: &T) -> OffsetResult<OffsetDateTime>;
}

impl OffsetDateTimeExt for OffsetDateTime {
    fn to_timezone<T: TimeZone>(&self, tz: &T) -> OffsetDateTime {
        self.to_offset(tz.get_offset_utc(self).to_utc())
    }
}

impl PrimitiveDateTimeExt for PrimitiveDateTime {
    fn assume_timezone<T: TimeZone>(&self, tz: &T) -> OffsetResult<OffsetDateTime> {
        let with = |offset: T::Offset| self.assume_offset(offset.to_utc());
        match tz.get_offset_local(&self.assume_utc()) {
            OffsetResult::Some(only) => OffsetResult::Some(with(only)),
            OffsetResult::Ambiguous(earlier, later) => OffsetResult::Ambiguous(with(earlier), with(later)),
            OffsetResult::None => OffsetResult::None,
        }
    }
}
