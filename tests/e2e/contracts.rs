//! What symbols mean, and what is remembered of it.

use anyhow::{Context as _, Result};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim};

#[test]
fn a_symbol_is_validated_with_its_contract_hours_and_history() -> Result<()> {
    let sim = GatewaySim::start("")?;
    let daemon = TestDaemon::start(&sim)?;
    let apple = daemon.ktrdr("data validate aapl@nasdaq -f json")?.json()?;
    assert_eq!((&apple["symbol"], &apple["kind"]), (&"AAPL@NASDAQ".into(), &"stock".into()), "{apple}");
    assert_eq!((&apple["con_id"], &apple["currency"]), (&265_598.into(), &"USD".into()));
    assert_eq!(apple["head_timestamp"], "2004-01-23T14:30:00Z");
    let hours = |key: &str| apple[key].as_array().map(Vec::len).context("hours");
    assert!(hours("trading_hours")? >= 1 && hours("regular_hours")? >= 1, "{apple}");
    assert_eq!(apple["cached"], false);
    let table = daemon.ktrdr("data validate EUR/USD")?.ok()?;
    assert!(table.contains("EURUSD") && table.contains("forex") && table.contains("IDEALPRO"), "{table}");
    daemon.ktrdr("data validate EURUSD --what trades -f json")?.fails(1, "WHAT_TO_SHOW_UNAVAILABLE")?;
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn what_was_looked_up_is_told_without_a_gateway() -> Result<()> {
    let sim = GatewaySim::start("")?;
    let daemon = TestDaemon::start(&sim)?;
    let first = daemon.ktrdr("data validate BRK/B -f json")?.json()?;
    sim.kill()?;
    let again = daemon.ktrdr("data validate brk.b -f json")?.json()?;
    assert_eq!((&again["con_id"], &again["as_of"]), (&first["con_id"], &first["as_of"]));
    assert_eq!((&again["cached"], &again["head_timestamp"]), (&true.into(), &first["head_timestamp"]));
    let refreshed = daemon.ktrdr("data validate BRK.B --refresh -f json")?;
    assert_eq!(refreshed.status, 5, "{refreshed:?}");
    Ok(())
}

#[test]
fn candidates_can_be_typed_and_what_is_unknown_is_not_found() -> Result<()> {
    let sim = GatewaySim::start("")?;
    let daemon = TestDaemon::start(&sim)?;
    let error = daemon.ktrdr("data validate VOD -f json")?.fails(1, "CONTRACT_AMBIGUOUS")?;
    let hint = error["hint"].as_str().context("a hint")?;
    assert!(hint.contains("VOD@LSE") && hint.contains("VOD@IBIS"), "{hint}");
    let london = daemon.ktrdr("data validate VOD@LSE -f json")?.json()?;
    assert_eq!((&london["currency"], &london["time_zone_known"]), (&"GBP".into(), &true.into()), "{london}");

    daemon.ktrdr("data validate ZZZZ -f json")?.fails(7, "CONTRACT_NOT_FOUND")?;
    daemon.ktrdr("data validate AAPL@LSE -f json")?.fails(7, "CONTRACT_NOT_FOUND")?;
    daemon.ktrdr("data validate ../x -f json")?.fails(2, "SYMBOL_INVALID")?;
    daemon.ktrdr("data load ES-CONT -f json")?.fails(2, "REQUEST_INVALID")?;
    daemon.ktrdr("data load SPX --what bid -f json")?.fails(1, "WHAT_TO_SHOW_UNAVAILABLE")?;
    Ok(())
}

#[test]
fn a_listing_is_a_series_of_its_own_in_one_folder() -> Result<()> {
    let sim = GatewaySim::start("")?;
    let daemon = TestDaemon::start(&sim)?;
    daemon.ktrdr("data load vod@lse -t 1d --start 2025-03-03 --end 2025-03-07")?.ok()?;
    assert!(daemon.data().join("bars/symbol=VOD@LSE/timeframe=1d/year=2025/bars.parquet").exists());
    daemon.ktrdr("data show VOD@LSE -t 1d -f csv")?.ok()?;
    daemon.ktrdr("data show VOD@IBIS -t 1d -f json")?.fails(7, "SERIES_NOT_FOUND")?;
    Ok(())
}
