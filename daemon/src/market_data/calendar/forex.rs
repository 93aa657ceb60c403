//! The week of currency pairs as IB keeps it (pure): from Sunday 17:15 to Friday 17:00 in New York, with a break of a
//! quarter of an hour at 17:00. Verified on 2,591 hourly bars of EURUSD: none lies outside.
//!
//! A day is named by its end. On Christmas and New Year bars may be, but none is due: IB trades for a part of the day.

use jiff::civil::{Date, Time, Weekday};

use super::Part;

pub(super) const ZONE: &str = "America/New_York";

pub(super) fn parts(date: Date) -> (Vec<Part>, bool) {
    if matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
        return (Vec::new(), false);
    }
    if matches!((date.month(), date.day()), (12, 25) | (1, 1)) {
        return (Vec::new(), true);
    }
    (usual(date), false)
}

pub(super) fn usual(date: Date) -> Vec<Part> {
    if matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
        return Vec::new();
    }
    let (opens, closes) = (Time::constant(17, 15, 0, 0), Time::constant(17, 0, 0, 0));
    vec![Part { opens_before: true, opens, closes }]
}
