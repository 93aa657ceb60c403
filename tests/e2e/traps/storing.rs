//! Storing, reading, checking and changing: traps 11, 36 to 44, 49 to 64.

use std::fs;

use anyhow::{Context as _, Result};
use jiff::civil::date;
use ktrdr_tests::{daemon::TestDaemon, series};

use super::{daily, document, ended, gaps, imported, pair};
use crate::support::{detached, import, operation, stored};

const HEADER: &str = "timestamp,open,high,low,close,volume\n";

#[test]
fn trap_11_a_volume_that_is_not_reported_stays_so() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let rows = format!("{HEADER}2025-03-03T10:00:00Z,1,1,1,1,-1\n2025-03-03T11:00:00Z,1,1,1,1,0\n");
    imported(&daemon, "EURUSD_1h.csv", &rows, "")?;
    let exported = daemon.path().join("EURUSD_1h.csv");
    daemon.ktrdr(&format!("data export EURUSD -t 1h -o {}", exported.display()))?.ok()?;
    let text = fs::read_to_string(&exported)?;
    assert!(
        text.contains("10:00:00Z,1.0,1.0,1.0,1.0,\n") && text.contains("11:00:00Z,1.0,1.0,1.0,1.0,0.0\n"),
        "{text}"
    );
    let again = document(&daemon, &format!("data import {}", exported.display()))?;
    assert_eq!(again["files"][0]["unchanged"], 2, "{again}");
    Ok(())
}

#[test]
fn trap_21_a_range_without_bars_is_empty() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    import(&daemon, &["NVDA_1h.csv"])?;
    let told = document(&daemon, "data show NVDA -t 1h --start 2025-03-08T01:00:00Z --end 2025-03-10T08:00:00Z --all")?;
    assert_eq!((&told["total_rows"], told["data"].as_array().map(Vec::len)), (&0.into(), Some(0)), "{told}");
    Ok(())
}

#[test]
fn trap_36_offsets_are_read_and_a_z_is_true() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let rows = format!("{HEADER}2025-03-07 04:00:00-05:00,1,1,1,1,1\n2025-03-10 04:00:00-04:00,1,1,1,1,1\n");
    imported(&daemon, "AAPL_1h.csv", &rows, "")?;
    let starts: Vec<String> = stored(&daemon, "AAPL -t 1h")?.into_iter().map(|bar| bar.start).collect();
    assert_eq!(starts, ["2025-03-07T09:00:00Z", "2025-03-10T08:00:00Z"]);
    Ok(())
}

#[test]
fn trap_37_dates_that_cannot_be_read_are_refused_not_invented() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let told = imported(&daemon, "AAPL_1d.csv", &format!("{HEADER}yesterday,1,1,1,1,1\nthen,1,1,1,1,1\n"), "")?;
    assert_eq!(told["files"][0]["added"], 0, "{told}");
    daemon.ktrdr("data range AAPL -f json")?.fails(7, "SERIES_NOT_FOUND")?;
    Ok(())
}

#[test]
fn trap_38_columns_that_are_not_there_are_not_made_up() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    for column in ["open", "high", "low", "close"] {
        let header = HEADER.replace(column, "other");
        let told = imported(&daemon, "AAPL_1d.csv", &format!("{header}2025-03-03,1,1,1,1,1\n"), "")?;
        let error = told["files"][0]["error"]["message"].as_str().context("an error")?.to_owned();
        assert!(error.contains(column), "{column}: {error}");
    }
    Ok(())
}

#[test]
fn trap_40_symbols_with_marks_keep_them() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    imported(&daemon, "BRK.B_1d.csv", &daily([date(2025, 3, 3)]), "")?;
    let told = document(&daemon, "data list")?;
    assert_eq!((&told["series"][0]["symbol"], &told["series"][0]["timeframe"]), (&"BRK.B".into(), &"1d".into()));
    Ok(())
}

#[test]
fn trap_42_the_range_is_right_whatever_the_order_of_the_file() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    imported(&daemon, "AAPL_1d.csv", &daily([5, 4, 3].map(|day| date(2025, 3, day))), "")?;
    let range = document(&daemon, "data range AAPL")?["range"].clone();
    let ends = (range["start_date"].as_str(), range["end_date"].as_str(), range["point_count"].as_u64());
    assert_eq!(ends, (Some("2025-03-03T00:00:00Z"), Some("2025-03-05T00:00:00Z"), Some(3)));
    Ok(())
}

#[test]
fn trap_44_two_loads_at_once_lose_nothing() -> Result<()> {
    let (sim, daemon) = pair()?;
    let one = detached(&daemon, "data load AAPL -t 5m --start 2025-01-06 --end 2025-01-31")?;
    let other = daemon.ktrdr("data load AAPL -t 5m --start 2025-02-03 --end 2025-02-28 -f json")?.json()?;
    assert_eq!(other["success"], true, "{other}");
    assert_eq!(operation(&daemon, &one)?["state"], "completed");
    let bars = stored(&daemon, "AAPL -t 5m")?;
    let of = |month: &str| bars.iter().filter(|bar| bar.start.starts_with(month)).count();
    // a day of mourning, a holiday; and of the last evening an hour is of the next day in UTC
    assert_eq!((of("2025-01"), of("2025-02")), (18 * 192 - 12, 19 * 192 - 12));
    ended(sim, daemon)
}

