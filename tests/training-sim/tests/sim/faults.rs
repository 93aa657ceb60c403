//! Each fault does over a socket what it says.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{End, Program, Reply, maps, start, strategy, until_session};

/// Of the simulator's faults.
const DELAY: u64 = 1_500;
/// Of the client: longer than the delay.
const PATIENCE: Duration = Duration::from_secs(4);

/// What a client sees.
#[derive(Clone, Copy, Debug)]
enum Seen {
    /// Nothing at all, and then this.
    Nothing(End),
    /// A whole answer: its status, a text in it, and whether it came late.
    Answer(u16, &'static str, bool),
    /// 200, and less than was promised.
    Half(End),
    /// 200, and far more than anyone wants.
    Flood,
}
use Seen::{Answer, Flood, Half, Nothing};

/// Kind, what is seen, and whether the start was executed.
const FAULTS: [(&str, Seen, bool); 28] = [
    ("reset", Nothing(End::Reset), false),
    ("reset-after", Nothing(End::Reset), true),
    ("eof-after", Nothing(End::Closed), true),
    ("hang", Nothing(End::Open), false),
    ("hang-after", Nothing(End::Open), true),
    ("late", Answer(200, "started", true), true),
    ("slow-headers", Answer(200, "started", true), true),
    ("slow-body", Answer(200, "started", true), true),
    ("cut-body", Half(End::Closed), true),
    ("too-large", Flood, true),
    ("lying-length", Half(End::Open), true),
    ("html", Answer(200, "<!doctype html>", false), false),
    ("not-json", Answer(200, "\"stat", false), false),
    ("wrong-shape", Answer(200, "[{", false), false),
    ("empty", Answer(200, "", false), false),
    ("e400", Answer(400, "{\"detail\":\"", false), false),
    ("e422", Answer(422, "{\"detail\":[{", false), false),
    ("e404-plain", Answer(404, "Not Found", false), false),
    ("e500", Answer(500, "Something went wrong", false), false),
    ("e500-not-found", Answer(500, "Session s not found", false), false),
    ("e502", Answer(502, "nginx", false), false),
    ("e503-retry", Answer(503, "", false), false),
    ("e504", Answer(504, "nginx", false), false),
    ("redirect", Answer(307, "", false), false),
    ("conflict", Answer(409, "Session s already exists", false), false),
    ("busy", Answer(500, "Maximum concurrent sessions (1) reached", false), false),
    ("skewed-clock", Answer(200, "started", false), true),
    ("executed-500", Answer(500, "Failed to start training: ", false), true),
];

fn arm(program: &Program, route: &str, kind: &str) {
    program.steer("fault", &json!({ "route": route, "kind": kind, "ms": DELAY }));
}

fn check(kind: &str, seen: Seen, reply: &Reply) {
    let body = String::from_utf8_lossy(&reply.body);
    let length = reply.header("content-length").and_then(|length| length.parse::<usize>().ok());
    match seen {
        Nothing(end) => assert_eq!((reply.end, reply.status, reply.head.as_str()), (end, 0, ""), "{kind}"),
        Answer(status, text, late) => {
            assert_eq!((reply.end, reply.status), (End::Closed, status), "{kind}: {body}");
            assert!(body.contains(text), "{kind}: {body}");
            assert_eq!(length, Some(reply.body.len()), "{kind}");
            assert_eq!(reply.took >= Duration::from_millis(DELAY), late, "{kind}: {:?}", reply.took);
        }
        Half(end) => {
            assert_eq!((reply.end, reply.status), (end, 200), "{kind}: {body}");
            assert!(length.is_some_and(|length| length > reply.body.len()), "{kind}");
        }
        Flood => {
            assert_eq!((reply.status, length), (200, None), "{kind}");
            assert!(reply.body.len() > 64 << 20, "{kind}: {}", reply.body.len());
        }
    }
}

#[test]
fn every_fault_does_what_it_says() {
    let listed = String::from_utf8(
        std::process::Command::new(env!("CARGO_BIN_EXE_ktrdr-training-sim"))
            .arg("--list-faults")
            .output()
            .unwrap()
            .stdout,
    )
    .unwrap();
    let names = |text: &str| text.split_whitespace().next().map(str::to_owned);
    let listed: BTreeSet<_> = listed.lines().skip(2).filter_map(names).collect();
    assert_eq!(listed, FAULTS.iter().map(|row| row.0.to_owned()).collect());

    // Side by side: some of them wait.
    std::thread::scope(|threads| {
        for (kind, seen, executed) in FAULTS {
            threads.spawn(move || {
                let program = start("--epoch-ms 60000");
                arm(&program, "start", kind);
                let reply = program.post_for("/training/start", &maps("s", &json!(2)), PATIENCE);
                check(kind, seen, &reply);
                let report = program.report();
                assert_eq!(report["starts"], if executed { json!({ "s": 1 }) } else { json!({}) }, "{kind}");
                assert_eq!(report["faults"], json!({ kind: 1 }));
                // It is over: the next one is served.
                assert_eq!(program.get("/health").status, 200, "{kind}");
            });
        }
    });
}

#[test]
fn a_late_start_is_executed_late_and_a_slow_one_at_once() {
    let program = start("--epoch-ms 60000 --slots 2");
    let give_up = |kind: &str| {
        arm(&program, "start", kind);
        let reply = program.post_for("/training/start", &maps(kind, &json!(2)), Duration::from_millis(150));
        assert_eq!(reply.end, End::Open);
    };
    give_up("late");
    assert_eq!(program.report()["starts"], json!({}));
    let begun = Instant::now();
    give_up("slow-headers");
    until_session(&program, "slow-headers", "running");
    assert!(begun.elapsed() < Duration::from_millis(DELAY));
    until_session(&program, "late", "running");
    assert_eq!(program.report()["starts"], json!({ "late": 1, "slow-headers": 1 }));
}

#[test]
fn flags_arm_faults_by_route_count_and_order() {
    let program = start("--fault list:e502:2:1 --fault any:e400:1:5");
    let statuses: Vec<u16> = (0..4).map(|_| program.get("/training/sessions").status).collect();
    assert_eq!(statuses, [200, 502, 502, 200]);
    let others: Vec<u16> = ["/health", "/nowhere", "/health"].map(|path| program.get(path).status).to_vec();
    assert_eq!(others, [200, 400, 200]);
}

#[test]
fn refusals_are_worded_as_the_generation_does() {
    let program = start("--generation e");
    arm(&program, "start", "busy");
    let busy = program.post("/training/start", &strategy("s", 2));
    assert_eq!(busy.status, 503);
    assert!(busy.detail().starts_with("Service temporarily unavailable: Maximum concurrent sessions (1)"), "{busy:?}");
    arm(&program, "any", "e503-retry");
    let retry = program.get("/health");
    assert_eq!((retry.status, retry.header("retry-after")), (503, Some("1")));
    arm(&program, "list", "redirect");
    assert_eq!(program.get("/training/sessions").header("location"), Some("/elsewhere"));
}

#[test]
fn a_skewed_clock_is_an_hour_off() {
    let program = start("--generation e");
    let hour = |reply: &Reply| reply.json()["timestamp"].as_str().unwrap_or_default()[..13].to_owned();
    let right: Value = hour(&program.get("/health")).into();
    arm(&program, "health", "skewed-clock");
    assert_ne!(json!(hour(&program.get("/health"))), right);
}
