//! Many series at once, and what a load would ask.

use anyhow::{Context as _, Result};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim, wait};
use serde_json::Value;

use crate::support::{SCALE, SLOW, detached, operation, stored};

fn of<'a>(document: &'a Value, key: &str) -> Result<Vec<&'a Value>> {
    Ok(document["series"].as_array().context("series")?.iter().map(|one| &one[key]).collect())
}

#[test]
fn one_operation_loads_many_and_one_that_fails_hurts_no_other() -> Result<()> {
    let sim = GatewaySim::start("--time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let file = daemon.file("symbols.txt", "AAPL\n# remarks are for people\nNOSUCH # so is this\n\nEURUSD\n")?;
    let line =
        format!("data load MSFT --from-file {} -t 1h,1d --start 2025-01-01 --end 2025-03-31 -f json", file.display());
    let ran = daemon.ktrdr(&line)?;
    assert_eq!(ran.status, 1, "{ran:?}");
    let told = ran.document()?;
    assert_eq!((&told["success"], of(&told, "symbol")?.len()), (&false.into(), 8), "{told}");
    for one in told["series"].as_array().context("series")? {
        let series = format!(
            "{} -t {}",
            one["symbol"].as_str().context("a symbol")?,
            one["timeframe"].as_str().context("a timeframe")?
        );
        if one["symbol"] == "NOSUCH" {
            assert_eq!((&one["status"], &one["error"]["reason"]), (&"failed".into(), &"CONTRACT_NOT_FOUND".into()));
            continue;
        }
        assert_eq!(one["status"], "completed", "{one}");
        assert_eq!(one["bars_loaded"].as_u64(), Some(stored(&daemon, &series)?.len() as u64), "{series}");
    }
    // each is known now, and what failed is asked again
    let id = told["details"]["operation_id"].as_str().context("an id")?;
    let again = daemon.ktrdr(&format!("operations retry {id} -f json"))?;
    let again = operation(&daemon, again.document()?["id"].as_str().context("an id")?)?;
    let again = wait::until("the end of the retry", wait::LIMIT, || {
        let now = operation(&daemon, again["id"].as_str().context("an id")?)?;
        Ok((now["state"] == "failed").then_some(now))
    })?;
    let loaded: Vec<&Value> = of(&again["result"], "bars_loaded")?;
    assert!(loaded.iter().all(|bars| **bars == 0), "{again}");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn a_cancelled_operation_of_many_keeps_what_came_and_says_of_each_how_far_it_was() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let line = "data load AAPL MSFT NVDA GOOGL AMZN META -t 1m --start 2025-01-06 --end 2025-02-28";
    let id = detached(&daemon, line)?;
    let running = wait::until("two steps of a part", wait::LIMIT, || {
        let now = operation(&daemon, &id)?;
        let parts = now["progress"]["parts"].as_array().cloned().unwrap_or_default();
        Ok(parts.iter().any(|part| part["done"].as_u64() >= Some(2)).then_some(now))
    })?;
    let parts = running["progress"]["parts"].as_array().context("parts")?;
    let names: Vec<_> = parts.iter().map(|part| part["name"].as_str()).collect();
    assert_eq!(names, ["AAPL 1m", "MSFT 1m", "NVDA 1m", "GOOGL 1m", "AMZN 1m", "META 1m"].map(Some));
    let sum = |key: &str| parts.iter().filter_map(|part| part[key].as_u64()).sum::<u64>();
    assert_eq!(
        (running["progress"]["done"].as_u64(), running["progress"]["total"].as_u64()),
        (Some(sum("done")), Some(sum("total")))
    );
    daemon.ktrdr(&format!("operations cancel {id}"))?.ok()?;
    let ended = operation(&daemon, &id)?;
    assert_eq!(ended["state"], "cancelled", "{ended}");
    let series = ended["result"]["series"].as_array().context("series")?;
    let states: Vec<_> = series.iter().filter_map(|one| one["status"].as_str()).collect();
    assert!(states.len() == 6 && states.iter().all(|state| ["cancelled", "pending"].contains(state)), "{states:?}");
    for one in series.iter().filter(|one| one["bars_loaded"].as_u64() > Some(0)) {
        let name = format!("{} -t 1m", one["symbol"].as_str().context("a symbol")?);
        assert_eq!(one["bars_loaded"].as_u64(), Some(stored(&daemon, &name)?.len() as u64));
    }
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn a_plan_says_what_a_load_asks_and_asks_nothing() -> Result<()> {
    let sim = GatewaySim::start("--time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let load = "data load AAPL -t 30s --start 2026-09-01 --end 2026-09-05 -f json";
    let plan = daemon.ktrdr(&format!("{load} --plan"))?.json()?;
    let planned = plan["requests"].as_u64().context("requests")?;
    assert!(planned > 5 && plan["series"][0]["counts_for_pacing"] == true, "{plan}");
    assert!(stored(&daemon, "AAPL -t 30s").is_err(), "nothing is stored");
    let loaded = daemon.ktrdr(load)?.json()?;
    // the contract, and where the history begins
    assert_eq!(loaded["requests_made"].as_u64(), Some(planned + 2), "{loaded}");
    assert!(loaded["bars_loaded"].as_u64() <= plan["series"][0]["bars_at_most"].as_u64());
    assert_eq!(daemon.ktrdr(&format!("{load} --plan"))?.json()?["requests"], 0);
    let refused = daemon.ktrdr("data load EURUSD --what trades --plan -f json")?.json()?;
    assert_eq!(refused["series"][0]["error"]["reason"], "WHAT_TO_SHOW_UNAVAILABLE");
    drop(daemon.terminate()?);
    let report = sim.report()?;
    assert_eq!(report.historical(), planned, "a plan asks nothing");
    Ok(())
}
