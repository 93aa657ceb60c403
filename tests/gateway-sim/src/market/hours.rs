//! The coming sessions of a contract in the gateway's spelling.

use jiff::civil::Date;

use super::schedule::{Schedule, Session};
use super::zone::{local, plus_days};

const DAYS: i64 = 7;

/// `yyyymmdd:hhmm-yyyymmdd:hhmm` or `yyyymmdd:CLOSED` for a week from an instant on, in the exchange's zone.
pub(crate) fn hours(schedule: &Schedule, now: i64, regular: bool) -> String {
    let today = schedule.local_date(now);
    let days = (0..DAYS).map(|ahead| plus_days(today, ahead));
    days.filter_map(|day| entry(schedule, day, regular)).collect::<Vec<_>>().join(";")
}

fn entry(schedule: &Schedule, day: Date, regular: bool) -> Option<String> {
    if let Some(session) = schedule.session(day, regular) {
        return Some(spelt(schedule, session));
    }
    let next = schedule.session(plus_days(day, 1), regular);
    let opens_today = next.is_some_and(|session| schedule.local_date(session.open) == day);
    (!opens_today).then(|| format!("{}:CLOSED", day.strftime("%Y%m%d")))
}

fn spelt(schedule: &Schedule, session: Session) -> String {
    let form = "%Y%m%d:%H%M";
    let (open, close) = (local(&schedule.zone, session.open), local(&schedule.zone, session.close));
    format!("{}-{}", open.strftime(form), close.strftime(form))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2025-07-03, 12:00 New York: an early close, a holiday and a weekend ahead.
    const NOW: i64 = 1_751_558_400;

    #[test]
    fn stock_hours_know_early_closes_and_holidays() {
        let liquid = hours(&Schedule::us_stock(), NOW, true);
        assert!(liquid.starts_with("20250703:0930-20250703:1300;20250704:CLOSED;20250705:CLOSED;"), "{liquid}");
    }

    #[test]
    fn forex_hours_cross_midnight() {
        let all = hours(&Schedule::forex(), NOW, false);
        let week =
            "20250702:1715-20250703:1700;20250703:1715-20250704:1700;20250705:CLOSED;20250706:1715-20250707:1700;";
        assert!(all.starts_with(week), "{all}");
    }
}
