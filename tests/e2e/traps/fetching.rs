//! Fetching and telling: traps 27 to 35, 45 to 48, 57 to 65.

use anyhow::{Context as _, Result};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim, wait};

use super::{document, ended, imported, pair};
use crate::support::{SCALE, SLOW, detached, gateway_is, operation, steps_done, stored};

#[test]
fn trap_27_what_is_empty_is_asked_for_once() -> Result<()> {
    let (sim, daemon) = pair()?;
    // a weekend, a holiday and a night: nothing is due
    for range in
        ["--start 2025-03-08T01:00:00Z --end 2025-03-10T08:00:00Z", "--start 2024-12-25T09:00:00Z --end 2024-12-25"]
    {
        let loaded = document(&daemon, &format!("data load AAPL -t 1h {range}"))?;
        assert_eq!((&loaded["success"], &loaded["bars_loaded"]), (&true.into(), &0.into()), "{loaded}");
        assert_eq!(document(&daemon, &format!("data load AAPL -t 1h {range}"))?["requests_made"], 0);
    }
    drop(daemon.terminate()?);
    assert_eq!(sim.report()?.historical(), 0, "closed hours are not asked for");
    Ok(())
}

#[test]
fn trap_28_no_data_pacing_and_time_outs_are_three_things() -> Result<()> {
    for (rule, reason) in [
        ("text = \"Historical Market Data Service error message:HMDS query returned no data: AAPL\"", None),
        (
            "text = \"Historical Market Data Service error message:Historical data request pacing violation\"",
            Some("PACING_VIOLATION"),
        ),
        (
            "text = \"Historical Market Data Service error message:No market data permissions for NYSE STK\"",
            Some("NOT_SUBSCRIBED"),
        ),
    ] {
        let rule = format!("[[fault]]\nkind = \"error\"\non = \"historical_data\"\ntimes = 50\ncode = 162\n{rule}\n");
        let sim = GatewaySim::with_faults(&rule, "--time-scale 60")?;
        let daemon = TestDaemon::hurried(&sim, SCALE)?;
        let ran = daemon.ktrdr("data load AAPL -t 1h --start 2025-03-03 --end 2025-03-07 -f json --timeout 60")?;
        let told = ran.document()?;
        match reason {
            None => assert_eq!((&told["success"], &told["bars_loaded"]), (&true.into(), &0.into()), "{told}"),
            Some(reason) => assert_eq!(told["error"]["reason"].as_str(), Some(reason), "{told}"),
        }
        drop(daemon.terminate()?);
        sim.report_unjudged()?;
    }
    Ok(())
}

#[test]
fn trap_31_everybody_is_answered_while_the_gateway_is_slow() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let id = detached(&daemon, "data load AAPL -t 1m --start 2025-01-06 --end 2025-02-28")?;
    steps_done(&daemon, &id, 1)?;
    for line in ["daemon status", "ib status", "operations list", "data list", "data range AAPL -t 1m"] {
        daemon.ktrdr(&format!("{line} --timeout 2"))?.ok()?;
    }
    assert_eq!(operation(&daemon, &id)?["state"], "running");
    daemon.ktrdr(&format!("operations cancel {id}"))?.ok()?;
    ended(sim, daemon)
}

#[test]
fn trap_33_prices_keep_their_last_digit() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let rows = "timestamp,open,high,low,close,volume\n2025-03-03T10:00:00Z,1.0352012345678,100.0,0.1,100.0,3.25\n";
    imported(&daemon, "EURUSD_1h.csv", rows, "")?;
    let bars = stored(&daemon, "EURUSD -t 1h")?;
    assert_eq!(bars[0].values.map(f64::to_bits), [1.035_201_234_567_8, 100.0, 0.1, 100.0, 3.25].map(f64::to_bits));
    Ok(())
}

