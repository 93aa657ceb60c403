//! When a contract trades: one session a trading date, in the exchange's zone.

use jiff::civil::{Date, DateTime, Time, time};
use jiff::tz::TimeZone;

use super::calendar;
use super::zone::{self, plus_days};

const NEW_YORK: &str = "US/Eastern";
const CHICAGO: &str = "US/Central";

/// Trading from `open` to `close`, epoch seconds, under one date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) date: Date,
    pub(crate) open: i64,
    pub(crate) close: i64,
}

/// A session as the exchange's clocks show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WallSession {
    pub(crate) date: Date,
    pub(crate) open: DateTime,
    pub(crate) close: DateTime,
}

#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) zone_name: &'static str,
    pub(crate) zone: TimeZone,
    rule: Rule,
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    /// New York 04:00 to 20:00, the regular session 09:30 to 16:00; three hours less on an early close.
    UsStock,
    /// From an evening to the next day's afternoon, Monday to Friday; the regular session within it, if it is another.
    Overnight { open: Time, close: Time, regular: Option<(Time, Time)> },
    /// Every weekday between two times, without holidays.
    Weekdays(Time, Time),
    /// Every day from midnight to midnight.
    Always,
}

impl Schedule {
    pub(crate) fn us_stock() -> Self {
        Self { zone_name: NEW_YORK, zone: zone::named(NEW_YORK), rule: Rule::UsStock }
    }

    pub(crate) fn forex() -> Self {
        let rule = Rule::Overnight { open: time(17, 15, 0, 0), close: time(17, 0, 0, 0), regular: None };
        Self { zone_name: NEW_YORK, zone: zone::named(NEW_YORK), rule }
    }

    /// Chicago 17:00 of the day before to 16:00, regular from 08:30 on.
    pub(crate) fn globex() -> Self {
        let (open, close) = (time(17, 0, 0, 0), time(16, 0, 0, 0));
        let rule = Rule::Overnight { open, close, regular: Some((time(8, 30, 0, 0), close)) };
        Self { zone_name: CHICAGO, zone: zone::named(CHICAGO), rule }
    }

    pub(crate) fn weekdays(zone_name: &'static str, open: Time, close: Time) -> Self {
        Self { zone_name, zone: zone::named(zone_name), rule: Rule::Weekdays(open, close) }
    }

    /// Trades at all hours from now on.
    pub(crate) fn never_close(&mut self) {
        self.rule = Rule::Always;
    }

    /// Whether a session goes on at an instant.
    pub(crate) fn is_open(&self, second: i64, regular: bool) -> bool {
        self.between(second, second + 1, regular).next().is_some()
    }

    pub(crate) fn wall(&self, session: Session) -> WallSession {
        let at = |second| zone::local(&self.zone, second);
        WallSession { date: session.date, open: at(session.open), close: at(session.close) }
    }

    pub(crate) fn session(&self, date: Date, regular: bool) -> Option<Session> {
        let at = |day, time| zone::instant(&self.zone, day, time);
        let (opened_on, open, close) = match self.rule {
            Rule::UsStock => {
                let (open, close) = us_stock_times(date, regular)?;
                (date, open, close)
            }
            Rule::Overnight { .. } | Rule::Weekdays(..) if calendar::is_weekend(date) => return None,
            Rule::Overnight { regular: Some((open, close)), .. } if regular => (date, open, close),
            Rule::Overnight { open, close, .. } => (plus_days(date, -1), open, close),
            Rule::Weekdays(open, close) => (date, open, close),
            Rule::Always => {
                let (open, close) = (zone::midnight(&self.zone, date), zone::midnight(&self.zone, plus_days(date, 1)));
                return Some(Session { date, open, close });
            }
        };
        Some(Session { date, open: at(opened_on, open), close: at(date, close) })
    }

    /// Sessions that opened before `end`, latest first, down to the date of `floor`.
    pub(crate) fn back_from(&self, end: i64, floor: i64, regular: bool) -> impl Iterator<Item = Session> {
        let first = self.local_date(floor);
        std::iter::successors(Some(plus_days(self.local_date(end), 1)), |day| day.yesterday().ok())
            .take_while(move |day| *day >= first)
            .filter_map(move |day| self.session(day, regular))
            .filter(move |session| session.open < end)
    }

