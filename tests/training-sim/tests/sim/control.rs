//! The control routes, the report, the generations, and the life of the process.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{PATIENCE, Program, exchange, maps, request, start, strategy, until_session};

#[test]
fn a_signal_ends_it_with_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let mut program = start(&format!("--report {}", path.display()));
    let headers = "x-request-id: 1\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
    exchange(&program.address, &request("GET /health", headers, ""), PATIENCE);
    exchange(&program.address, &request("GET /health", "x-request-id: 2\r\n", ""), PATIENCE);
    program.get("/nowhere");
    program.report();
    assert_eq!(program.stop(), Some(0));
    let report: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(
        report,
        json!({
            "connections": { "total": 3, "most_at_once": 1 },
            "requests": { "GET /health": 2, "other": 1 }, "starts": {}, "sessions": [], "faults": {},
            "request_headers": { "x-request-id": 2, "traceparent": 1 }, "most_running": 0,
        })
    );
}

#[test]
fn states_can_be_made_up_and_taken_back() {
    let program = start("--epoch-ms 60000");
    program.post("/training/start", &maps("s", &json!(9)));
    let status = || program.get("/training/status/s").json();
    program.steer("session/s", &json!({ "status": "pondering", "epoch": 5 }));
    assert_eq!((&status()["status"], &status()["progress"]["epoch"]), (&json!("pondering"), &json!(5)));
    program.steer("session/s", &json!({ "epoch": 2, "batch": 7 }));
    assert_eq!((&status()["progress"]["epoch"], &status()["progress"]["batch"]), (&json!(2), &json!(7)));
    program.steer("session/s", &json!({ "status": "failed", "error": "made up" }));
    assert_eq!(status()["error"], "made up");
    program.steer("session/s", &json!({ "release": true }));
    assert_eq!((&status()["status"], &status()["progress"]["epoch"]), (&json!("running"), &json!(0)));
    program.steer("session/s", &json!({ "vanish": true }));
    assert_eq!(program.get("/training/status/s").status, 500);
    assert_eq!(program.report()["starts"]["s"], 1);
}

#[test]
fn wrong_control_requests_are_refused() {
    let program = start("");
    for (path, body) in [
        ("/_sim/fault", json!({ "route": "start", "kind": "nothing" })),
        ("/_sim/fault", json!({ "route": "nowhere", "kind": "reset" })),
        ("/_sim/restart", json!({ "seconds": 1 })),
        ("/_sim/session/x", json!({})),
    ] {
        assert_eq!(program.post(path, &body).status, 400, "{path} {body}");
    }
    assert_eq!(program.post("/_sim/nothing", &json!({})).status, 404);
    assert_eq!(program.post("/_sim/fault", &json!({ "route": "any", "kind": "reset", "count": 0 })).status, 200);
    assert_eq!(program.delete("/_sim/fault").status, 200);
    assert_eq!(program.get("/health").status, 200);
}

/// Reads one small answer.
fn ask(stream: &mut TcpStream) -> usize {
    drop(stream.write_all(b"GET /health HTTP/1.1\r\nhost: sim\r\n\r\n"));
    let mut buffer = [0; 1024];
    stream.read(&mut buffer).unwrap_or(0)
}

fn connect(program: &Program) -> TcpStream {
    let stream = TcpStream::connect(&program.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[test]
fn idle_connections_are_closed_and_restarts_close_all() {
    let program = start("--keep-alive-ms 1000");
    let mut stream = connect(&program);
    assert!(ask(&mut stream) > 0);
    assert!(ask(&mut stream) > 0);
    let begun = Instant::now();
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0);
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(500) && took < Duration::from_secs(5), "{took:?}");

    let mut kept = connect(&program);
    assert!(ask(&mut kept) > 0);
    program.steer("restart", &json!({}));
    assert_eq!(kept.read(&mut [0; 8]).unwrap_or(0), 0);
    assert_eq!(program.report()["connections"], json!({ "total": 2, "most_at_once": 1 }));
}

