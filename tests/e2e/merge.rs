//! Stored bars and new ones that disagree: which win, what is remembered, and that two scales never mix.

use std::{fmt::Write as _, fs};

use anyhow::{Context as _, Result};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim, home::Home};

use crate::support::{SCALE, gateway_is, stored};

/// A gateway whose bars are those of a file, up to a day.
struct Told {
    folder: tempfile::TempDir,
    rows: Vec<(String, [f64; 4], f64)>,
}

impl Told {
    /// Daily bars of Alphabet, as the file has them.
    fn new() -> Result<Self> {
        let text = fs::read_to_string(ktrdr_tests::data_folder().join("GOOGL_1d.csv"))?;
        let rows = text.lines().skip(1).map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let number = |at: usize| cells[at].parse::<f64>().map_err(anyhow::Error::from);
            let date = cells[0].get(..10).context("a date")?.to_owned();
            Ok((date, [number(1)?, number(2)?, number(3)?, number(4)?], number(5)?))
        });
        Ok(Self { folder: tempfile::tempdir()?, rows: rows.collect::<Result<_>>()? })
    }

    /// The gateway's history up to a day, with prices times `by` and volumes divided by it.
    fn until(&self, port: Option<u16>, date: &str, by: f64) -> Result<GatewaySim> {
        self.with(port, date, |date, prices, volume| {
            (date.to_owned(), prices.map(|price| (price * by * 100.0).round() / 100.0), (volume / by).round())
        })
    }

    fn with(
        &self,
        port: Option<u16>,
        until: &str,
        change: impl Fn(&str, [f64; 4], f64) -> (String, [f64; 4], f64),
    ) -> Result<GatewaySim> {
        let mut text = "timestamp,open,high,low,close,volume\n".to_owned();
        for (date, prices, volume) in self.rows.iter().filter(|row| row.0.as_str() <= until) {
            let (date, [open, high, low, close], volume) = change(date, *prices, *volume);
            writeln!(text, "{date}T00:00:00Z,{open},{high},{low},{close},{volume}")?;
        }
        fs::write(self.folder.path().join("GOOGL_1d.csv"), text)?;
        let flags = format!("--time-scale {SCALE} --replay {} --now {until}T23:59:00Z", self.folder.path().display());
        GatewaySim::start_on(port.unwrap_or(0), &flags)
    }
}

fn load(home: &Home, flags: &str) -> Result<serde_json::Value> {
    home.ktrdr(&format!("data load GOOGL -t 1d -f json {flags}"))?.json()
}

/// Up to a day, loaded; then a gateway with another history.
fn loaded_before(told: &Told, date: &str) -> Result<(TestDaemon, u16)> {
    let sim = told.until(None, date, 1.0)?;
    let port = sim.port();
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let first = &told.rows[0].0;
    let loaded = load(&daemon, &format!("--start {first} --end {date}"))?;
    assert!(loaded["bars_loaded"].as_u64() > Some(100), "{loaded}");
    sim.kill()?;
    gateway_is(&daemon, "disconnected")?;
    Ok((daemon, port))
}

