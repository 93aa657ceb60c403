//! Calendars on the wire.

use jiff::civil::Date;
use ktrdr_proto::v1 as pb;
use tonic::Status;

use super::{convert, status};
use crate::{
    market_data::{Calendar, Day, MarketDataError},
    model::TimeRange,
};

/// What one answer may hold: half a century.
const DAYS_MAX: i32 = 20_000;

/// First and last date.
pub(super) fn dates(request: &pb::GetCalendarRequest) -> Result<(Date, Date), Status> {
    let date = |text: &str| {
        let date = text.parse::<Date>();
        date.map_err(|_| status::of(&MarketDataError::Request("a date is written as 2025-12-24")))
    };
    let (first, last) = (date(&request.first_date)?, date(&request.last_date)?);
    if last < first {
        return Err(status::of(&MarketDataError::RangeInvalid));
    }
    if last.since(first).map_or(i32::MAX, |span| span.get_days()) > DAYS_MAX {
        return Err(status::of(&MarketDataError::Request("a calendar is told for at most 20,000 days at once")));
    }
    Ok((first, last))
}

pub(super) fn days(calendar: &Calendar, first: Date, last: Date) -> pb::GetCalendarResponse {
    let dates = first.series(jiff::Span::new().days(1)).take_while(|date| *date <= last);
    let days = dates.filter_map(|date| calendar.day(date)).map(|one| day(&one)).collect();
    pb::GetCalendarResponse { calendar: Some(calendar_to_wire(calendar)), days }
}

pub(super) fn all() -> pb::ListCalendarsResponse {
    pb::ListCalendarsResponse { calendars: Calendar::all().iter().map(calendar_to_wire).collect() }
}

fn calendar_to_wire(calendar: &Calendar) -> pb::Calendar {
    let (from, until) = calendar.known();
    pb::Calendar {
        code: calendar.code.to_owned(),
        names: calendar.other_names().iter().map(|name| (*name).to_owned()).collect(),
        time_zone: calendar.zone().iana_name().unwrap_or("UTC").to_owned(),
        known_from: from.to_string(),
        known_until: until.to_string(),
    }
}

fn day(day: &Day) -> pb::CalendarDay {
    let ranges = |all: &[TimeRange]| all.iter().map(convert::range_to_wire).collect();
    pb::CalendarDay {
        date: day.date.to_string(),
        regular: ranges(&day.regular),
        all: ranges(&day.all),
        special: day.special,
    }
}
