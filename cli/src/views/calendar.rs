//! When a market is open: `data calendar`.

use ktrdr_proto::v1::{Calendar, CalendarDay, GetCalendarResponse, ListCalendarsResponse, TimeRange};
use serde::Serialize;

use super::contract::Hours;

/// One market.
#[derive(Debug, Serialize)]
pub(crate) struct MarketView {
    pub(crate) code: String,
    pub(crate) names: Vec<String>,
    pub(crate) time_zone: String,
    pub(crate) known_from: String,
    pub(crate) known_until: String,
}

/// All markets.
#[derive(Debug, Serialize)]
pub(crate) struct MarketsView {
    pub(crate) calendars: Vec<MarketView>,
}

/// The days of one market.
#[derive(Debug, Serialize)]
pub(crate) struct CalendarView {
    pub(crate) calendar: MarketView,
    pub(crate) days: Vec<DayView>,
}

/// One day of a market.
#[derive(Debug, Serialize)]
pub(crate) struct DayView {
    pub(crate) date: String,
    pub(crate) open: bool,
    pub(crate) special: bool,
    pub(crate) regular: Vec<Hours>,
    pub(crate) all: Vec<Hours>,
}

impl From<Calendar> for MarketView {
    fn from(calendar: Calendar) -> Self {
        let Calendar { code, names, time_zone, known_from, known_until } = calendar;
        Self { code, names, time_zone, known_from, known_until }
    }
}

impl From<ListCalendarsResponse> for MarketsView {
    fn from(answer: ListCalendarsResponse) -> Self {
        Self { calendars: answer.calendars.into_iter().map(MarketView::from).collect() }
    }
}

impl From<GetCalendarResponse> for CalendarView {
    fn from(answer: GetCalendarResponse) -> Self {
        let calendar = answer.calendar.unwrap_or_default().into();
        Self { calendar, days: answer.days.into_iter().map(DayView::from).collect() }
    }
}

impl From<CalendarDay> for DayView {
    fn from(day: CalendarDay) -> Self {
        let hours = |ranges: Vec<TimeRange>| ranges.into_iter().filter_map(Hours::read).collect();
        Self {
            open: !day.regular.is_empty(),
            date: day.date,
            special: day.special,
            regular: hours(day.regular),
            all: hours(day.all),
        }
    }
}
