//! The daemon in the place of the old IB host service: what its clients send is answered in its documents, truly and at once, over the
//! one connection and from the one store.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::{
    daemon::{TestDaemon, home_with},
    gateway_sim::GatewaySim,
    home::Home,
    http,
};
use serde_json::{Value, json};

use crate::support::{SCALE, document, free_address, stored};

const FLAGS: &str = "--time-scale 60";

pub(crate) fn serving(mut home: Home) -> Result<(TestDaemon, u16)> {
    let port = free_address()?.port();
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    home.set("KTRDR_LISTEN_IB_SERVICE", format!("127.0.0.1:{port}"));
    Ok((TestDaemon::start_in(home)?, port))
}

fn historical(port: u16, symbol: &str, timeframe: &str, start: &str, end: &str) -> Result<Value> {
    let body =
        json!({ "symbol": symbol, "timeframe": timeframe, "start": start, "end": end, "instrument_type": "STK" });
    http::ask(port, "POST", "/data/historical", Some(&body))
}

#[test]
fn clients_of_the_old_service_share_the_connection_the_pacing_and_the_store() -> Result<()> {
    let sim = GatewaySim::start(FLAGS)?;
    let (first, port) = serving(home_with(&sim)?)?;
    // a second daemon is the pickiest of the old service's clients that we have
    let mut home = Home::new()?;
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    home.set("USE_IB_HOST_SERVICE", "true");
    home.set("IB_HOST_SERVICE_URL", format!("http://127.0.0.1:{port}"));
    let second = TestDaemon::start_in(home)?;
    for (series, range) in [
        ("AAPL -t 1h", "--start 2024-06-03 --end 2024-08-30"),
        ("AAPL -t 1d", "--start 2024-01-02 --end 2024-12-31"),
        ("EURUSD -t 1h", "--start 2024-10-01 --end 2024-11-01"),
    ] {
        let loaded = document(&second, &format!("data load {series} {range}"))?;
        ensure!(loaded["success"] == true, "{loaded:#}");
        let theirs = stored(&second, series)?;
        ensure!(theirs.len() > 150, "{series}: {} bars", theirs.len());
        // asked for here afterwards, nothing is left to fetch
        let again = document(&first, &format!("data load {series} {range}"))?;
        ensure!(again["success"] == true && again["bars_loaded"] == 0, "{again:#}");
        let ours = stored(&first, series)?;
        let within = |at: &str| ours.iter().any(|bar| format!("{bar:?}").contains(at));
        ensure!(theirs.iter().all(|bar| ours.contains(bar)) && within("2024"), "{series} differs");
    }
    drop(second.terminate()?);
    drop(first.terminate()?);
    let report = sim.report()?;
    ensure!(report.document()["connections"]["most_at_once"] == 1, "{report:?}");
    Ok(())
}

#[test]
fn a_range_that_is_stored_costs_no_request_and_comes_twice_encoded() -> Result<()> {
    let sim = GatewaySim::start(FLAGS)?;
    let (daemon, port) = serving(home_with(&sim)?)?;
    let ask = || historical(port, "aapl", "1h", "2024-06-03T00:00:00Z", "2024-06-07T23:00:00+00:00");
    let answer = ask()?;
    let text = answer["data"].as_str().context("data is no text")?;
    let bars: BTreeMap<String, Value> = serde_json::from_str(text)?;
    let keys = ["open", "high", "low", "close", "volume"];
    ensure!(answer["success"] == true && answer["rows"] == bars.len() && bars.len() > 60, "{answer}");
    for (at, bar) in &bars {
        ensure!(at.ends_with(":00.000Z") && keys.iter().all(|key| bar[key].is_number()), "{at}: {bar}");
    }
    let operations = || Ok::<_, anyhow::Error>(document(&daemon, "operations list")?["operations"].clone());
    let made = operations()?[0]["result"]["requests_made"].clone();
    ensure!(made.as_u64() > Some(0), "{made}");
    ensure!(ask()? == answer, "the second answer differs");
    ensure!(operations()?[0]["result"]["requests_made"] == 0, "what was stored was asked for again");

    let empty = historical(port, "AAPL", "1h", "2024-06-08T00:00:00Z", "2024-06-09T00:00:00Z")?;
    ensure!(empty == json!({ "success": true, "data": "{}", "error": null, "rows": 0 }), "{empty}");
    for (symbol, timeframe, start, why) in [
        ("AAPL", "17q", "2024-06-03", "Unsupported timeframe: 17q"),
        ("../etc", "1h", "2024-06-03", "not a symbol"),
        ("NOSUCH", "1h", "2024-06-03", "NOSUCH"),
        ("AAPL", "1h", "2024-06-09", "start must be before end"),
    ] {
        let refused = historical(port, symbol, timeframe, start, "2024-06-08")?;
        let error = refused["error"].as_str().unwrap_or_default();
        ensure!(refused["success"] == false && refused["data"].is_null() && error.contains(why), "{symbol}: {refused}");
    }
    Ok(())
}

