//! Bars and contracts are those of the simulated gateway.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use ktrdr_gateway_sim::{Feed, FeedBar};
use serde_json::{Value, json};

use crate::program::{morning, question, start};

fn second(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

/// Decoded twice; the order of the text is checked, too.
fn bars(document: &Value) -> Vec<FeedBar> {
    assert_eq!((&document["success"], &document["error"]), (&json!(true), &Value::Null), "{document}");
    let text = document["data"].as_str().unwrap();
    let rows: BTreeMap<String, Value> = serde_json::from_str(text).unwrap();
    assert_eq!(json!(rows.len()), document["rows"]);
    let places: Vec<_> = rows.keys().map(|key| text.find(&format!("\"{key}\"")).unwrap()).collect();
    assert!(places.is_sorted() && rows.keys().all(|key| key.len() == 24 && key.get(19..) == Some(".000Z")), "{text}");
    let number = |row: &Value, name: &str| row[name].as_f64().unwrap();
    let told = |(key, row): (&String, &Value)| FeedBar {
        start: second(key),
        open: number(row, "open"),
        high: number(row, "high"),
        low: number(row, "low"),
        close: number(row, "close"),
        volume: number(row, "volume"),
    };
    rows.iter().map(told).collect()
}

#[test]
fn bars_are_those_of_the_market() {
    let program = start("--seed 7");
    let feed = Feed::open(&ktrdr_gateway_sim::Config { seed: 7, ..ktrdr_gateway_sim::Config::default() }).unwrap();
    for (symbol, timeframe, start, end, kind, least) in [
        ("AAPL", "1h", "2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z", "STK", 300),
        ("AAPL", "1d", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "STK", 250),
        ("EURUSD", "1m", "2025-01-06T00:00:00Z", "2025-01-07T00:00:00Z", "CASH", 1400),
        ("USDJPY", "1w", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "CASH", 50),
        ("ES", "1d", "2025-01-01T00:00:00Z", "2090-01-01T00:00:00Z", "FUT", 50),
    ] {
        let body = question(symbol, timeframe, start, end, Some(kind));
        let got = bars(&program.post("/data/historical", &body).json());
        let listing = feed.find(symbol, Some(kind)).unwrap();
        let mut wanted = feed.bars(&listing, timeframe, second(start), second(end)).unwrap();
        let mut got = got.as_slice();
        if symbol == "ES" {
            // The last bar still runs.
            wanted.pop();
            got = &got[..got.len() - 1];
        }
        assert!(got.len() >= least, "{symbol} {timeframe}: {}", got.len());
        assert_eq!(got, wanted, "{symbol} {timeframe}");
        assert!(got.iter().all(|bar| (bar.volume < 0.0) == (kind == "CASH")), "{symbol}");
    }
}

#[test]
fn replayed_bars_are_those_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "timestamp,open,high,low,close,volume\n\
                2025-01-02T14:00:00Z,1.5,2.25,1.1,2.000000000000001,100\n\
                2025-01-02T15:00:00Z,2,3,1,2.1,0\n\
                2025-01-02T16:00:00Z,2,3,1,2.2,7\n";
    std::fs::write(folder.path().join("AAPL_1h.csv"), rows).unwrap();
    let program = start(&format!("--replay {}", folder.path().display()));
    let body = question("AAPL", "1h", "2025-01-02T14:00:00Z", "2025-01-02T16:00:00Z", Some("STK"));
    let document = program.post("/data/historical", &body).json();
    let text = "{\"2025-01-02T14:00:00.000Z\":{\"open\":1.5,\"high\":2.25,\"low\":1.1,\"close\":2.000000000000001,\
                \"volume\":100.0},\"2025-01-02T15:00:00.000Z\":{\"open\":2.0,\"high\":3.0,\"low\":1.0,\"close\":2.1,\
                \"volume\":0.0}}";
    assert_eq!(document, json!({ "success": true, "data": text, "error": null, "rows": 2 }));
}

