//! Which bars are over (pure). A running bar is delivered as if it were complete; stored, it would stay wrong for ever.

use jiff::{
    Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};

use super::zones::by_name;
use crate::model::{DAY, Nanos, SECOND, Timeframe};

/// A bar that has just ended may still be corrected by late trades.
const SETTLE: Nanos = 60 * SECOND;

/// No bar that starts at or after this instant counts as over. A day is over at its midnight in the exchange's zone,
/// a week when the next one begins on Monday, a month on the first: right whichever day labels the bar.
pub(super) fn closed_until(now: Nanos, timeframe: Timeframe, zone: &TimeZone) -> Nanos {
    let settled = now.saturating_sub(SETTLE);
    if timeframe.is_intraday() {
        return settled.div_euclid(timeframe.step()) * timeframe.step();
    }
    let today =
        Timestamp::from_nanosecond(i128::from(settled)).map_or(date(1970, 1, 1), |at| zone.to_datetime(at).date());
    midnight(match timeframe {
        Timeframe::Weeks1 => monday_of(today),
        Timeframe::Months1 => today.first_of_month(),
        _ => today,
    })
}

/// Whether a bar is over. Intraday bars need not begin on a full step: the first one of a day may be shorter.
pub(super) fn is_closed(start: Nanos, now: Nanos, timeframe: Timeframe, zone: &TimeZone) -> bool {
    if timeframe.is_intraday() {
        start.saturating_add(timeframe.step()) <= now.saturating_sub(SETTLE)
    } else {
        start < closed_until(now, timeframe, zone)
    }
}

/// Whether two labels mean one bar: a running week or month is labelled by the last of its days that were traded.
pub(super) fn is_one_bar(one: Nanos, other: Nanos, timeframe: Timeframe) -> bool {
    let (Some(first), Some(second)) = (labelled(one), labelled(other)) else { return one == other };
    match timeframe {
        Timeframe::Weeks1 => monday_of(first) == monday_of(second),
        Timeframe::Months1 => first.first_of_month() == second.first_of_month(),
        _ => one == other,
    }
}

/// Of the week of a date.
pub(super) fn monday_of(date: Date) -> Date {
    let back = i64::from(date.weekday().to_monday_zero_offset());
    date.checked_sub(jiff::Span::new().days(back)).unwrap_or(date)
}

/// The date that an instant of a day, a week or a month stands for; see [`midnight`].
pub(super) fn labelled(start: Nanos) -> Option<Date> {
    let at = Timestamp::from_nanosecond(i128::from(start)).ok()?;
    Some(TimeZone::UTC.to_datetime(at).date())
}

/// Midnight UTC, which is how a date is written as an instant.
pub(super) fn midnight(date: Date) -> Nanos {
    let epoch = jiff::civil::date(1970, 1, 1);
    Nanos::from(date.since(epoch).map_or(0, |span| span.get_days())).saturating_mul(DAY)
}

/// The exchange's zone by the gateway's name for it; New York's for a name that nobody knows: every contract we resolve
/// without asking trades on its clock.
pub(super) fn zone(name: &str) -> TimeZone {
    by_name(name).or_else(|| by_name("America/New_York")).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Nanos {
        i64::try_from(text.parse::<Timestamp>().unwrap().as_nanosecond()).unwrap()
    }

    #[test]
    fn an_hour_is_over_a_minute_after_it_ends() {
        let zone = zone("US/Eastern");
        let until = |now| crate::clock::text(closed_until(at(now), Timeframe::Hours1, &zone));
        assert_eq!(until("2025-06-02T15:00:59Z"), "2025-06-02T14:00:00Z");
        assert_eq!(until("2025-06-02T15:01:00Z"), "2025-06-02T15:00:00Z");
        // the first hour of a currency's day begins at 17:15
        assert!(!is_closed(at("2025-06-02T21:15:00Z"), at("2025-06-02T22:10:00Z"), Timeframe::Hours1, &zone));
        assert!(is_closed(at("2025-06-02T21:15:00Z"), at("2025-06-02T22:16:00Z"), Timeframe::Hours1, &zone));
    }

    #[test]
    fn days_weeks_and_months_end_on_the_exchanges_calendar() {
        let new_york = zone("US/Eastern");
        let until = |now, timeframe| crate::clock::text(closed_until(at(now), timeframe, &new_york));
        // 03:59 UTC is still the evening before in New York
        assert_eq!(until("2025-06-04T03:59:00Z", Timeframe::Days1), "2025-06-03T00:00:00Z");
        assert_eq!(until("2025-06-04T04:01:00Z", Timeframe::Days1), "2025-06-04T00:00:00Z");
        assert_eq!(until("2025-06-04T12:00:00Z", Timeframe::Weeks1), "2025-06-02T00:00:00Z");
        assert_eq!(until("2025-06-04T12:00:00Z", Timeframe::Months1), "2025-06-01T00:00:00Z");
        assert_eq!(
            closed_until(at("2025-06-04T00:30:00Z"), Timeframe::Days1, &zone("Asia/Tokyo")),
            at("2025-06-04T00:00:00Z")
        );
    }

    #[test]
    fn a_week_has_many_labels_and_a_day_one() {
        let same = |one, other, timeframe| is_one_bar(at(one), at(other), timeframe);
        assert!(same("2025-06-02T00:00:00Z", "2025-06-06T00:00:00Z", Timeframe::Weeks1));
        assert!(!same("2025-06-01T00:00:00Z", "2025-06-02T00:00:00Z", Timeframe::Weeks1));
        assert!(same("2025-06-02T00:00:00Z", "2025-06-30T00:00:00Z", Timeframe::Months1));
        assert!(!same("2025-06-30T00:00:00Z", "2025-07-01T00:00:00Z", Timeframe::Months1));
        assert!(!same("2025-06-02T00:00:00Z", "2025-06-03T00:00:00Z", Timeframe::Days1));
    }

    #[test]
    fn zones_have_old_names_too() {
        for name in ["US/Eastern", "Japan", "GB-Eire", "MET", "EST (Eastern Standard Time)"] {
            assert_ne!(zone(name), TimeZone::UTC, "{name}");
        }
        assert_eq!(zone("nonsense"), TimeZone::get("America/New_York").unwrap());
    }

    proptest! {
        #[test]
        fn a_closed_bar_never_opens_again(now in 0_i64..2_000_000_000, later in 0_i64..10_000_000, back in 0_i64..1_000) {
            let zone = zone("US/Eastern");
            for timeframe in Timeframe::all() {
                let start = (now * SECOND).saturating_sub(back * timeframe.step());
                if is_closed(start, now * SECOND, timeframe, &zone) {
                    prop_assert!(is_closed(start, (now + later) * SECOND, timeframe, &zone));
                    prop_assert!(start < now * SECOND);
                }
            }
        }
    }
}
