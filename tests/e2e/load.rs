//! Loading bars from the gateway.

use anyhow::{Context as _, Result};
use ktrdr_tests::{
    daemon::TestDaemon,
    gateway_sim::GatewaySim,
    series::{self, Bar, between, content_of},
};

use crate::support::{SCALE, SLOW, detached, operation, steps_done, stored};

#[test]
fn a_load_stores_exactly_the_bars_of_its_range_and_the_second_fetches_nothing() -> Result<()> {
    let sim = GatewaySim::replaying("")?;
    let daemon = TestDaemon::start(&sim)?;
    let line = "data load NVDA --timeframe 1h --start 2024-01-01 --end 2025-06-01 --format json";
    let first = daemon.ktrdr(line)?.json()?;

    let stored = series::printed(&daemon.ktrdr("data show NVDA -t 1h --all -f csv")?.ok()?)?;
    let file = series::file("NVDA_1h.csv")?;
    let wanted = between(&file, "2024-01-01", "2025-06-02");
    assert_eq!(stored.iter().collect::<Vec<_>>(), wanted);
    assert_eq!(first["bars_loaded"], wanted.len());
    assert_eq!(first["status"], "completed");

    let second = daemon.ktrdr(line)?.json()?;
    assert_eq!((&second["requests_made"], &second["bars_loaded"]), (&0.into(), &0.into()));
    assert_eq!(second["bars_total"], wanted.len());
    drop(daemon.terminate()?);
    let report = sim.report()?;
    assert_eq!(first["requests_made"], report.made(), "{:#}", report.document());
    Ok(())
}

#[test]
fn the_document_of_a_load_has_the_keys_that_scripts_read() -> Result<()> {
    let sim = GatewaySim::replaying("")?;
    let daemon = TestDaemon::start(&sim)?;
    let load = daemon.ktrdr("data load GOOGL --start 2024-01-01 --end 2024-02-01 -f json")?.json()?;
    let mut keys: Vec<_> = load.as_object().context("an object")?.keys().map(String::as_str).collect();
    keys.sort_unstable();
    let wanted = "bars_loaded bars_revised bars_total details error execution_time_seconds gaps_left mode requests_made \
                  status success symbol timeframe";
    assert_eq!(keys.join(" "), wanted);
    assert_eq!(load["success"], true);
    assert_eq!((&load["symbol"], &load["timeframe"]), (&"GOOGL".into(), &"1d".into()));
    let id = load["details"]["operation_id"].as_str().context("an id")?;
    assert!(id.starts_with("op_load_"), "{id}");
    assert_eq!(operation(&daemon, id)?["result"]["bars_loaded"], load["bars_loaded"]);
    Ok(())
}

#[test]
fn each_mode_brings_in_its_part_and_local_nothing() -> Result<()> {
    let sim = GatewaySim::start("--time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let load = |mode: &str| daemon.ktrdr(&format!("data load AAPL -t 1d --mode {mode} -f json"))?.json();
    let range = || daemon.ktrdr("data range AAPL -t 1d -f json")?.json();

    daemon.ktrdr("data load AAPL -t 1d --mode local -f json")?.fails(7, "SERIES_NOT_FOUND")?;
    let tail = load("tail")?;
    let month = tail["bars_loaded"].as_u64().context("a number")?;
    assert!((17..=24).contains(&month), "trading days of 30 days: {month}");
    let last = range()?["range"]["end_date"].clone();

    let backfill = load("backfill")?;
    let total = backfill["bars_total"].as_u64().context("a number")?;
    assert!(total > 5_000, "two decades: {total}");
    assert_eq!(range()?["range"]["end_date"], last, "a backfill does not touch the end");
    assert!(range()?["range"]["start_date"].as_str().context("a date")?.starts_with("2004-01-2"));

    let full = load("full")?;
    assert_eq!((&full["bars_loaded"], &full["bars_total"]), (&0.into(), &total.into()), "nothing was left");
    let local = load("local")?;
    assert_eq!((&local["requests_made"], &local["bars_total"]), (&0.into(), &total.into()));
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn a_load_of_a_series_that_is_being_loaded_joins_it() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let line = "data load AAPL -t 1m --start 2025-03-03 --end 2025-03-28";
    let id = detached(&daemon, line)?;
    let joined = daemon.ktrdr(&format!("{line} -f json"))?;
    assert!(joined.stderr.contains("joining"), "{joined:?}");
    let document = joined.json()?;
    assert_eq!(document["details"]["operation_id"], id.as_str());
    assert_eq!(daemon.ktrdr("operations list -f json")?.json()?["total"], 1);
    Ok(())
}

#[test]
fn a_load_that_joins_one_of_other_bars_ends_with_its_own() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let first = detached(&daemon, "data load AAPL -t 1m --start 2025-03-03 --end 2025-03-14")?;
    let ran = daemon.ktrdr("data load AAPL -t 1m --start 2025-01-13 --end 2025-01-17 -f json")?;
    assert!(ran.stderr.contains("joining"), "{ran:?}");
    let document = ran.json()?;
    assert_ne!(document["details"]["operation_id"], first.as_str());
    // five sessions of sixteen hours, less the last hour of Friday, which in winter is Saturday in UTC
    assert_eq!((&document["success"], &document["bars_loaded"]), (&true.into(), &(5 * 960 - 60).into()), "{document}");
    Ok(())
}

