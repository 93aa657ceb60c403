//! `top` where there is no terminal: for scripts. On a terminal it is tested with a real daemon, in `tests/e2e/top.rs`.

use ktrdr_proto::{
    reason,
    v1::{GatewayState, GatewayStatus, OperationState},
};

use crate::{
    fake::{Fake, Script},
    run::run,
    samples::{FRIDAY, ID, operation, status, summary},
};

fn busy() -> Fake {
    let gateway = GatewayStatus { state: GatewayState::Ready.into(), since_ns: FRIDAY, ..GatewayStatus::default() };
    Fake::start(Script {
        operations: vec![operation(OperationState::Running)],
        gateway: vec![gateway],
        series: vec![summary()],
        ..Script::default()
    })
}

#[test]
fn one_picture_is_printed_as_text() {
    let ran = busy().run("top --once");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let words =
        ["daemon   9.9.9", "gateway  ready", "NVDA 1h  running    ███░░░  50%", "fetching 2024", "1 stored", ID];
    for word in words {
        assert!(ran.stdout.contains(word), "{word}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains('\x1b'), "text and nothing else");
}

#[test]
fn the_document_has_what_the_other_commands_print() {
    let fake = busy();
    let document = fake.run("top --format json").json();
    for (key, line) in [("daemon", "daemon status"), ("gateway", "ib status")] {
        assert_eq!(document[key], fake.run(&format!("{line} -f json")).json(), "{key}");
    }
    for (key, line) in [("services", "services list"), ("series", "data list")] {
        assert_eq!(document[key], fake.run(&format!("{line} -f json")).json()[key], "{key}");
    }
    assert_eq!(document["operations"][0], fake.run("operations list -f json").json()["operations"][0]);
    assert!(document["at"].is_string());
}

#[test]
fn without_a_terminal_it_says_how_to_go_on() {
    let fake = busy();
    let ran = fake.run("top");
    insta::assert_snapshot!(ran.all(), @r"
    exit 2
    --- stdout
    --- stderr
    error: stdout is no terminal that could be drawn on
    hint: ktrdr top --once prints one picture, ktrdr top --format json one document
    ");
    assert!(fake.seen().calls.is_empty(), "nobody is asked");
    for wrong in ["--every 0", "--every 0.05", "--every soon", "--once --format csv"] {
        assert_eq!(fake.run(&format!("top {wrong}")).code, Some(2), "{wrong}");
    }
}

#[test]
fn without_a_daemon_there_is_nothing_to_see() {
    let ran = run(["top", "--once", "--socket", "/nonexistent/s", "--format", "json"]);
    assert_eq!((ran.code, ran.error()["reason"].as_str()), (Some(3), Some("DAEMON_UNREACHABLE")));
    let refused = Script { refuse: Some(status(&reason::PEER_REFUSED, "no right", &[])), ..Script::default() };
    assert_eq!(Fake::start(refused).run("top --once").code, Some(i32::from(reason::PEER_REFUSED.exit)));
}
