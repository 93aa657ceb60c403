//! Trading days of the New York exchanges, by rule: holidays, one-off closures, early closes.

use jiff::civil::{Date, Weekday, date};

use super::zone::plus_days;

/// Closures that no rule gives: the storm of 2012 and two days of mourning.
const ONE_OFFS: [Date; 4] = [date(2012, 10, 29), date(2012, 10, 30), date(2018, 12, 5), date(2025, 1, 9)];

pub(crate) fn is_trading_day(day: Date) -> bool {
    !is_weekend(day) && !is_holiday(day) && !ONE_OFFS.contains(&day)
}

/// Closes at 13:00 New York instead of 16:00.
pub(crate) fn is_early_close(day: Date) -> bool {
    let eve = matches!((day.month(), day.day()), (7, 3) | (12, 24));
    is_trading_day(day) && (eve || is_thanksgiving(plus_days(day, -1)))
}

pub(crate) fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn is_holiday(day: Date) -> bool {
    is_new_year(day)
        || nth_monday(day, 1, 3)
        || nth_monday(day, 2, 3)
        || day == plus_days(easter(day.year()), -2)
        || is_memorial_day(day)
        || (day.year() >= 2022 && is_observed(day, 6, 19))
        || is_observed(day, 7, 4)
        || nth_monday(day, 9, 1)
        || is_thanksgiving(day)
        || is_observed(day, 12, 25)
}

/// The one holiday that is not moved from a Saturday to the Friday before, which belongs to the old year.
fn is_new_year(day: Date) -> bool {
    day.month() == 1 && (day.day() == 1 || (day.day() == 2 && day.weekday() == Weekday::Monday))
}

/// A fixed date; on a Saturday the Friday before is kept, on a Sunday the Monday after.
fn is_observed(day: Date, month: i8, day_of_month: i8) -> bool {
    let feast = date(day.year(), month, day_of_month);
    day == match feast.weekday() {
        Weekday::Saturday => plus_days(feast, -1),
        Weekday::Sunday => plus_days(feast, 1),
        _ => feast,
    }
}

fn nth_monday(day: Date, month: i8, nth: i8) -> bool {
    day.month() == month && day.weekday() == Weekday::Monday && (day.day() - 1) / 7 + 1 == nth
}

fn is_memorial_day(day: Date) -> bool {
    day.month() == 5 && day.weekday() == Weekday::Monday && day.day() > 24
}

fn is_thanksgiving(day: Date) -> bool {
    day.month() == 11 && day.weekday() == Weekday::Thursday && (day.day() - 1) / 7 + 1 == 4
}

/// Easter Sunday of the Gregorian calendar: the Sunday after the church's full moon of spring.
fn easter(year: i16) -> Date {
    let year_number = i64::from(year);
    let century = year_number / 100;
    let golden = year_number % 19;
    let moon_shift = century - century / 4 - (8 * century + 13) / 25;
    let mut moon_age = (19 * golden + moon_shift + 15) % 30;
    if moon_age == 29 || (moon_age == 28 && golden > 10) {
        moon_age -= 1;
    }
    let full_moon = plus_days(date(year, 3, 21), moon_age);
    let until_sunday = 7 - i64::from(full_moon.weekday().to_sunday_zero_offset());
    plus_days(full_moon, until_sunday)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Year, sessions, weekday closures, early closes.
    const TABLE: [(i16, usize, &str, &str); 13] = [
        (2015, 252, "01-01 01-19 02-16 04-03 05-25 07-03 09-07 11-26 12-25", "11-27 12-24"),
        (2016, 252, "01-01 01-18 02-15 03-25 05-30 07-04 09-05 11-24 12-26", "11-25"),
        (2017, 251, "01-02 01-16 02-20 04-14 05-29 07-04 09-04 11-23 12-25", "07-03 11-24"),
        (2018, 251, "01-01 01-15 02-19 03-30 05-28 07-04 09-03 11-22 12-05 12-25", "07-03 11-23 12-24"),
        (2019, 252, "01-01 01-21 02-18 04-19 05-27 07-04 09-02 11-28 12-25", "07-03 11-29 12-24"),
        (2020, 253, "01-01 01-20 02-17 04-10 05-25 07-03 09-07 11-26 12-25", "11-27 12-24"),
        (2021, 252, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24", "11-26"),
        (2022, 251, "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26", "11-25"),
        (2023, 250, "01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25", "07-03 11-24"),
        (2024, 252, "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25", "07-03 11-29 12-24"),
        (2025, 250, "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25", "07-03 11-28 12-24"),
        (2026, 251, "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25", "11-27 12-24"),
        (2027, 251, "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24", "11-26"),
    ];

    fn listed(days: impl Iterator<Item = Date>) -> String {
        days.map(|day| format!("{:02}-{:02}", day.month(), day.day())).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn thirteen_years_of_sessions_closures_and_early_closes() {
        for (year, sessions, closures, early) in TABLE {
            let days: Vec<_> =
                date(year, 1, 1).series(jiff::ToSpan::days(1)).take_while(|d| d.year() == year).collect();
            let closed = days.iter().copied().filter(|day| !is_weekend(*day) && !is_trading_day(*day));
            assert_eq!(listed(closed), closures, "closures of {year}");
            assert_eq!(
                listed(days.iter().copied().filter(|day| is_early_close(*day))),
                early,
                "early closes of {year}"
            );
            assert_eq!(days.iter().filter(|day| is_trading_day(**day)).count(), sessions, "sessions of {year}");
        }
    }
}