#[test]
fn trap_50_the_last_regular_hour_begins_at_fifteen() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    import(&daemon, &["NVDA_1h.csv"])?;
    let ran = daemon.ktrdr("data show NVDA -t 1h --hours regular --tz exchange --all -f csv")?.ok()?;
    let bars = series::printed(&ran)?;
    let times: std::collections::BTreeSet<&str> = bars.iter().filter_map(|bar| bar.start.get(11..16)).collect();
    let times: Vec<_> = times.into_iter().collect();
    assert_eq!(times, ["10:00", "11:00", "12:00", "13:00", "14:00", "15:00"]);
    Ok(())
}

#[test]
fn trap_52_every_gap_is_counted_and_told() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let open = date(2025, 3, 3).series(jiff::Span::new().days(1)).take(26);
    let weekdays = open.filter(|date| date.weekday().to_monday_zero_offset() < 5);
    // every other day is absent
    let holed = weekdays.enumerate().filter(|(nth, _)| nth % 2 == 0).map(|(_, date)| date);
    imported(&daemon, "AAPL_1d.csv", &daily(holed), "")?;
    assert_eq!(gaps(&daemon, "AAPL -t 1d")?, (9, 9));
    Ok(())
}

#[test]
fn trap_55_days_of_currencies_are_those_of_new_york() -> Result<()> {
    let (sim, daemon) = pair()?;
    daemon.ktrdr("data load EURUSD -t 1h --start 2025-03-02 --end 2025-03-22")?.ok()?;
    let made = daemon.ktrdr("data show EURUSD -t 1h --resample 1d --all -f csv")?.ok()?;
    let dates: Vec<String> = series::printed(&made)?.into_iter().map(|bar| bar.start[..10].to_owned()).collect();
    assert!(
        dates.len() >= 14
            && dates.iter().all(|date| {
                date.parse::<jiff::civil::Date>().is_ok_and(|date| date.weekday().to_monday_zero_offset() < 5)
            }),
        "{dates:?}"
    );
    ended(sim, daemon)
}

#[test]
fn trap_56_a_day_keeps_its_date_on_every_clock() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    imported(&daemon, "AAPL_1d.csv", &daily([date(2025, 3, 3)]), "")?;
    for zone in ["utc", "exchange", "America/New_York", "Asia/Tokyo"] {
        let shown = daemon.ktrdr(&format!("data show AAPL --tz {zone}"))?.ok()?;
        assert!(shown.contains("2025-03-03") && !shown.contains("2025-03-02"), "{zone}: {shown}");
    }
    Ok(())
}

#[test]
fn trap_62_stamps_with_and_without_a_zone_are_told_apart() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let rows = format!("{HEADER}2025-03-03T15:00:00Z,1,1,1,1,1\n2025-03-03 16:00:00,1,1,1,1,1\n");
    let told = imported(&daemon, "AAPL_1h.csv", &rows, "--session all")?;
    let rejected = &told["files"][0]["rejected"][0];
    assert_eq!(
        (&rejected["reason"], &rejected["lines"]),
        (&"TIMEZONE_AMBIGUOUS".into(), &serde_json::json!([3])),
        "{told}"
    );
    imported(&daemon, "AAPL_1h.csv", &rows, "--session all --timezone America/New_York")?;
    let starts: Vec<String> = stored(&daemon, "AAPL -t 1h")?.into_iter().map(|bar| bar.start).collect();
    assert_eq!(starts, ["2025-03-03T15:00:00Z", "2025-03-03T21:00:00Z"]);
    Ok(())
}

#[test]
fn trap_64_check_gaps_and_plan_say_the_same() -> Result<()> {
    let (sim, daemon) = pair()?;
    import(&daemon, &["AAPL_1h.csv"])?;
    let (absent, ranges) = gaps(&daemon, "AAPL -t 1h")?;
    assert_eq!((absent, ranges), (23, 4));
    let range = document(&daemon, "data range AAPL -t 1h")?["range"].clone();
    let (start, end) =
        (range["start_date"].as_str().context("a start")?, range["end_date"].as_str().context("an end")?);
    let plan = document(&daemon, &format!("data load AAPL -t 1h --start {start} --end {end} --plan"))?;
    assert_eq!(
        (&plan["series"][0]["bars_at_most"], plan["series"][0]["missing"].as_array().map(Vec::len)),
        (&23.into(), Some(4))
    );
    let repair = document(&daemon, "data repair AAPL -t 1h")?;
    // the three bars that were cut off, too
    assert!(repair["asked"].as_array().is_some_and(|asked| asked.len() >= 4), "{repair}");
    ended(sim, daemon)
}
