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

/// The third Friday of the last month of the quarter that is `ahead` of the present one, as `yyyymm` and `yyyymmdd`.
fn quarterly(ahead: i32) -> Result<(String, String)> {
    let today = jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date();
    let quarter = i32::from(today.year()) * 4 + i32::from((today.month() - 1) / 3) + ahead;
    let (year, month) = (i16::try_from(quarter / 4)?, i8::try_from(quarter % 4 * 3 + 3)?);
    let friday = jiff::civil::date(year, month, 1).nth_weekday_of_month(3, jiff::civil::Weekday::Friday)?;
    Ok((friday.strftime("%Y%m").to_string(), friday.strftime("%Y%m%d").to_string()))
}

#[test]
fn a_future_is_found_by_its_month_and_loaded_also_when_it_has_expired() -> Result<()> {
    let sim = GatewaySim::start("")?;
    let daemon = TestDaemon::start(&sim)?;
    let (next, last_day) = quarterly(1)?;
    let future = daemon.ktrdr(&format!("data validate ES-{next} -f json"))?.json()?;
    assert_eq!((&future["kind"], &future["exchange"]), (&"future".into(), &"CME".into()), "{future}");
    assert_eq!(
        (&future["last_trade_date"], &future["multiplier"]),
        (&last_day.as_str().into(), &"50".into()),
        "{future}"
    );
    let joined = daemon.ktrdr("data validate ES-CONT -f json")?.json()?;
    assert_eq!((&joined["kind"], &joined["symbol"]), (&"continuous_future".into(), &"ES-CONT".into()), "{joined}");
    let (expired, _) = quarterly(-1)?;
    let year = jiff::Timestamp::now().strftime("%Y").to_string().parse::<i32>()? - 1;
    let load = format!("data load ES-{expired} -t 1d --start {year}-06-02 --end {year}-06-07 -f json");
    daemon.ktrdr(&load)?.ok()?;
    let bars = daemon.ktrdr(&format!("data show ES-{expired} -t 1d --all -f csv"))?.ok()?;
    assert!(bars.lines().count() >= 5, "{bars}");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn an_index_has_trades_only_and_a_zone_that_nobody_knows_harms_nothing_else() -> Result<()> {
    let sim = GatewaySim::start("")?;
    let daemon = TestDaemon::start(&sim)?;
    let index = daemon.ktrdr("data validate SPX -f json")?.json()?;
    assert_eq!((&index["kind"], &index["exchange"]), (&"index".into(), &"CBOE".into()), "{index}");
    daemon.ktrdr("data load SPX -t 1h --start 2025-06-02 --end 2025-06-04")?.ok()?;
    let odd = daemon.ktrdr("data validate Q1X-IND -f json")?.json()?;
    assert_eq!((&odd["time_zone_known"], &odd["trading_hours"]), (&false.into(), &serde_json::Value::Null), "{odd}");
    let table = daemon.ktrdr("data validate SPX")?.ok()?;
    assert!(table.contains("S&P 500 Stock Index") && table.contains("index"), "{table}");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}