#[test]
fn ranges_end_before_their_end() {
    let program = start("");
    let got = |start: &Value, end: &Value| {
        let mut body = morning();
        (body["start"], body["end"]) = (start.clone(), end.clone());
        let document = program.post("/data/historical", &body).json();
        bars(&document).iter().map(|bar| bar.start).collect::<Vec<_>>()
    };
    let first = second("2025-01-02T14:00:00Z");
    let hours = [first, first + 3_600];
    assert_eq!(got(&json!("2025-01-02T14:00:00Z"), &json!("2025-01-02T16:00:00Z")), hours);
    assert_eq!(got(&json!("2025-01-02T09:00:00-05:00"), &json!("2025-01-02T16:00:00")), hours);
    assert_eq!(got(&json!(first), &json!((first + 7_200) * 1_000)), hours);
    assert_eq!(got(&json!("2025-01-02T14:00:00Z"), &json!("2025-01-02T14:00:00Z")), [0; 0]);
    assert_eq!(got(&json!("2025-01-05"), &json!("2025-01-06")), [0; 0]);
    let mut daily = morning();
    (daily["timeframe"], daily["start"], daily["end"]) = (json!("1d"), json!("2025-01-02"), json!("2025-01-04"));
    let days: Vec<_> =
        bars(&program.post("/data/historical", &daily).json()).iter().map(|bar| bar.start % 86_400).collect();
    assert_eq!(days, [0, 0]);
    let empty = question("AAPL", "1h", "2025-01-05T00:00:00Z", "2025-01-06T00:00:00Z", Some("STK"));
    let empty = program.post("/data/historical", &empty).json();
    assert_eq!(empty, json!({ "success": true, "data": "{}", "error": null, "rows": 0 }));
}

#[test]
fn without_a_type_a_symbol_is_looked_up_first() {
    let program = start("--down-ms 100");
    let ask = |symbol: &str, timeframe: &str, start: &str, kind: Option<&str>| {
        let body = question(symbol, timeframe, start, "2025-01-03T00:00:00Z", kind);
        program.post("/data/historical", &body)
    };
    let slow = ask("EURUSD", "1h", "2025-01-02T00:00:00Z", None);
    assert!(slow.took >= Duration::from_millis(500) && bars(&slow.json()).len() == 24, "{:?}", slow.took);
    let error = |reply: &crate::program::Reply| {
        let document = reply.json();
        assert_eq!(reply.status, 200);
        assert_eq!((&document["success"], &document["data"]), (&json!(false), &Value::Null));
        document["error"].as_str().unwrap().to_owned()
    };
    let start = "2025-01-02T00:00:00Z";
    assert_eq!(error(&ask("NOPE", "1h", start, None)), "Symbol validation failed: Symbol NOPE not found");
    assert_eq!(
        error(&ask("AAPL", "1h", "2001-01-02T00:00:00Z", None)),
        "Data not available before 2004-01-23T14:30:00+00:00"
    );
    assert!(error(&ask("AAPL", "1h", "2025-01-02", None)).contains("offset-naive"));
    assert!(error(&ask("NOPE", "1h", start, Some("STK"))).contains("No security definition"));
    let unknown = ask("AAPL", "17q", start, Some("STK"));
    assert!(unknown.took >= Duration::from_millis(100) && error(&unknown).contains("17q"));
}

#[test]
fn contracts_are_described() {
    let program = start("");
    let pair = program.get("/data/symbol-info/EURUSD").json();
    assert_eq!(pair["head_timestamps"], json!({ "1h": "2005-03-09T22:15:00+00:00" }));
    let info = &pair["contract_info"];
    assert_eq!(
        info["contract"],
        json!({
            "secType": "CASH", "conId": 12_087_792, "symbol": "EUR", "exchange": "IDEALPRO", "primaryExchange": "",
            "currency": "USD", "localSymbol": "EUR.USD", "tradingClass": "EUR.USD",
        })
    );
    assert_eq!((&info["symbol"], &info["asset_type"]), (&json!("EURUSD"), &json!("CASH")));
    assert!(info["validated_at"].is_f64() && info["trading_hours"]["timezone"].is_string(), "{info}");

    let stock = program.post("/data/validate", &json!({ "symbol": "AAPL" })).json();
    assert_eq!((&stock["is_valid"], &stock["head_timestamps"]), (&json!(true), &json!({})));
    assert_eq!(stock["contract_info"]["contract"]["conId"], 265_598);
    assert_eq!(stock["contract_info"]["head_timestamp"], Value::Null);

    let head = |symbol: &str| program.get(&format!("/data/head-timestamp?symbol={symbol}&timeframe=1d")).json();
    assert_eq!(head("AAPL"), json!({ "success": true, "timestamp": "2004-01-23T14:30:00+00:00", "error": null }));
    assert_eq!(head("NOPE"), json!({ "success": true, "timestamp": null, "error": null }));
    let nope = program.get("/data/symbol-info/NOPE").json();
    assert_eq!((&nope["success"], &nope["is_valid"]), (&json!(true), &json!(false)));
}
