//! Files in, bars out: imports, queries, exports, damage.

use std::fs;

use anyhow::{Context as _, Result};
use ktrdr_tests::{
    daemon::TestDaemon,
    gateway_sim::GatewaySim,
    series::{self, content_of},
};
use serde_json::Value;

use crate::support::{SCALE, import, stored};

const FILES: [(&str, &str, u64); 8] = [
    ("AAPL_1d.csv", "AAPL -t 1d", 50),
    ("AAPL_1h.csv", "AAPL -t 1h", 153),
    ("AAPL_5m.csv", "AAPL -t 5m", 1_536),
    ("DEMO_1d.csv", "DEMO -t 1d", 115),
    ("EURUSD_1h.csv", "EURUSD -t 1h", 2_591),
    ("GOOGL_1d.csv", "GOOGL -t 1d", 359),
    ("MSFT_1m.csv", "MSFT -t 1m", 5_746),
    ("NVDA_1h.csv", "NVDA -t 1h", 1_689),
];

fn names() -> Vec<&'static str> {
    FILES.iter().map(|(name, ..)| *name).collect()
}

#[test]
fn every_file_imports_and_reads_back_to_the_last_digit() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let imported = import(&daemon, &names())?;
    for ((name, series, count), file) in FILES.iter().zip(imported["files"].as_array().context("files")?) {
        assert_eq!(file["added"], *count, "{name}");
        assert_eq!(stored(&daemon, series)?, series::file(name)?, "{name}");
    }
    let rejected = &imported["files"][3]["rejected"][0];
    assert_eq!((&rejected["reason"], &rejected["count"]), (&"VALUE_MISSING".into(), &5.into()));
    assert_eq!(rejected["lines"], serde_json::json!([12, 13, 14, 15, 16]));
    Ok(())
}

#[test]
fn importing_twice_changes_nothing() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    import(&daemon, &names())?;
    let before = content_of(&daemon.data())?;
    let again = import(&daemon, &names())?;
    for ((name, _, count), file) in FILES.iter().zip(again["files"].as_array().context("files")?) {
        assert_eq!((&file["added"], &file["revised"]), (&0.into(), &0.into()), "{name}");
        assert_eq!(file["unchanged"], *count, "{name}");
    }
    assert_eq!(content_of(&daemon.data())?, before);
    Ok(())
}

#[test]
fn the_list_names_every_series_with_its_range_also_after_a_restart() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    assert_eq!(daemon.ktrdr("data list -f json")?.json()?, serde_json::json!({ "series": [] }));
    import(&daemon, &names())?;
    let list = daemon.ktrdr("data list -f json")?.json()?;
    for (name, series, count) in FILES {
        let (symbol, timeframe) = series.split_once(" -t ").context("a series")?;
        let listed = list["series"].as_array().context("series")?.iter();
        let listed: Vec<_> = listed.filter(|one| one["symbol"] == symbol && one["timeframe"] == timeframe).collect();
        let [listed] = listed.as_slice() else { panic!("{name} is listed {} times", listed.len()) };
        let bars = series::file(name)?;
        assert_eq!(listed["start"], bars[0].start.as_str(), "{name}");
        assert_eq!(listed["end"], bars[bars.len() - 1].start.as_str(), "{name}");
        assert_eq!((&listed["bars"], &listed["source"]), (&count.into(), &"import".into()), "{name}");
        assert!(listed["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{name}");
    }
    assert_eq!(list["series"].as_array().map(Vec::len), Some(FILES.len()));
    let daemon = daemon.restart()?;
    assert_eq!(daemon.ktrdr("data list -f json")?.json()?, list);
    let daemon = daemon.kill_9()?.start()?;
    assert_eq!(daemon.ktrdr("data list -f json")?.json()?, list);
    Ok(())
}

#[test]
fn an_export_imports_to_the_same_numbers() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    import(&daemon, &["AAPL_1d.csv", "EURUSD_1h.csv"])?;
    daemon.ktrdr("data export AAPL -t 1d -o AAPL_1d.csv")?.ok()?;
    daemon.ktrdr("data export EURUSD -t 1h -o EURUSD_1h.csv")?.ok()?;
    let other = TestDaemon::alone()?;
    let file = |name| daemon.work().join(name).to_string_lossy().into_owned();
    let line = format!("data import {} {} -f json", file("AAPL_1d.csv"), file("EURUSD_1h.csv"));
    other.ktrdr(&line)?.ok()?;
    for series in ["AAPL -t 1d", "EURUSD -t 1h"] {
        assert_eq!(stored(&other, series)?, stored(&daemon, series)?, "{series}");
    }
    Ok(())
}

