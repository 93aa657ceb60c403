//! Deciding what is missing: traps 1 to 26.

use anyhow::{Context as _, Result};
use jiff::civil::{Date, Weekday, date};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim};

use super::{daily, document, ended, gaps, imported, pair};
use crate::support::{SCALE, stored};

fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    first.series(jiff::Span::new().days(1)).take_while(move |date| *date <= last)
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

#[test]
fn trap_01_a_load_of_one_month_adds_to_the_years_that_are_stored() -> Result<()> {
    let (sim, daemon) = pair()?;
    daemon.ktrdr("data load AAPL --start 2014-01-01 --end 2023-12-31")?.ok()?;
    let before = stored(&daemon, "AAPL -t 1d")?;
    daemon.ktrdr("data load AAPL --start 2024-03-01 --end 2024-03-31")?.ok()?;
    let after = stored(&daemon, "AAPL -t 1d")?;
    assert!(before.len() > 2_400 && after.len() == before.len() + 20, "{} {}", before.len(), after.len());
    assert_eq!(after[..before.len()], before[..]);
    ended(sim, daemon)
}

#[test]
fn trap_02_a_missing_weekday_is_asked_for_whatever_day_it_is() -> Result<()> {
    let (sim, daemon) = pair()?;
    let text = daily(days(date(2025, 5, 1), date(2025, 5, 16)).filter(|date| !is_weekend(*date)));
    imported(&daemon, "AAPL_1d.csv", &text, "")?;
    // the plans of the old system's table, on a Saturday, a Monday, a Tuesday, a Thursday and a Friday
    for (end, missing) in [("05-17", 0), ("05-19", 1), ("05-20", 2), ("05-22", 4), ("05-23", 5)] {
        let plan = document(&daemon, &format!("data load AAPL --start 2025-05-17 --end 2025-{end} --plan"))?;
        assert_eq!(plan["series"][0]["bars_at_most"], missing, "until {end}: {plan}");
    }
    ended(sim, daemon)
}

#[test]
fn trap_03_a_hole_on_any_weekday_is_found() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    for (symbol, missing) in [
        ("AAPL", Weekday::Monday),
        ("MSFT", Weekday::Tuesday),
        ("NVDA", Weekday::Wednesday),
        ("GOOGL", Weekday::Thursday),
        ("AMZN", Weekday::Friday),
    ] {
        let holed = days(date(2025, 3, 1), date(2025, 3, 31))
            .filter(|date| !is_weekend(*date) && (date.weekday() != missing || !(10..15).contains(&date.day())));
        imported(&daemon, &format!("{symbol}_1d.csv"), &daily(holed), "")?;
        assert_eq!(gaps(&daemon, &format!("{symbol} -t 1d"))?, (1, 1), "{missing:?}");
    }
    Ok(())
}

#[test]
fn trap_04_what_failed_is_asked_for_again_and_nothing_else() -> Result<()> {
    let rule = "[[fault]]\nkind = \"error\"\non = \"historical_data\"\nnth = 2\ntimes = 3\ncode = 162\n";
    let sim = GatewaySim::with_faults(rule, "--time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let load = "data load AAPL -t 1h --start 2023-01-01 --end 2024-12-31";
    let planned = document(&daemon, &format!("{load} --plan"))?["requests"].as_u64().context("requests")?;
    assert!(planned >= 4);
    daemon.ktrdr(&format!("{load} -f json"))?.fails(1, "LOAD_INCOMPLETE")?;
    let left = document(&daemon, &format!("{load} --plan"))?;
    assert_eq!(left["requests"], 1, "{left}");
    let again = document(&daemon, load)?;
    assert_eq!((&again["success"], &again["requests_made"]), (&true.into(), &1.into()), "{again}");
    assert_eq!(gaps(&daemon, "AAPL -t 1h")?, (0, 0));
    ended(sim, daemon)
}

#[test]
fn trap_05_no_request_is_shorter_than_what_it_is_to_bring() -> Result<()> {
    let (sim, daemon) = pair()?;
    for series in ["AAPL -t 1h", "AAPL -t 30m", "AAPL -t 4h", "AAPL -t 1d", "AAPL -t 15m"] {
        let loaded = document(&daemon, &format!("data load {series} --start 2024-01-01 --end 2025-02-28"))?;
        assert_eq!(loaded["success"], true, "{loaded}");
        assert_eq!(gaps(&daemon, series)?, (0, 0), "{series}");
    }
    ended(sim, daemon)
}

#[test]
fn trap_06_a_few_hours_are_a_request_like_any_other() -> Result<()> {
    let (sim, daemon) = pair()?;
    let load = "data load AAPL -t 5m --start 2025-03-04T14:00:00Z --end 2025-03-04T21:00:00Z";
    assert_eq!(document(&daemon, load)?["bars_loaded"], 7 * 12);
    ended(sim, daemon)
}

#[test]
fn trap_09_holidays_are_those_of_the_market() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    for (date, sessions, special) in
        [("2025-01-09", 0, true), ("2024-06-19", 0, true), ("2025-10-13", 1, false), ("2024-12-24", 1, true)]
    {
        let told = document(&daemon, &format!("data calendar NYSE --from {date} --to {date}"))?;
        let day = &told["days"][0];
        assert_eq!(
            (day["regular"].as_array().map(Vec::len), &day["special"]),
            (Some(sessions), &special.into()),
            "{day}"
        );
    }
    Ok(())
}