#[test]
fn a_cancelled_load_keeps_what_it_fetched_and_the_next_one_goes_on() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let line = "data load AAPL -t 1m --start 2025-02-03 --end 2025-03-28";
    let id = detached(&daemon, line)?;
    let steps = steps_done(&daemon, &id, 3)?["progress"]["total"].as_u64().context("a number")?;
    let cancelled = daemon.ktrdr(&format!("operations cancel {id} --format json"))?.json()?;
    assert_eq!(cancelled["state"], "cancelled");
    let kept = stored(&daemon, "AAPL -t 1m")?;
    assert_eq!(cancelled["result"]["bars_total"], kept.len());
    assert!(!kept.is_empty());

    let rest = daemon.ktrdr(&format!("{line} -f json"))?.json()?;
    assert_eq!(rest["bars_loaded"].as_u64().context("a number")? + kept.len() as u64, rest["bars_total"]);
    drop(daemon.terminate()?);
    let report = sim.report()?;
    let asked = report.historical();
    assert!(asked == steps || asked == steps + 1, "{asked} requests for {steps} steps: one was withdrawn at most");
    Ok(())
}

#[test]
fn what_the_gateway_does_not_know_is_not_found() -> Result<()> {
    let sim = GatewaySim::start("")?;
    let daemon = TestDaemon::start(&sim)?;
    let error = daemon.ktrdr("data load ZZZZ -f json")?.fails(7, "CONTRACT_NOT_FOUND")?;
    assert!(error["hint"].as_str().context("a hint")?.contains("ZZZZ"));
    daemon.ktrdr("data range ZZZZ -f json")?.fails(7, "SERIES_NOT_FOUND")?;
    Ok(())
}

#[test]
fn a_symbol_of_several_contracts_is_not_guessed() -> Result<()> {
    let sim = GatewaySim::start("")?;
    let daemon = TestDaemon::start(&sim)?;
    let error = daemon.ktrdr("data load VOD -f json")?.fails(1, "CONTRACT_AMBIGUOUS")?;
    let hint = error["hint"].as_str().context("a hint")?;
    assert!(hint.contains("LSE") && hint.contains("IBIS"), "{hint}");
    // of these, one is in dollars and American
    daemon.ktrdr("data load MSFT --start 2025-03-03 --end 2025-03-07")?.ok()?;
    Ok(())
}

#[test]
fn a_currency_pair_has_midpoints_and_one_spelling() -> Result<()> {
    let sim = GatewaySim::replaying("")?;
    let daemon = TestDaemon::start(&sim)?;
    daemon.ktrdr("data load eur.usd -t 1h --start 2025-03-03 --end 2025-03-07")?.ok()?;
    let list = daemon.ktrdr("data list -f json")?.json()?;
    assert_eq!(list["series"][0]["symbol"], "EURUSD");
    assert_eq!(list["series"][0]["what_to_show"], "midpoint");
    let file = series::file("EURUSD_1h.csv")?;
    let stored = stored(&daemon, "EUR/USD -t 1h")?;
    let prices = |bar: &Bar| (bar.start.clone(), bar.values[..4].to_vec());
    let wanted: Vec<_> = between(&file, "2025-03-03", "2025-03-08").into_iter().map(prices).collect();
    assert_eq!(stored.iter().map(prices).collect::<Vec<_>>(), wanted);
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn a_series_has_one_session_and_another_changes_nothing() -> Result<()> {
    let sim = GatewaySim::start("")?;
    let daemon = TestDaemon::start(&sim)?;
    let line = "data load AAPL -t 1h --start 2025-03-03 --end 2025-03-07 -f json";
    daemon.ktrdr(line)?.ok()?;
    let before = content_of(&daemon.data())?;
    daemon.ktrdr(&format!("{line} --trading-hours"))?.fails(1, "SESSION_MISMATCH")?;
    daemon.ktrdr(&format!("{line} --what bid"))?.fails(1, "SESSION_MISMATCH")?;
    assert_eq!(content_of(&daemon.data())?, before);
    Ok(())
}

#[test]
fn a_retry_is_linked_and_never_becomes_another_load_that_runs() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let first = detached(&daemon, "data load AAPL -t 1m --start 2025-01-06 --end 2025-02-28")?;
    daemon.ktrdr(&format!("operations cancel {first}"))?.ok()?;
    let other = detached(&daemon, "data load AAPL -t 1m --start 2025-03-03 --end 2025-04-30")?;
    daemon.ktrdr(&format!("operations retry {first} -f json"))?.fails(1, "OPERATION_NOT_RETRYABLE")?;
    daemon.ktrdr(&format!("operations cancel {other}"))?.ok()?;
    let retried = daemon.ktrdr(&format!("operations retry {first} -f json"))?.json()?;
    assert_eq!((&retried["state"], &retried["retry_of"]), (&"completed".into(), &first.as_str().into()), "{retried}");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}