#[test]
fn generations_can_be_told_apart() {
    let document = |generation: &str| {
        let program = start(&format!("--generation {generation}"));
        let service = program.get("/").json()["service"].as_str().unwrap().to_owned();
        let document = program.get("/openapi.json").json();
        let has = |path: &str| document["paths"].get(path).is_some();
        let flags = [
            has("/training/status/{session_id}"),
            has("/training/result/{session_id}"),
            has("/api/v1/operations/{operation_id}"),
            has("/api/v1/operations/{operation_id}/cancel"),
            has("/training/sessions"),
            has("/training/resume"),
        ];
        let required = &document["components"]["schemas"]["TrainingStartRequest"]["required"];
        (service, flags.map(u8::from), required.as_array().unwrap().contains(&json!("strategy_yaml")))
    };
    let host = |flags, yaml| ("Training Host Service".to_owned(), flags, yaml);
    let worker = |flags| ("Training Worker Service".to_owned(), flags, true);
    assert_eq!(document("a"), host([1, 0, 0, 0, 1, 0], false));
    assert_eq!(document("b"), host([1, 1, 0, 0, 1, 0], true));
    assert_eq!(document("c"), host([1, 1, 1, 0, 1, 0], true));
    assert_eq!(document("d"), host([0, 1, 1, 1, 1, 0], true));
    assert_eq!(document("e"), worker([0, 1, 1, 1, 1, 0]));
    assert_eq!(document("worker"), worker([0, 0, 1, 1, 0, 1]));
}

#[test]
fn generations_between_have_their_routes() {
    for (generation, status, operation) in [("b", 200, 404), ("c", 200, 200), ("d", 404, 200)] {
        let program = start(&format!("--generation {generation} --epoch-ms 60000"));
        assert_eq!(program.post("/training/start", &strategy("s", 2)).status, 200);
        assert_eq!(program.post("/training/start", &strategy("t", 2)).status, 503);
        assert_eq!(program.get("/training/status/s").status, status, "{generation}");
        assert_eq!(program.get("/api/v1/operations/s").status, operation, "{generation}");
        assert_eq!(program.get("/training/result/s").status, 400, "{generation}");
        program.steer("speed", &json!({ "epoch_ms": 2 }));
        until_session(&program, "s", "completed");
        assert_eq!(program.get("/training/result/s").status, 200, "{generation}");
        assert_eq!(program.post("/training/start", &strategy("s", 2)).status, 409);
    }
}

#[test]
fn a_gpu_shows_everywhere() {
    let program = start("--gpu RTX --epoch-ms 60000");
    assert_eq!(program.get("/").json()["gpu_type"], "CUDA");
    assert_eq!(program.post("/training/start", &maps("s", &json!(2))).json()["gpu_allocated"], true);
    let status = program.get("/training/status/s").json();
    assert!(status["gpu_usage"]["gpu_memory"]["total_mb"].is_f64(), "{status}");
    assert_eq!(status["metrics"]["device"][0], "cuda");
}

#[test]
fn operations_are_listed_by_what_is_asked() {
    let program = start("--generation worker --epoch-ms 60000 --worker-id w1");
    for id in ["one", "two", "three"] {
        program.post("/training/start", &strategy(id, 2));
    }
    program.delete("/api/v1/operations/two/cancel");
    let list = |query: &str| program.get(&format!("/api/v1/operations{query}")).json();
    let all = list("");
    assert_eq!((&all["total_count"], &all["active_count"]), (&json!(3), &json!(2)));
    assert_eq!(list("?active_only=true")["data"].as_array().unwrap().len(), 2);
    assert_eq!(list("?status=cancelled")["data"][0]["operation_id"], "two");
    assert_eq!(list("?limit=1&offset=1")["data"].as_array().unwrap().len(), 1);
    assert_eq!(program.get("/api/v1/operations?limit=0").status, 422);
    assert_eq!(program.get("/").json()["worker_id"], "w1");
}
