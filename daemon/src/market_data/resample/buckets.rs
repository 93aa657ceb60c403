//! Which longer bar a shorter one belongs to (pure): along the sessions of the market, never across their ends.
//!
//! Up to an hour, longer bars begin where IB's own do; beyond an hour, at full steps from the opening of the session. A day
//! is the session of that date, a week is Monday to Sunday, a month the calendar's.

use jiff::{Span, civil::Date, tz::TimeZone};

use crate::{
    market_data::{
        calendar::{Calendar, Day, starts},
        closing::{midnight, monday_of},
    },
    model::{HOUR, Nanos, Session, TimeRange, Timeframe},
};

/// A longer bar: its name among its neighbours, its time, and until when shorter bars surely belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bucket {
    /// Ascending with time; of an intraday bar its start.
    pub(super) key: Nanos,
    pub(super) time: TimeRange,
    /// Shorter bars that begin before this instant, and after one that belongs to it, do so, too.
    pub(super) until: Nanos,
    /// The label of a day and longer so far: the date of the session.
    pub(super) date: Nanos,
}

/// Longer bars of one size, of one market.
#[derive(Debug, Clone)]
pub(super) struct Buckets {
    pub(super) calendar: Option<&'static Calendar>,
    pub(super) session: Session,
    pub(super) to: Timeframe,
    /// The shorter bars are labelled by dates.
    pub(super) of_dates: bool,
}

impl Buckets {
    /// The one that holds this start.
    pub(super) fn of(&self, start: Nanos) -> Option<Bucket> {
        if self.to.is_intraday() {
            return self.intraday(start);
        }
        let (date, session) = self.session_of(start)?;
        let days = |first: Date, days: i64| Some((first, first.checked_add(Span::new().days(days)).ok()?));
        let (first, next) = match self.to {
            Timeframe::Weeks1 => days(monday_of(date), 7)?,
            Timeframe::Months1 => (date.first_of_month(), date.last_of_month().tomorrow().ok()?),
            _ => days(date, 1)?,
        };
        let time = match (self.to, session) {
            (Timeframe::Days1, Some(session)) => session,
            _ => TimeRange::new(self.begins(first)?, self.begins(next)?).ok()?,
        };
        let until = session.map_or(time.end(), |session| session.end());
        Some(Bucket { key: midnight(first), time, until, date: midnight(date) })
    }

    fn intraday(&self, start: Nanos) -> Option<Bucket> {
        let step = self.to.step();
        let zone = self.zone();
        let part = self.days_around(start).find_map(|day| {
            let parts = day.due(self.session).iter().chain(day.allowed(self.session));
            parts.copied().find(|part| part.contains(start))
        });
        let time = match part {
            None => floor(start, step, &zone)?,
            Some(part) if step > HOUR => {
                let from = part.start() + (start - part.start()).div_euclid(step) * step;
                TimeRange::new(from, (from + step).min(part.end())).ok()?
            }
            Some(part) => {
                // past the opening, starts are full steps of the clock
                let floor = floor(start, step, &zone)?;
                let from = floor.start().max(part.start());
                debug_assert!(starts(&part, step, &zone).any(|one| one == from), "the grid of the calendar");
                TimeRange::new(from, floor.end().min(part.end())).ok()?
            }
        };
        Some(Bucket { key: time.start(), time, until: time.end(), date: time.start() })
    }

    /// The session's date, and its time where that is known.
    fn session_of(&self, start: Nanos) -> Option<(Date, Option<TimeRange>)> {
        if self.of_dates || self.calendar.is_none() {
            return Some((date_in(&TimeZone::UTC, start)?, None));
        }
        let hull = |day: &Day| {
            let parts = day.allowed(self.session);
            TimeRange::new(parts.first()?.start(), parts.last()?.end()).ok()
        };
        let known = self.days_around(start).find_map(|day| {
            let session = hull(&day).filter(|session| session.contains(start))?;
            Some((day.date, Some(session)))
        });
        known.or_else(|| Some((date_in(&self.zone(), start)?, None)))
    }

    fn days_around(&self, start: Nanos) -> impl Iterator<Item = Day> + use<> {
        let calendar = self.calendar;
        let date = date_in(&self.zone(), start);
        let around = date.into_iter().flat_map(|date| [Some(date), date.tomorrow().ok()]).flatten();
        around.filter_map(move |date| calendar?.day(date))
    }

    /// When a date begins where its sessions are.
    fn begins(&self, date: Date) -> Option<Nanos> {
        if self.of_dates {
            return Some(midnight(date));
        }
        let at = self.zone().to_timestamp(date.at(0, 0, 0, 0)).ok()?;
        Nanos::try_from(at.as_nanosecond()).ok()
    }

    fn zone(&self) -> TimeZone {
        self.calendar.map_or(TimeZone::UTC, |calendar| calendar.zone().clone())
    }
}

fn date_in(zone: &TimeZone, instant: Nanos) -> Option<Date> {
    let at = jiff::Timestamp::from_nanosecond(i128::from(instant)).ok()?;
    Some(zone.to_datetime(at).date())
}

/// The full step of a clock that holds an instant.
fn floor(instant: Nanos, step: Nanos, zone: &TimeZone) -> Option<TimeRange> {
    let at = jiff::Timestamp::from_nanosecond(i128::from(instant)).ok()?;
    let offset = Nanos::from(zone.to_offset(at).seconds()) * crate::model::SECOND;
    let from = instant.saturating_add(offset).div_euclid(step).saturating_mul(step).saturating_sub(offset);
    TimeRange::new(from, from.checked_add(step)?).ok()
}
