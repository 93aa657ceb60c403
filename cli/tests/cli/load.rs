//! `data load`, followed, failing, interrupted, left behind.

use std::{
    io::{BufRead as _, BufReader},
    time::Duration,
};

use ktrdr_proto::{
    reason,
    v1::{self, LoadMode, OperationState, SeriesId, Timeframe, TradingSession, WhatToShow},
};

use crate::{
    fake::{Fake, Script},
    run::{Ran, interrupt},
    samples::{self, ID},
};

fn happy() -> Script {
    let states = [OperationState::Pending, OperationState::Running].map(samples::operation);
    let end = samples::ended(OperationState::Completed, None);
    Script { operation: states.into_iter().chain([end]).collect(), ..Script::default() }
}

fn incomplete() -> Script {
    let failure = samples::failure(&reason::LOAD_INCOMPLETE, &["2 hours are missing", "the gateway went away"]);
    Script { operation: vec![samples::ended(OperationState::Failed, Some(failure))], ..Script::default() }
}

/// Runs until the test cancels it.
fn lasting() -> Script {
    let failure = samples::failure(&reason::CANCELLED, &["cancelled: Ctrl-C"]);
    Script {
        operation: vec![samples::operation(OperationState::Running)],
        lasting: true,
        cancelled: Some(samples::ended(OperationState::Cancelled, Some(failure))),
        ..Script::default()
    }
}

