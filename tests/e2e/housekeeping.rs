//! Files that are damaged, bars that are wrong, bars that are not wanted: found, mended, taken away, and brought back.

use std::fs;

use anyhow::{Context as _, Result};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim, home::Home, series::Bar};

use crate::support::{SCALE, document, stored};

const SERIES: &str = "AAPL -t 1h";

/// Two months of hours from a gateway.
fn loaded() -> Result<(GatewaySim, TestDaemon, Vec<Bar>)> {
    let sim = GatewaySim::start("--time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    daemon.ktrdr(&format!("data load {SERIES} --start 2024-11-01 --end 2025-01-31"))?.ok()?;
    let bars = stored(&daemon, SERIES)?;
    assert!(bars.len() > 500, "{}", bars.len());
    Ok((sim, daemon, bars))
}

fn codes(home: &Home) -> Result<Vec<String>> {
    let checked = document(home, &format!("data check {SERIES}"))?;
    let findings = checked["series"][0]["findings"].as_array().context("findings")?.clone();
    let wrong = findings.iter().filter(|one| one["severity"] != "info");
    Ok(wrong.filter_map(|one| one["code"].as_str().map(str::to_owned)).collect())
}

/// One bar upside down, and one on a Saturday.
fn spoil(daemon: &TestDaemon, bars: &[Bar]) -> Result<()> {
    let [open, high, low, close, volume] = bars[100].values;
    let text = format!(
        "timestamp,open,high,low,close,volume\n{},{open},{low},{high},{close},{volume}\n2024-12-07T15:00:00Z,1,1,1,1,1\n",
        bars[100].start
    );
    let file = daemon.file("AAPL_1h.csv", text)?;
    daemon.ktrdr(&format!("data import {}", file.display()))?.ok()?;
    Ok(())
}

#[test]
fn a_repair_says_what_it_will_do_does_it_and_can_be_undone() -> Result<()> {
    let (sim, daemon, bars) = loaded()?;
    spoil(&daemon, &bars)?;
    let spoiled = stored(&daemon, SERIES)?;
    assert_eq!(codes(&daemon)?, ["HIGH_BELOW_BODY", "HIGH_BELOW_LOW", "LOW_ABOVE_BODY", "OUTSIDE_SESSION"]);

    let told = document(&daemon, &format!("data repair {SERIES}"))?;
    assert_eq!(
        (&told["done"], &told["dropped"], told["asked"].as_array().map(Vec::len)),
        (&false.into(), &1.into(), Some(1))
    );
    assert_eq!(stored(&daemon, SERIES)?, spoiled, "only told");

    let done = document(&daemon, &format!("data repair {SERIES} --yes"))?;
    assert_eq!(
        (&done["done"], &done["dropped"], &done["bars_revised"]),
        (&true.into(), &1.into(), &1.into()),
        "{done}"
    );
    assert_eq!(stored(&daemon, SERIES)?, bars, "as the gateway has them");
    assert_eq!(codes(&daemon)?, Vec::<String>::new());
    let again = document(&daemon, &format!("data repair {SERIES} --yes"))?;
    assert_eq!(again["steps"], serde_json::json!([]), "nothing is left to do");

    let operation = done["operation"].as_str().context("an operation")?;
    daemon.ktrdr(&format!("data restore {SERIES} --operation {operation} --yes"))?.ok()?;
    assert_eq!(stored(&daemon, SERIES)?, spoiled, "undone");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn a_damaged_file_is_found_and_loaded_again() -> Result<()> {
    let (sim, daemon, bars) = loaded()?;
    assert!(
        document(&daemon, "data verify")?["files"]
            .as_array()
            .context("files")?
            .iter()
            .all(|one| one["damage"].is_null())
    );
    let path = daemon.data().join("bars/symbol=AAPL/timeframe=1h/year=2024/bars.parquet");
    let mut bytes = fs::read(&path)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes)?;
    let refused = daemon.ktrdr("data verify AAPL -f json")?;
    assert_eq!(refused.status, 1);
    assert!(refused.document()?["files"][0]["damage"].as_str().is_some_and(|text| text.contains("checksum")));
    daemon.ktrdr(&format!("data show {SERIES} --all -f json"))?.fails(1, "PARTITION_DAMAGED")?;
    let done = document(&daemon, &format!("data repair {SERIES} --yes"))?;
    assert_eq!(done["done"], true, "{done}");
    assert_eq!(stored(&daemon, SERIES)?, bars);
    assert_eq!(daemon.ktrdr("data verify")?.status, 0);
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn what_is_deleted_is_gone_for_every_reader_and_can_be_brought_back() -> Result<()> {
    let (sim, daemon, bars) = loaded()?;
    let told = document(&daemon, &format!("data delete {SERIES} --start 2025-01-01"))?;
    let (gone, left) = (told["bars"].as_u64().context("bars")?, told["bars_left"].as_u64().context("bars left")?);
    assert_eq!((&told["done"], gone + left), (&false.into(), bars.len() as u64));
    let folder = daemon.data().join("bars/symbol=AAPL/timeframe=1h");
    let done = document(&daemon, &format!("data delete {SERIES} --start 2025-01-01 --yes"))?;
    assert_eq!(done["done"], true);
    assert!(!folder.join("year=2025/bars.parquet").exists() && folder.join("year=2024/bars.parquet").exists());
    let after = stored(&daemon, SERIES)?;
    assert!(after.len() as u64 == left && after.iter().all(|bar| bar.start.as_str() < "2025"), "{}", after.len());

    // what is known of it has gone, too
    let loaded = document(&daemon, &format!("data load {SERIES} --start 2024-11-01 --end 2025-01-31"))?;
    assert_eq!(loaded["bars_loaded"].as_u64(), Some(gone));
    let operation = done["operation"].as_str().context("an operation")?.to_owned();
    document(&daemon, &format!("data delete {SERIES} --yes"))?;
    daemon.ktrdr(&format!("data show {SERIES} -f json"))?.fails(7, "SERIES_NOT_FOUND")?;
    let daemon = daemon.restart()?;
    daemon.ktrdr(&format!("data restore {SERIES} --yes"))?.ok()?;
    assert_eq!(stored(&daemon, SERIES)?, bars);
    let daemon = daemon.restart()?;
    assert_eq!(stored(&daemon, SERIES)?, bars, "also after a restart");

    let kept = daemon.data().join("kept");
    assert!(fs::read_dir(&kept)?.count() > 0);
    daemon.ktrdr("data compact --older-than 0 --yes")?.ok()?;
    assert_eq!(fs::read_dir(&kept)?.count(), 0);
    daemon.ktrdr(&format!("data restore {SERIES} --operation {operation} -f json"))?.fails(7, "NOTHING_KEPT")?;
    assert_eq!(stored(&daemon, SERIES)?, bars, "bars are not what is given up");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}
