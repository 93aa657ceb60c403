//! Each fault does over a socket what it says.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::program::{End, Reply, morning, start};

/// Of the simulator's faults.
const DELAY: u64 = 1_000;
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
    Half,
    /// 200, and far more than anyone wants.
    Flood,
    /// Four bars are there; what `rows` says, and how many entries the text really has.
    Bars(usize, usize),
    /// `data` is no text.
    Plain,
}
use Seen::{Answer, Bars, Flood, Half, Nothing, Plain};

const FAULTS: [(&str, Seen); 15] = [
    ("reset", Nothing(End::Reset)),
    ("eof-after", Nothing(End::Closed)),
    ("hang", Nothing(End::Open)),
    ("late", Answer(200, "\"rows\":4", true)),
    ("slow-body", Answer(200, "\"rows\":4", true)),
    ("cut-body", Half),
    ("html", Answer(200, "<!doctype html>", false)),
    ("not-json", Answer(200, "\"da", false)),
    ("wrong-shape", Answer(200, "[{", false)),
    ("e500", Answer(500, "Something went wrong", false)),
    ("e503-retry", Answer(503, "", false)),
    ("too-large", Flood),
    ("rows-lie", Bars(5, 4)),
    ("not-twice", Plain),
    ("doubled", Bars(5, 5)),
];

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
        Half => {
            assert_eq!((reply.end, reply.status), (End::Closed, 200), "{kind}: {body}");
            assert!(length.is_some_and(|length| length > reply.body.len()), "{kind}");
        }
        Flood => {
            assert_eq!((reply.status, length), (200, None), "{kind}");
            assert!(reply.body.len() > 64 << 20, "{kind}: {}", reply.body.len());
        }
        Bars(rows, entries) => {
            let document = reply.json();
            let text = document["data"].as_str().unwrap();
            assert_eq!(document["rows"], json!(rows), "{kind}");
            assert_eq!(text.matches("\"open\"").count(), entries, "{kind}: {text}");
            assert_eq!(serde_json::from_str::<Value>(text).unwrap().as_object().unwrap().len(), 4, "{kind}");
        }
        Plain => assert_eq!(reply.json()["data"].as_object().unwrap().len(), 4),
    }
}

#[test]
fn every_fault_does_what_it_says() {
    let listed = Command::new(env!("CARGO_BIN_EXE_ktrdr-ib-host-sim")).arg("--list-faults").output().unwrap().stdout;
    let listed = String::from_utf8(listed).unwrap();
    let names = |text: &str| text.split_whitespace().next().map(str::to_owned);
    let listed: BTreeSet<_> = listed.lines().skip(2).filter_map(names).collect();
    assert_eq!(listed, FAULTS.iter().map(|row| row.0.to_owned()).collect());

    // Side by side: some of them wait.
    std::thread::scope(|threads| {
        for (kind, seen) in FAULTS {
            threads.spawn(move || {
                let program = start("");
                program.steer("fault", &json!({ "route": "historical", "kind": kind, "ms": DELAY }));
                let reply = program.post_for("/data/historical", &morning(), PATIENCE);
                check(kind, seen, &reply);
                assert_eq!(program.report()["faults"], json!({ kind: 1 }));
                // It is over: the next one is served.
                assert_eq!(program.post("/data/historical", &morning()).json()["rows"], 4, "{kind}");
            });
        }
    });
}

#[test]
fn flags_arm_faults_by_route_count_and_order() {
    let program = start("--fault head:e500:2:1 --fault any:e503-retry:1:5");
    let head = || program.get("/data/head-timestamp?symbol=AAPL&timeframe=1h").status;
    assert_eq!([head(), head(), head(), head()], [200, 500, 500, 200]);
    let others = ["/health", "/nowhere", "/health"].map(|path| program.get(path));
    assert_eq!([others[0].status, others[1].status, others[2].status], [200, 503, 200]);
    assert_eq!(others[1].header("retry-after"), Some("1"));
    program.steer("fault", &json!({ "route": "validate", "kind": "e500" }));
    assert_eq!(program.get("/data/symbol-info/AAPL").status, 500);
}
