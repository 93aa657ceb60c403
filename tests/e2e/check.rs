//! Checks of stored bars, on files whose faults are known one by one.

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim, home::Home};
use serde_json::Value;

use crate::support::{SCALE, import};

type Known = (&'static str, &'static str, u64, &'static [(&'static str, u64)]);

/// The seven real series, and what is known of each: bars, and counts of findings by code.
const KNOWN: [Known; 7] = [
    ("AAPL", "1d", 50, &[("NON_SESSION_DATE", 17)]),
    // three bars were stored before they were over, as those of five minutes tell
    ("AAPL", "1h", 153, &[("MISSING_BARS", 7), ("MISSING_SESSION", 1), ("PARTIAL_BAR_SUSPECTED", 3)]),
    ("AAPL", "5m", 1_536, &[("MISSING_SESSION", 1), ("ZERO_VOLUME_FILLER", 27)]),
    ("EURUSD", "1h", 2_591, &[("MISSING_BARS", 95)]),
    ("GOOGL", "1d", 359, &[]),
    ("MSFT", "1m", 5_746, &[("NOT_TRADED", 14), ("ZERO_VOLUME_FILLER", 2_573)]),
    ("NVDA", "1h", 1_689, &[("MISSING_BARS", 7), ("MISSING_SESSION", 1)]),
];
/// What is told of nearly any old series, and is not what the table is about.
const BESIDE: [&str; 5] = ["STALE", "VOLUME_NOT_REPORTED", "PRICE_JUMP", "JUMP_ACROSS_GAP", "ZERO_VOLUME_IN_SESSION"];

fn series(home: &Home, symbol: &str, timeframe: &str) -> Result<Value> {
    let ran = home.ktrdr(&format!("data check {symbol} -t {timeframe} -f json"))?;
    let document: Value = serde_json::from_str(&ran.stdout).with_context(|| format!("{ran:?}"))?;
    let errors = document["series"][0]["findings"].as_array().into_iter().flatten();
    let wrong = errors.filter(|finding| finding["severity"] == "error").count() > 0;
    ensure!(ran.status == i32::from(wrong), "{ran:?}");
    Ok(document["series"][0].clone())
}

#[test]
fn the_seven_real_series_have_the_faults_that_are_known() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let files =
        ["AAPL_1d.csv", "AAPL_1h.csv", "AAPL_5m.csv", "EURUSD_1h.csv", "GOOGL_1d.csv", "MSFT_1m.csv", "NVDA_1h.csv"];
    import(&daemon, &files)?;
    for (symbol, timeframe, bars, known) in KNOWN {
        let checked = series(&daemon, symbol, timeframe)?;
        let findings = checked["findings"].as_array().context("findings")?;
        let told = findings
            .iter()
            .map(|finding| (finding["code"].as_str().unwrap_or(""), finding["count"].as_u64().unwrap_or(0)));
        let mut told: Vec<_> = told.filter(|(code, _)| !BESIDE.contains(code)).collect();
        told.sort_unstable();
        ensure!(checked["bars"] == bars && told == known, "{symbol} {timeframe}: {told:?}");
    }
    for (symbol, timeframe, runs, absent) in
        [("NVDA", "1h", 4, 23), ("AAPL", "1h", 4, 23), ("EURUSD", "1h", 6, 95), ("AAPL", "5m", 1, 192)]
    {
        let gaps = daemon.ktrdr(&format!("data gaps {symbol} -t {timeframe} -f json"))?.json()?;
        let gaps = gaps["series"][0]["gaps"].as_array().context("gaps")?.clone();
        let bars: u64 = gaps.iter().filter_map(|gap| gap["bars"].as_u64()).sum();
        ensure!((gaps.len(), bars) == (runs, absent), "{symbol} {timeframe}: {gaps:?}");
    }
    let table = daemon.ktrdr("data gaps NVDA -t 1h")?.ok()?;
    ensure!(
        table.contains("ktrdr data load NVDA -t 1h --start 2025-06-05T08:00:00Z --end 2025-06-06T00:00:00Z"),
        "{table}"
    );
    daemon.ktrdr("data check AAPL -t 1m -f json")?.fails(7, "SERIES_NOT_FOUND")?;
    drop(daemon.terminate()?);
    Ok(())
}