#[test]
fn trap_34_every_stamp_says_its_zone() -> Result<()> {
    let (sim, daemon) = pair()?;
    daemon.ktrdr("data load AAPL -t 1h --start 2025-03-03 --end 2025-03-04")?.ok()?;
    for (line, at) in [
        ("data show AAPL -t 1h", "/data/0/index"),
        ("data range AAPL -t 1h", "/range/start_date"),
        ("operations list", "/operations/0/created_at"),
        ("ib status", "/since"),
    ] {
        let told = document(&daemon, line)?;
        let stamp = told.pointer(at).and_then(|stamp| stamp.as_str()).context(at)?;
        assert!(stamp.ends_with('Z') && stamp.parse::<jiff::Timestamp>().is_ok(), "{line}: {stamp}");
    }
    ended(sim, daemon)
}

#[test]
fn trap_45_a_cancelled_load_keeps_what_it_has_acknowledged() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let id = detached(&daemon, "data load AAPL -t 1m --start 2025-01-06 --end 2025-02-28")?;
    steps_done(&daemon, &id, 3)?;
    daemon.ktrdr(&format!("operations cancel {id}"))?.ok()?;
    let told = operation(&daemon, &id)?;
    let loaded = told["result"]["bars_loaded"].as_u64().context("bars")?;
    assert!(loaded > 3 * 960, "{told}");
    assert_eq!(stored(&daemon, "AAPL -t 1m")?.len() as u64, loaded);
    ended(sim, daemon)
}

#[test]
fn trap_47_progress_never_goes_back_and_is_whole_only_at_the_end() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let id = detached(&daemon, "data load AAPL MSFT -t 1m --start 2025-01-06 --end 2025-01-31")?;
    let mut seen = Vec::new();
    wait::until_true("the end", wait::LIMIT, || {
        let now = operation(&daemon, &id)?;
        seen.push((now["progress"]["percent"].as_f64().unwrap_or(0.0), now["state"].clone()));
        Ok(now["state"] == "completed")
    })?;
    assert!(seen.len() > 3 && seen.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{seen:?}");
    assert!(seen.iter().all(|(percent, state)| *percent < 100.0 || state == "completed"), "{seen:?}");
    ended(sim, daemon)
}

#[test]
fn trap_48_counts_are_those_of_what_was_done() -> Result<()> {
    let (sim, daemon) = pair()?;
    let loaded = document(&daemon, "data load AAPL -t 1h --start 2024-01-01 --end 2024-12-31")?;
    let again = document(&daemon, "data load AAPL -t 1h --start 2024-01-01 --end 2024-12-31")?;
    assert_eq!((&again["bars_loaded"], &again["requests_made"]), (&0.into(), &0.into()));
    assert_eq!(loaded["bars_loaded"], again["bars_total"]);
    drop(daemon.terminate()?);
    let report = sim.report()?;
    // the contract and the beginning of the history, too
    assert_eq!(loaded["requests_made"].as_u64(), Some(report.historical() + 2));
    Ok(())
}

#[test]
fn trap_59_a_contract_is_the_same_after_a_restart() -> Result<()> {
    let (sim, daemon) = pair()?;
    let mut before = Vec::new();
    for symbol in ["EURUSD", "AAPL", "ES-202703"] {
        before.push(document(&daemon, &format!("data validate {symbol}"))?["con_id"].clone());
    }
    let daemon = daemon.restart()?;
    for (symbol, id) in ["EUR.USD", "aapl", "ESH7"].into_iter().zip(before) {
        let told = document(&daemon, &format!("data validate {symbol}"))?;
        assert_eq!((&told["con_id"], &told["cached"]), (&id, &true.into()), "{told}");
    }
    ended(sim, daemon)
}

#[test]
fn trap_65_the_state_of_the_gateway_is_the_state_of_the_gateway() -> Result<()> {
    let (sim, daemon) = pair()?;
    gateway_is(&daemon, "ready")?;
    sim.kill()?;
    gateway_is(&daemon, "disconnected")?;
    Ok(())
}