    /// Sessions that overlap `[from, to)`, earliest first.
    pub(crate) fn between(&self, from: i64, to: i64, regular: bool) -> impl Iterator<Item = Session> {
        self.starting(self.local_date(from), regular)
            .skip_while(move |session| session.close <= from)
            .take_while(move |session| session.open < to)
    }

    /// Sessions of this date and all later ones.
    pub(crate) fn starting(&self, first: Date, regular: bool) -> impl Iterator<Item = Session> {
        std::iter::successors(Some(first), |day| day.tomorrow().ok()).filter_map(move |day| self.session(day, regular))
    }

    pub(crate) fn local_date(&self, second: i64) -> Date {
        zone::local(&self.zone, second).date()
    }

    /// The date under which an instant trades: a forex evening belongs to the next one.
    pub(crate) fn trade_date(&self, second: i64) -> Date {
        let local = zone::local(&self.zone, second);
        let evening = matches!(self.rule, Rule::Overnight { .. }) && local.time() >= time(17, 0, 0, 0);
        plus_days(local.date(), i64::from(evening))
    }

    /// Starts and ends of a session's bars: a grid on the local midnight, cut to the session.
    pub(crate) fn grid(&self, session: Session, seconds: i64) -> impl Iterator<Item = (i64, i64)> {
        let offset = zone::offset(&self.zone, session.open);
        let next = move |start: i64| ((start + offset).div_euclid(seconds) + 1) * seconds - offset;
        std::iter::successors(Some(session.open), move |start| Some(next(*start)))
            .take_while(move |start| *start < session.close)
            .map(move |start| (start, next(start).min(session.close)))
    }
}

fn us_stock_times(date: Date, regular: bool) -> Option<(Time, Time)> {
    if !calendar::is_trading_day(date) {
        return None;
    }
    let early = i8::from(calendar::is_early_close(date)) * 3;
    Some(if regular {
        (time(9, 30, 0, 0), time(16 - early, 0, 0, 0))
    } else {
        (time(4, 0, 0, 0), time(20 - early, 0, 0, 0))
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn starts(schedule: &Schedule, day: Date, regular: bool, seconds: i64) -> Vec<String> {
        let session = schedule.session(day, regular).unwrap();
        let shown = |second| zone::local(&schedule.zone, second).strftime("%H:%M").to_string();
        schedule.grid(session, seconds).map(|(start, _)| shown(start)).collect()
    }

    #[test]
    fn a_regular_day_opens_with_half_an_hour() {
        let hours = starts(&Schedule::us_stock(), date(2025, 6, 5), true, 3600);
        assert_eq!(hours, ["09:30", "10:00", "11:00", "12:00", "13:00", "14:00", "15:00"]);
    }

    #[test]
    fn an_early_close_ends_the_evening_at_five() {
        let hours = starts(&Schedule::us_stock(), date(2025, 7, 3), false, 3600);
        assert_eq!((hours.first().unwrap().as_str(), hours.last().unwrap().as_str()), ("04:00", "16:00"));
        assert_eq!(starts(&Schedule::us_stock(), date(2025, 7, 3), true, 3600).len(), 4);
    }

    #[test]
    fn a_forex_day_starts_at_a_quarter_past_five() {
        let hours = starts(&Schedule::forex(), date(2025, 6, 9), false, 3600);
        assert_eq!(hours.len(), 24);
        assert_eq!((hours[0].as_str(), hours[1].as_str(), hours[23].as_str()), ("17:15", "18:00", "16:00"));
        assert_eq!(Schedule::forex().session(date(2025, 6, 8), false), None);
    }

    #[test]
    fn hours_follow_the_clock_change_of_new_york() {
        let forex = Schedule::forex();
        let before = forex.session(date(2025, 3, 7), false).unwrap();
        let after = forex.session(date(2025, 3, 10), false).unwrap();
        assert_eq!(after.open - before.close, 48 * 3600 + 15 * 60 - 3600);
    }
}