/// Two years with holidays, short days and four changes of the clock.
#[test]
fn two_years_of_hours_are_exactly_the_sessions_of_the_calendar() -> Result<()> {
    let sim = GatewaySim::start(&format!("--time-scale {SCALE}"))?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let days = daemon.ktrdr("data calendar AAPL --from 2024-01-01 --to 2025-12-31 -f json")?.json()?;
    let days = days["days"].as_array().context("days")?;
    let count = |special: Option<bool>| {
        let open = days.iter().filter(|day| day["open"] == true);
        open.filter(|day| special.is_none_or(|special| day["special"] == special)).count()
    };
    for (symbol, flags, bars) in [("AAPL", "", 16), ("MSFT", "--trading-hours", 7)] {
        let line = format!("data load {symbol} -t 1h --mode full --start 2024-01-01 --end 2026-01-01 {flags} -f json");
        let loaded = daemon.ktrdr(&line)?.json()?;
        ensure!(loaded["bars_total"] == count(None) * bars - count(Some(true)) * 3, "{loaded}");
        ensure!(loaded["gaps_left"] == serde_json::json!([]), "{loaded}");
        ensure!(daemon.ktrdr(&line)?.json()?["requests_made"] == 0, "nothing is asked twice");
        let gaps = daemon.ktrdr(&format!("data gaps {symbol} -t 1h"))?;
        ensure!(gaps.stderr.contains("No bars are absent"), "{gaps:?}");
    }
    let weekend = daemon.ktrdr("data load NVDA -t 5m --start 2025-06-07 --end 2025-06-08 -f json")?.json()?;
    ensure!(weekend["requests_made"] == 0, "no market was open: {weekend}");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

/// A file that somebody exported in the middle of an hour, and one from after it.
#[test]
fn a_bar_that_was_imported_before_it_was_over_is_told() -> Result<()> {
    let now = jiff::Timestamp::now();
    let hour = now.as_second().div_euclid(3600) * 3600;
    let rows = |hours: &[i64]| {
        let row = |back: &i64| {
            let start = jiff::Timestamp::from_second(hour - back * 3600)?;
            anyhow::Ok(format!("{start},1,2,1,2,\n"))
        };
        Ok::<_, anyhow::Error>(
            "timestamp,open,high,low,close,volume\n".to_owned() + &hours.iter().map(row).collect::<Result<String>>()?,
        )
    };
    // a coin has no nights
    let told = |hours: &[i64]| {
        let daemon = TestDaemon::alone()?;
        let file = daemon.file("export.csv", rows(hours)?)?;
        daemon.ktrdr(&format!("data import {} --symbol BTC@PAXOS -t 1h", file.display()))?.ok()?;
        let found = daemon.ktrdr("data check -f json")?.document()?["series"][0]["findings"].to_string();
        drop(daemon.terminate()?);
        anyhow::Ok(found)
    };
    let (open, over) = (told(&[3, 2, 1, 0])?, told(&[3, 2, 1])?);
    ensure!(!over.contains("OPEN_BAR_STORED"), "{over}");
    ensure!(open.contains("OPEN_BAR_STORED"), "{open}");
    Ok(())
}

#[test]
fn damage_is_told_by_a_check() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    import(&daemon, &["NVDA_1h.csv"])?;
    ensure!(daemon.ktrdr("data check")?.status == 0, "nothing is wrong yet");
    let file = daemon.data().join("bars/symbol=NVDA/timeframe=1h/year=2025/bars.parquet");
    let mut bytes = std::fs::read(&file)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, &bytes)?;
    let ran = daemon.ktrdr("data check NVDA -t 1h")?;
    ensure!(ran.status == 1 && ran.stdout.contains("CHECKSUM_MISMATCH"), "{ran:?}");
    ensure!(!ran.stdout.contains("LEDGER_MISMATCH"), "{ran:?}");
    let foreign = daemon.data().join("bars/symbol=NVDA/timeframe=1h/year=1999");
    std::fs::create_dir(&foreign)?;
    std::fs::write(foreign.join("bars.parquet"), bytes)?;
    let ran = daemon.ktrdr("data check NVDA -t 1h")?;
    ensure!(ran.status == 1 && ran.stdout.contains("LEDGER_MISMATCH"), "{ran:?}");
    drop(daemon.terminate()?);
    Ok(())
}

#[test]
fn a_calendar_is_told_by_any_name_of_its_market() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let days = daemon.ktrdr("data calendar nasdaq --from 2025-01-01 --to 2025-12-31 -f json")?.json()?;
    let open = |days: &Value| days["days"].as_array().into_iter().flatten().filter(|day| day["open"] == true).count();
    ensure!(days["calendar"]["code"] == "XNYS" && open(&days) == 250, "{}", open(&days));
    let table = daemon.ktrdr("data calendar AAPL --from 2025-11-26 --to 2025-11-28")?.ok()?;
    ensure!(table.contains("2025-11-27") && table.contains("closed") && table.contains("09:30-13:00"), "{table}");
    daemon.ktrdr("data calendar nowhere@nowhere -f json")?.fails(7, "CALENDAR_UNKNOWN")?;
    daemon.ktrdr("data calendar NYSE --from 2025-02-01 --to 2025-01-01 -f json")?.fails(2, "RANGE_INVALID")?;
    drop(daemon.terminate()?);
    Ok(())
}
