//! The control routes, the report, and the life of the process.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{morning, start};

#[test]
fn a_signal_ends_it_with_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let mut program = start(&format!("--report {}", path.display()));
    program.get("/health");
    program.get("/health/");
    program.get("/nowhere");
    program.get("/data/symbol-info/AAPL");
    program.post("/data/historical", &morning());
    program.report();
    assert_eq!(program.stop(), Some(0));
    let report: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(
        report,
        json!({
            "connections": { "total": 5, "most_at_once": 1 },
            "requests": {
                "GET /health": 1, "GET /health/": 1, "other": 1, "GET /data/symbol-info/{symbol}": 1,
                "POST /data/historical": 1,
            },
            "faults": {}, "most_open": 1,
        })
    );
}

#[test]
fn requests_for_data_are_counted_while_they_are_open() {
    let program = start("--fault historical:late:3:0:500");
    std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| program.post("/data/historical", &morning()));
        }
        threads.spawn(|| program.get("/health"));
    });
    assert_eq!(program.report()["most_open"], 3);
}

#[test]
fn the_gateway_comes_and_goes() {
    let program = start("--down-ms 100");
    let valid = || program.post("/data/validate", &json!({ "symbol": "AAPL" })).json()["is_valid"].clone();
    assert_eq!(valid(), true);
    program.steer("gateway", &json!({ "down": true }));
    let begun = Instant::now();
    assert_eq!(valid(), false);
    assert!(begun.elapsed() >= Duration::from_millis(800));
    assert_eq!(program.get("/health/detailed").json()["healthy"], true);
    assert_eq!(program.post("/data/historical", &morning()).json()["error"], "Timeout while creating connection");
    program.steer("gateway", &json!({ "down": false }));
    assert_eq!(valid(), true);
}

#[test]
fn durations_follow_the_time_scale() {
    let program = start("--gateway-down --time-scale 330");
    let reply = program.post("/data/historical", &morning());
    let wanted = Duration::from_millis(100)..Duration::from_secs(10);
    assert!(wanted.contains(&reply.took), "{:?}", reply.took);
}

#[test]
fn wrong_control_requests_are_refused() {
    let program = start("");
    for (path, body) in [
        ("/_sim/fault", json!({ "route": "head", "kind": "nothing" })),
        ("/_sim/fault", json!({ "route": "nowhere", "kind": "reset" })),
        ("/_sim/gateway", json!({})),
        ("/_sim/gateway", json!({ "down": 1 })),
    ] {
        assert_eq!(program.post(path, &body).status, 400, "{path} {body}");
    }
    assert_eq!(program.post("/_sim/nothing", &json!({})).status, 404);
    assert_eq!(program.post("/_sim/fault", &json!({ "route": "any", "kind": "reset", "count": 0 })).status, 200);
    assert_eq!(program.delete("/_sim/fault").status, 200);
    assert_eq!(program.get("/health").status, 200);
}

#[test]
fn wrong_ways_are_answered_as_the_framework_does() {
    let program = start("");
    let wrong = program.get("/data/historical");
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("post")));
    assert_eq!(program.get("/data/head-timestamp/?symbol=A&timeframe=1h").status, 307);
    assert_eq!(program.post("/data/validate", &json!({ "symbol": 7, "timeframes": "1h" })).status, 422);
    assert_eq!(program.post("/data/validate", &json!({ "symbol": "AAPL", "timeframes": null, "more": 1 })).status, 200);
}