#[test]
fn symbols_are_told_with_their_contracts_and_no_such_symbol_is_a_fact() -> Result<()> {
    let sim = GatewaySim::start(FLAGS)?;
    let (daemon, port) = serving(home_with(&sim)?)?;
    let body = json!({ "symbol": "AAPL", "timeframes": ["1h", "1d"] });
    let known = http::ask(port, "POST", "/data/validate", Some(&body))?;
    let info = &known["contract_info"];
    ensure!(known["success"] == true && known["is_valid"] == true && info["contract"]["secType"] == "STK", "{known:#}");
    ensure!(info["contract"]["conId"].as_i64() > Some(0) && info["trading_hours"]["timezone"].is_string(), "{known:#}");
    ensure!(known["head_timestamps"]["1h"] == known["head_timestamps"]["1d"], "{known:#}");
    let pair = http::ask(port, "GET", "/data/symbol-info/EUR.USD", None)?;
    ensure!(pair["contract_info"]["asset_type"] == "CASH" && pair["head_timestamps"]["1h"].is_string(), "{pair:#}");
    let head = http::ask(port, "GET", "/data/head-timestamp?symbol=AAPL&timeframe=1h", None)?;
    ensure!(head["success"] == true && head["timestamp"] == known["head_timestamps"]["1h"], "{head}");
    let none = http::ask(port, "GET", "/data/symbol-info/NOSUCH", None)?;
    ensure!(none["success"] == true && none["is_valid"] == false && none["error"].is_null(), "{none}");
    ensure!(none["error_message"] == "Symbol NOSUCH not found", "{none}");
    let health = http::ask(port, "GET", "/health/detailed", None)?;
    ensure!(health["ib_gateway_connected"] == true && health["last_error"].is_null(), "{health}");
    drop(daemon);
    Ok(())
}

/// A recorded exchange: the request line, its body, the status and the document of the answer.
struct Recorded {
    name: String,
    method: String,
    path: String,
    body: Option<Value>,
    status: u16,
    document: Value,
}

fn recorded() -> Result<Vec<Recorded>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ib-host-sim/transcripts");
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        let (request, answer) = text.split_once("--- response").context("no answer")?;
        let request = request.trim_start_matches(|c| c != 'G' && c != 'P');
        let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
        let mut words = head.split(' ');
        let (answer_head, document) = answer.split_once("\n\n").context("no document")?;
        let status = answer_head.lines().nth(1).and_then(|line| line.split(' ').nth(1)).context("no status")?;
        all.push(Recorded {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            method: words.next().unwrap_or_default().to_owned(),
            path: words.next().context("no path")?.to_owned(),
            body: serde_json::from_str(body).ok(),
            status: status.parse()?,
            document: serde_json::from_str(document)?,
        });
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(all)
}

/// Keys and kinds, all the way down; null may stand for anything that is unknown.
fn same_shape(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|o| same_shape(value, o)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_shape(one, other))
        }
        (Value::Null, _) | (_, Value::Null) => true,
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

#[test]
fn the_recorded_exchanges_are_answered_in_their_documents_and_without_their_lies() -> Result<()> {
    // nothing listens where the gateway should be, as when they were recorded
    let (daemon, port) = serving(Home::new()?)?;
    let recorded = recorded()?;
    ensure!(recorded.len() >= 22, "{} exchanges", recorded.len());
    for one in recorded {
        let answer = http::exchange(port, &one.method, &one.path, one.body.as_ref())?;
        let document: Value = serde_json::from_str(&answer.1)?;
        ensure!(answer.0 == one.status, "{}: {} instead of {}", one.name, answer.0, one.status);
        ensure!(same_shape(&one.document, &document), "{}: {document:#} instead of {:#}", one.name, one.document);
        if answer.0 != 200 {
            ensure!(document == one.document, "{}: {document:#} instead of {:#}", one.name, one.document);
        } else if one.path.starts_with("/data/") {
            // "not found" and "there is none", after minutes, were its words for a gateway that is away
            let error = document["error"].as_str().unwrap_or_default();
            let true_word = if one.name.contains("bad-timeframe") { "Unsupported timeframe" } else { "not reachable" };
            ensure!(document["success"] == false && error.contains(true_word), "{}: {document:#}", one.name);
        }
    }
    daemon.ktrdr("daemon status")?.ok()?;
    Ok(())
}