#[test]
fn a_load_is_followed_to_its_result() {
    let fake = Fake::start(happy());
    insta::assert_snapshot!(fake.run("data load nvda -t 1h").all(), @r#"
    exit 0
    --- stdout
    Property      Value
    ────────────────────────────────────────────────
    Symbol        NVDA
    Timeframe     1h
    Mode          tail
    Status        completed
    Bars loaded   1,200
    Bars revised  1
    Bars stored   12,240
    Requests      4
    Duration      2.5s
    Operation     op_load_01J9ZQ4MAB3D5F7H9K2M4P6R8T
    --- stderr
    Started operation: op_load_01J9ZQ4MAB3D5F7H9K2M4P6R8T
    "#);
    assert_eq!(fake.seen().calls, ["load", "watch"]);
    let ran = fake.run("data load nvda -t 1h -q -f json");
    assert_eq!(ran.stderr, "");
    insta::assert_snapshot!(ran.stdout, @r#"
    {
      "symbol": "NVDA",
      "timeframe": "1h",
      "mode": "tail",
      "success": true,
      "status": "completed",
      "bars_loaded": 1200,
      "bars_total": 12240,
      "bars_revised": 1,
      "requests_made": 4,
      "gaps_left": [],
      "execution_time_seconds": 2.5,
      "details": {
        "operation_id": "op_load_01J9ZQ4MAB3D5F7H9K2M4P6R8T"
      },
      "error": null
    }
    "#);
}

#[test]
fn the_request_is_what_was_asked_for() {
    let fake = Fake::start(happy());
    fake.run("data load NVDA -t 1h");
    let plain = fake.seen().loads.pop().unwrap();
    assert_eq!((plain.mode(), plain.range, plain.session()), (LoadMode::Tail, None, TradingSession::Unspecified));
    assert_eq!((plain.what_to_show(), plain.request_id.len()), (WhatToShow::Unspecified, 26));

    let line =
        "data load NVDA -m backfill --start 2024-01-01 --trading-hours --what bid --no-progress --save-interval 2 -v";
    let ran = fake.run(line);
    assert!(ran.stderr.contains("--save-interval is not used"), "{ran:?}");
    let full = fake.seen().loads.pop().unwrap();
    assert_eq!(
        (full.mode(), full.session(), full.what_to_show()),
        (LoadMode::Backfill, TradingSession::RegularHours, WhatToShow::Bid)
    );
    assert!(full.range.is_some_and(|range| range.start_ns.is_some() && range.end_ns.is_none()));
    assert_ne!(full.request_id, plain.request_id);

    fake.run("data load NVDA --trading-hours --include-extended --progress");
    assert_eq!(fake.seen().loads.pop().unwrap().session(), TradingSession::AllHours);
}

#[test]
fn a_load_that_fails_tells_what_it_kept_and_why() {
    let fake = Fake::start(incomplete());
    insta::assert_snapshot!(fake.run("data load NVDA -t 1h").all(), @r#"
    exit 1
    --- stdout
    Property       Value
    ───────────────────────────────────────────────────────────
    Symbol         NVDA
    Timeframe      1h
    Mode           tail
    Status         failed
    Bars loaded    1,200
    Bars revised   1
    Bars stored    12,240
    Requests       4
    Duration       2.5s
    Still missing  2025-06-06T17:00:00Z to 2025-06-06T19:00:00Z
    Operation      op_load_01J9ZQ4MAB3D5F7H9K2M4P6R8T
    --- stderr
    Started operation: op_load_01J9ZQ4MAB3D5F7H9K2M4P6R8T
    error: 2 hours are missing
    caused by: the gateway went away
    hint: what came is stored; run the same command again for the rest
    "#);
    let ran = fake.run("data load NVDA -t 1h -q -f json");
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.starts_with(r#"{"error":{"reason":"LOAD_INCOMPLETE""#) && ran.stderr.lines().count() == 1,
        "{ran:?}"
    );
    let document = ran.json();
    assert_eq!((document["success"].as_bool(), document["status"].as_str()), (Some(false), Some("failed")));
    assert_eq!(
        document["gaps_left"],
        serde_json::json!([{"start": "2025-06-06T17:00:00Z", "end": "2025-06-06T19:00:00Z"}])
    );
    assert_eq!(document["error"]["message"], "2 hours are missing: the gateway went away");
}

/// Nothing was fetched, so nothing but the command line says what was asked for.
#[test]
fn a_load_that_fails_at_once_still_has_its_document() {
    let failure = samples::failure(&reason::GATEWAY_UNREACHABLE, &["no connection to the gateway"]);
    let operation = v1::Operation { result: None, ..samples::ended(OperationState::Failed, Some(failure)) };
    let fake = Fake::start(Script { operation: vec![operation], ..Script::default() });
    let ran = fake.run("data load nvda -t 1h -q -f json");
    let document = ran.json();
    assert_eq!(
        (ran.code, document["symbol"].as_str(), document["mode"].as_str()),
        (Some(5), Some("NVDA"), Some("tail"))
    );
    assert_eq!(document["details"]["operation_id"], ID);
}

#[test]
fn joining_a_running_load_is_said() {
    let fake = Fake::start(Script { joined: true, ..happy() });
    let ran = fake.run("data load NVDA");
    assert!(ran.stderr.starts_with("This series is being loaded already"), "{ran:?}");
}

#[test]
fn detached_prints_the_bare_id() {
    let fake = Fake::start(lasting());
    assert_eq!(fake.run("data load NVDA --detach").all(), format!("exit 0\n--- stdout\n{ID}\n--- stderr\n"));
    assert_eq!(fake.run("data load NVDA --detach -f json").json()["id"], ID);
    assert_eq!(fake.seen().calls, ["load", "load"]);
}

#[test]
fn ctrl_c_cancels_and_tells_what_was_kept() {
    for (format, stdout) in [("table", "Bars loaded    1,200"), ("json", "\"bars_loaded\": 1200")] {
        let fake = Fake::start(lasting());
        let child = fake.spawn(&format!("data load NVDA -t 1h -f {format}"));
        fake.wait(|seen| seen.calls.contains(&"watch"));
        interrupt(&child);
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(130), "{ran:?}");
        assert!(ran.stdout.contains(stdout), "{ran:?}");
        assert_eq!(fake.seen().cancels[0].id, ID);
    }
}

#[test]
fn a_second_ctrl_c_leaves_at_once() {
    let fake = Fake::start(Script { uncancellable: true, ..lasting() });
    let child = fake.spawn("data load NVDA");
    fake.wait(|seen| seen.calls.contains(&"watch"));
    interrupt(&child);
    fake.wait(|seen| seen.cancels.len() == 1);
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert!(ran.code == Some(130) && ran.stderr.contains(&format!("ktrdr operations status {ID}")), "{ran:?}");
}

/// What was started is known only when the daemon has answered, so the cancellation waits for that.
#[test]
fn ctrl_c_before_the_answer_cancels_too() {
    let slow = Duration::from_millis(200);
    let fake = Fake::start(Script { slow, ..lasting() });
    let child = fake.spawn("data load NVDA");
    fake.wait(|seen| !seen.loads.is_empty());
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, fake.seen().cancels.len()), (Some(130), 1), "{ran:?}");

    let silent = Script { silent: true, ..Script::default() };
    let fake = Fake::start(silent);
    let mut child = fake.spawn("data load NVDA");
    fake.wait(|seen| !seen.calls.is_empty());
    interrupt(&child);
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(stderr.next().unwrap().unwrap().starts_with("Cancelling when"));
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let told: Vec<_> = stderr.map(Result::unwrap).collect();
    assert_eq!(told[1], "hint: ktrdr operations list --active");
}