#[test]
fn prices_of_another_scale_are_never_added_and_a_refetch_replaces_all_of_them() -> Result<()> {
    let told = Told::new()?;
    let (daemon, port) = loaded_before(&told, "2025-05-20")?;
    let before = stored(&daemon, "GOOGL -t 1d")?;

    let sim = told.until(Some(port), "2025-06-06", 0.1)?;
    gateway_is(&daemon, "ready")?;
    let refused = daemon.ktrdr("data load GOOGL -t 1d -f json")?.fails(1, "SPLIT_SUSPECTED")?;
    assert!(refused["message"].as_str().is_some_and(|text| text.contains("10-for-1 split")), "{refused}");
    assert_eq!(stored(&daemon, "GOOGL -t 1d")?, before, "nothing has changed");

    let refetched = load(&daemon, "--on-split refetch")?;
    assert_eq!(refetched["success"], true, "{refetched}");
    let after = stored(&daemon, "GOOGL -t 1d")?;
    assert!(after.len() > before.len());
    assert!((after[0].values[3] * 10.0 / before[0].values[3] - 1.0).abs() < 0.001, "{:?} {:?}", after[0], before[0]);
    assert_eq!(load(&daemon, "")?["bars_loaded"], 0, "known up to now");

    let undone = daemon.ktrdr("data restore GOOGL -t 1d --yes -f json")?.json()?;
    assert_eq!(undone["years"], serde_json::json!([2024, 2025]), "{undone}");
    assert_eq!(stored(&daemon, "GOOGL -t 1d")?, before, "as it was");
    daemon.ktrdr("data restore GOOGL -t 1d --yes")?.ok()?;
    assert_eq!(stored(&daemon, "GOOGL -t 1d")?, after, "undoing can be undone");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn a_dividend_is_no_split_and_a_constant_ratio_that_is_none_is_told_as_such() -> Result<()> {
    let told = Told::new()?;
    for (by, reason) in [(0.996, None), (0.9, Some("ADJUSTMENT_CHANGED"))] {
        let (daemon, port) = loaded_before(&told, "2025-05-20")?;
        let keep_volume =
            |date: &str, prices: [f64; 4], volume| (date.to_owned(), prices.map(|price| price * by), volume);
        let sim = told.with(Some(port), "2025-06-06", keep_volume)?;
        gateway_is(&daemon, "ready")?;
        let ran = daemon.ktrdr("data load GOOGL -t 1d -f json")?;
        match reason {
            None => assert_eq!(ran.json()?["bars_loaded"], 12),
            Some(reason) => drop(ran.fails(1, reason)?),
        }
        drop(daemon.terminate()?);
        sim.report()?;
    }
    Ok(())
}

#[test]
fn corrections_win_and_are_remembered_and_what_vanished_is_kept() -> Result<()> {
    let told = Told::new()?;
    let (daemon, port) = loaded_before(&told, "2025-05-20")?;
    let before = stored(&daemon, "GOOGL -t 1d")?;
    let corrected = |date: &str, [open, high, low, close]: [f64; 4], volume| {
        let factor = if date == "2025-05-14" { 1.3 } else { 1.0 };
        // without this one, the answer is as if it had never been
        let date = if date == "2025-05-13" { "2023-01-03" } else { date };
        (date.to_owned(), [open, high * factor, low, close * factor], volume)
    };
    let sim = told.with(Some(port), "2025-05-20", corrected)?;
    gateway_is(&daemon, "ready")?;
    assert_eq!(load(&daemon, "--start 2025-05-01 --end 2025-05-20")?["requests_made"], 0, "known");
    let verified = load(&daemon, "--start 2025-05-01 --end 2025-05-20 --verify")?;
    assert_eq!((&verified["bars_revised"], &verified["bars_loaded"]), (&1.into(), &0.into()), "{verified}");
    let after = stored(&daemon, "GOOGL -t 1d")?;
    let different: Vec<_> = before.iter().zip(&after).filter(|(one, other)| one != other).collect();
    assert!(different.len() == 1 && before.len() == after.len(), "{different:?}");
    let info = daemon.ktrdr("data info GOOGL -t 1d -f json")?.json()?;
    let revisions = info["series"][0]["revisions"].as_array().context("revisions")?;
    let cases: Vec<_> = revisions.iter().map(|one| (one["case"].as_str(), one["bars"].as_u64())).collect();
    assert_eq!(cases.len(), 2, "{info}");
    assert!(cases.contains(&(Some("revised"), Some(1))) && cases.contains(&(Some("vanished"), Some(1))), "{info}");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn an_answer_that_lacks_much_of_what_is_stored_changes_nothing() -> Result<()> {
    let told = Told::new()?;
    let (daemon, port) = loaded_before(&told, "2025-05-20")?;
    let before = stored(&daemon, "GOOGL -t 1d")?;
    let thinned = |date: &str, prices, volume| {
        let kept = !date.ends_with('5') || date < "2025";
        (if kept { date.to_owned() } else { "2023-01-03".to_owned() }, prices, volume)
    };
    let sim = told.with(Some(port), "2025-05-20", thinned)?;
    gateway_is(&daemon, "ready")?;
    daemon
        .ktrdr("data load GOOGL -t 1d --start 2025-01-01 --end 2025-05-20 --verify -f json")?
        .fails(1, "BARS_VANISHED")?;
    assert_eq!(stored(&daemon, "GOOGL -t 1d")?, before);
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}
