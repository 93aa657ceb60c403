//! `ib …`.

use ktrdr_proto::{
    reason,
    v1::{Farm, GatewayState, GatewayStatus, PacingStatus, RequestCounts},
};

use crate::{
    fake::{Fake, Script},
    samples,
};

fn ready() -> GatewayStatus {
    GatewayStatus {
        state: GatewayState::Ready.into(),
        since_ns: samples::FRIDAY,
        reason: "the session is usable".to_owned(),
        next: String::new(),
        address: "127.0.0.1:4002".to_owned(),
        client_id: Some(1),
        server_version: Some(213),
        pacing: Some(PacingStatus { used: 3, limit: 60, ..PacingStatus::default() }),
        requests: Some(RequestCounts { open: 1, queued: 2 }),
        reconnects: 4,
        farms: vec![Farm { name: "ushmds".to_owned(), up: true }, Farm { name: "usfarm".to_owned(), up: false }],
        unknown_codes: Vec::new(),
    }
}

#[test]
fn a_status_is_a_report() {
    let fake = Fake::start(Script { gateway: vec![ready()], ..Script::default() });
    insta::assert_snapshot!(fake.run("ib status").all(), @r#"
    exit 0
    --- stdout
    Property        Value
    ─────────────────────────────────────────────────────────
    State           ready
    Since           2025-06-06T22:00:00Z
    Reason          the session is usable
    Address         127.0.0.1:4002
    Client id       1
    Server version  213
    Pacing          3 of 60 small-bar requests in ten minutes
    Requests        1 open, 2 queued
    Reconnects      4
    Farm ushmds     up
    Farm usfarm     down
    --- stderr
    "#);
    insta::assert_snapshot!(fake.run("ib status -f json").stdout, @r#"
    {
      "state": "ready",
      "since": "2025-06-06T22:00:00Z",
      "reason": "the session is usable",
      "next": "",
      "address": "127.0.0.1:4002",
      "client_id": 1,
      "server_version": 213,
      "pacing": {
        "used": 3,
        "limit": 60,
        "next_slot_seconds": 0.0,
        "users": [],
        "paused_seconds": 0.0,
        "slow": false
      },
      "requests": {
        "open": 1,
        "queued": 2
      },
      "reconnects": 4,
      "farms": [
        {
          "name": "ushmds",
          "up": true
        },
        {
          "name": "usfarm",
          "up": false
        }
      ],
      "unknown_codes": []
    }
    "#);
    let down = GatewayStatus { state: GatewayState::Wedged.into(), ..GatewayStatus::default() };
    let ran = Fake::start(Script { gateway: vec![down], ..Script::default() }).run("ib status -f json");
    assert_eq!((ran.code, ran.json()["state"].as_str()), (Some(0), Some("wedged")));
    assert_eq!(ran.json()["since"], serde_json::Value::Null);
}

#[test]
fn a_watch_is_one_line_a_change() {
    let lost =
        GatewayStatus { state: GatewayState::Disconnected.into(), reason: "connection refused".to_owned(), ..ready() };
    let fake = Fake::start(Script { gateway: vec![ready(), lost], ..Script::default() });
    insta::assert_snapshot!(fake.run("ib status --watch").all(), @r#"
    exit 0
    --- stdout
    2025-06-06T22:00:00.000Z  ready          the session is usable
    2025-06-06T22:00:00.000Z  disconnected   connection refused
    --- stderr
    "#);
    assert_eq!(fake.run("ib status --watch -f json").stdout.lines().count(), 2);
}

#[test]
fn a_test_asks_the_gateway() {
    let fake = Fake::start(Script { gateway: vec![ready()], ..Script::default() });
    insta::assert_snapshot!(fake.run("ib test").all(), @r#"
    exit 0
    --- stdout
    Property      Value
    ──────────────────────────────────
    Gateway       answers
    Latency       12.5 ms
    Gateway time  2025-06-06T22:00:00Z
    State         ready
    --- stderr
    "#);
    let document = fake.run("ib test -s AAPL -t 5 -f json").json();
    assert_eq!((document["ok"].as_bool(), document["latency_seconds"].as_f64()), (Some(true), Some(0.0125)));
    let refuse = Some(samples::status(&reason::GATEWAY_UNREACHABLE, "no connection to 127.0.0.1:4002", &[]));
    let fake = Fake::start(Script { refuse, ..Script::default() });
    assert_eq!(fake.run("ib test").code, Some(5));
}

#[test]
fn reconnect_has_its_old_name_too() {
    let fake = Fake::start(Script { gateway: vec![ready()], ..Script::default() });
    for line in ["ib reconnect", "ib cleanup -f", "ib cleanup --force --timeout 5"] {
        assert_eq!(fake.run(line).code, Some(0), "{line}");
    }
    assert_eq!(fake.seen().calls, ["gateway_reconnect"; 3]);
}