#[test]
fn a_daemon_that_goes_away_leaves_the_operation_in_its_ledger() {
    let mut fake = Fake::start(lasting());
    let child = fake.spawn("data load NVDA -f json");
    fake.wait(|seen| seen.calls.contains(&"watch"));
    fake.kill();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{ran:?}");
    assert!(ran.stderr.contains(&format!("ledger: ktrdr operations status {ID}")), "{ran:?}");

    // An orderly stop ends the stream before the operation has ended.
    let fake = Fake::start(Script { lasting: false, ..lasting() });
    let ran = fake.run("data load NVDA");
    assert!(ran.code == Some(3) && ran.stderr.contains("in the ledger"), "{ran:?}");
}

#[test]
fn several_series_are_one_request_and_a_plan_is_a_table() {
    let planned = vec![
        v1::PlannedLoad {
            series: Some(SeriesId { symbol: "AAPL".to_owned(), timeframe: Timeframe::Seconds30.into() }),
            missing: vec![v1::TimeRange {
                start_ns: Some(samples::FRIDAY),
                end_ns: Some(samples::FRIDAY + 3_600_000_000_000),
            }],
            requests: 314,
            small: true,
            seconds_at_least: 3_000.0,
            bars_at_most: 120,
            contract_unknown: true,
            ..v1::PlannedLoad::default()
        },
        v1::PlannedLoad {
            series: Some(SeriesId { symbol: "NVDA".to_owned(), timeframe: Timeframe::Days1.into() }),
            failure: Some(samples::failure(&reason::SESSION_MISMATCH, &["NVDA 1d is stored with regular hours"])),
            ..v1::PlannedLoad::default()
        },
    ];
    let fake = Fake::start(Script { planned, ..happy() });
    insta::assert_snapshot!(fake.run("data load aapl nvda -t 30s,1d --plan").all(), @r"
    exit 0
    --- stdout
    Series    Missing from          To                    Parts  Bars at most  Requests  Time at least  Remarks
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    AAPL 30s  2025-06-06T22:00:00Z  2025-06-06T23:00:00Z      1           120       314          50.0m  the contract is asked first
    NVDA 1d   –                     –                         0             0         0           0.0s  NVDA 1d is stored with regular hours (SESSION_MISMATCH)
    --- stderr
    314 requests in all; by IB's rules they take 50.0m at least
    ");
    let asked = fake.seen().many_loads.clone();
    let named: Vec<_> = asked[0].series.iter().map(|one| (one.symbol.as_str(), one.timeframe())).collect();
    let (small, daily) = (Timeframe::Seconds30, Timeframe::Days1);
    assert_eq!(named, [("aapl", small), ("aapl", daily), ("nvda", small), ("nvda", daily)]);
    assert_eq!(fake.run("data load aapl --from-file /nowhere").code, Some(2));
}