#[test]
fn an_import_that_was_acknowledged_survives_a_kill() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    import(&daemon, &["NVDA_1h.csv"])?;
    let daemon = daemon.kill_9()?.start()?;
    assert_eq!(stored(&daemon, "NVDA -t 1h")?, series::file("NVDA_1h.csv")?);
    assert_eq!(import(&daemon, &["NVDA_1h.csv"])?["files"][0]["added"], 0);
    Ok(())
}

#[test]
fn a_window_shows_its_rows_and_an_empty_one_is_no_error() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    import(&daemon, &["GOOGL_1d.csv"])?;
    let all = series::file("GOOGL_1d.csv")?;
    let show = |flags: &str| series::printed(&daemon.ktrdr(&format!("data show googl -f csv {flags}"))?.ok()?);
    assert_eq!(show("")?, all[all.len() - 10..]);
    assert_eq!(show("--rows 3")?, all[all.len() - 3..]);
    assert_eq!(show("--head 2")?, all[..2]);
    assert_eq!(show("--all")?, all);
    let week = series::between(&all, "2024-03-04", "2024-03-09");
    assert_eq!(show("--all --start 2024-03-04 --end 2024-03-08")?.iter().collect::<Vec<_>>(), week);
    assert_eq!(show("--start 2030-01-01")?, []);

    let document = daemon.ktrdr("data show GOOGL --rows 2 -f json")?.json()?;
    assert_eq!((&document["total_rows"], &document["displayed_rows"]), (&359.into(), &2.into()));
    let row = &document["data"][1];
    assert_eq!(row["index"], all[358].start.as_str());
    assert_eq!(["Open", "High", "Low", "Close", "Volume"].map(|key| row[key].as_f64()), all[358].values.map(Some));
    let empty = daemon.ktrdr("data show GOOGL --start 2030-01-01 -f json")?.json()?;
    assert_eq!(empty["data"], Value::Array(Vec::new()));
    let range = daemon.ktrdr("data range GOOGL -f json")?.json()?;
    assert_eq!(range["range"]["point_count"], 359);
    daemon.ktrdr("data show GOOGL -t 1h -f json")?.fails(7, "SERIES_NOT_FOUND")?;
    Ok(())
}

#[test]
fn a_damaged_partition_is_told_and_not_served_until_it_is_imported_again() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    import(&daemon, &["GOOGL_1d.csv"])?;
    let path = daemon.data().join("bars/symbol=GOOGL/timeframe=1d/year=2024/bars.parquet");
    let mut bytes = fs::read(&path)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&path, bytes)?;

    let daemon = daemon.restart()?;
    let error = daemon.ktrdr("data show GOOGL --all -f json")?.fails(1, "PARTITION_DAMAGED")?;
    assert!(error["hint"].as_str().context("a hint")?.contains("GOOGL"), "{error}");
    let whole_year = "data show GOOGL --all --start 2025-01-01 -f csv";
    let intact = series::printed(&daemon.ktrdr(whole_year)?.ok()?)?;
    assert_eq!(intact.len(), series::between(&series::file("GOOGL_1d.csv")?, "2025", "2026").len());

    import(&daemon, &["GOOGL_1d.csv"])?;
    assert_eq!(stored(&daemon, "GOOGL")?, series::file("GOOGL_1d.csv")?);
    Ok(())
}

#[test]
fn years_that_are_asked_for_again_are_kept_and_a_load_replaces_them() -> Result<()> {
    let sim = GatewaySim::start("--time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    daemon.ktrdr("data load AAPL --start 2024-01-01 --end 2024-06-28")?.ok()?;
    let shown = || daemon.ktrdr("data show AAPL --rows 5 -f csv")?.ok();
    let first = shown()?;
    for _ in 0..3 {
        assert_eq!(shown()?, first);
    }
    let cache = daemon.ktrdr("daemon status -f json")?.json()?["cache"].clone();
    assert_eq!((&cache["hits"], &cache["misses"]), (&2.into(), &2.into()), "{cache}");
    assert!(cache["bytes"].as_u64() > Some(0) && cache["bytes"].as_u64() <= cache["budget_bytes"].as_u64());
    daemon.ktrdr("data load AAPL --start 2024-07-01 --end 2024-07-05")?.ok()?;
    let after = shown()?;
    assert!(after.contains("2024-07-05") && after != first, "{after}");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}