#[test]
fn trap_12_one_absent_minute_is_a_gap() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let minutes = (0..390).filter(|minute| *minute != 200).map(|minute| {
        let (hour, minute) = (13 + (30 + minute) / 60, (30 + minute) % 60);
        format!("2025-06-03T{hour}:{minute:02}:00Z,10,11,9,10,100\n")
    });
    let text: String = std::iter::once("timestamp,open,high,low,close,volume\n".to_owned()).chain(minutes).collect();
    imported(&daemon, "AAPL_1m.csv", &text, "--session regular")?;
    assert_eq!(gaps(&daemon, "AAPL -t 1m")?, (1, 1));
    Ok(())
}

#[test]
fn trap_13_a_timeframe_that_nobody_knows_is_an_error() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    for timeframe in ["7m", "90", "1y", "h", "1hour", "0m", ""] {
        let ran = daemon.ktrdr_args(["data", "load", "AAPL", "-t", timeframe])?;
        assert_eq!(ran.status, 2, "{timeframe}: {ran:?}");
    }
    Ok(())
}

#[test]
fn trap_14_a_currency_pair_trades_from_sunday_evening() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let told = document(&daemon, "data calendar EURUSD --from 2025-06-02 --to 2025-06-02")?;
    assert_eq!(told["days"][0]["regular"][0]["start"], "2025-06-01T21:15:00Z", "{told}");
    Ok(())
}

#[test]
fn trap_15_another_working_folder_changes_nothing() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    imported(&daemon, "AAPL_1d.csv", &daily([date(2025, 3, 3), date(2025, 3, 4)]), "")?;
    let mut command = daemon.ktrdr_command(["data", "range", "AAPL", "-f", "json"])?;
    let told = command.current_dir("/").output()?;
    assert!(String::from_utf8(told.stdout)?.contains("\"point_count\": 2"));
    Ok(())
}

#[test]
fn trap_20_before_the_listing_there_is_nothing_to_ask_twice() -> Result<()> {
    let (sim, daemon) = pair()?;
    let load = "data load AAPL --start 1970-01-01 --end 1971-12-31";
    let first = document(&daemon, load)?;
    assert_eq!((&first["success"], &first["bars_loaded"]), (&true.into(), &0.into()), "{first}");
    assert_eq!(document(&daemon, load)?["requests_made"], 0, "remembered");
    ended(sim, daemon)
}

#[test]
fn trap_25_nothing_of_the_future_is_asked_for_or_stored() -> Result<()> {
    let (sim, daemon) = pair()?;
    let now = jiff::Timestamp::now();
    let later = now.checked_add(jiff::SignedDuration::from_hours(24 * 365))?;
    daemon.ktrdr(&format!("data load AAPL -t 1h --start 2026-09-01 --end {later}"))?.ok()?;
    let last = stored(&daemon, "AAPL -t 1h")?.last().context("a bar")?.start.parse::<jiff::Timestamp>()?;
    assert!(last.checked_add(jiff::SignedDuration::from_hours(1))? <= now);
    daemon.ktrdr(&format!("data load MSFT --start {later} -f json"))?.fails(2, "RANGE_IN_FUTURE")?;
    ended(sim, daemon)
}
