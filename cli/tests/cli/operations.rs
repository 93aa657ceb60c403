//! `operations …`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ktrdr_proto::{
    reason,
    v1::{Operation, OperationState},
};

use crate::{
    fake::{Fake, Script},
    run::{Ran, interrupt},
    samples::{self, ID},
};

fn followed() -> Script {
    let end = samples::ended(OperationState::Completed, None);
    Script { operation: vec![samples::operation(OperationState::Running), end], ..Script::default() }
}

#[test]
fn a_list_shows_whole_ids() {
    let failure = samples::failure(&reason::LOAD_INCOMPLETE, &["2 hours are missing"]);
    let since = SystemTime::now().checked_sub(Duration::from_mins(150)).unwrap();
    let since = since.duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let mut running = samples::operation(OperationState::Running);
    running.started_at_ns = i64::try_from(since).ok();
    let operations = vec![running, samples::ended(OperationState::Failed, Some(failure))];
    let fake = Fake::start(Script { operations, ..Script::default() });
    insta::assert_snapshot!(fake.run("operations list").all(), @r#"
    exit 0
    --- stdout
    Operation ID                        Type  Status   Progress  Subject  Duration
    ──────────────────────────────────────────────────────────────────────────────
    op_load_01J9ZQ4MAB3D5F7H9K2M4P6R8T  load  running       50%  NVDA 1h      2.5h
    op_load_01J9ZQ4MAB3D5F7H9K2M4P6R8T  load  failed        50%  NVDA 1h      2.5s
    --- stderr
    "#);
    let document = fake.run("ops list -f json").json();
    assert_eq!(document["operations"][1]["reason"], "LOAD_INCOMPLETE");
    assert_eq!(document["operations"][1]["result"]["bars_loaded"], 1200);
    assert!(fake.run("ops list --color always").stdout.contains("\x1b[33mrunning\x1b[0m"));
    assert_eq!(Fake::start(Script::default()).run("ops list -f json").json()["operations"], serde_json::json!([]));
}

#[test]
fn filters_are_sent_and_pages_are_joined() {
    let operations = vec![samples::operation(OperationState::Completed); 2500];
    let fake = Fake::start(Script { operations, ..Script::default() });
    fake.run("ops list -a -t data_load -l 7");
    let asked = fake.seen().lists.pop().unwrap();
    assert_eq!((asked.kind.as_str(), asked.page_size), ("load", 7));
    assert_eq!(asked.states, [OperationState::Pending, OperationState::Running].map(i32::from));
    fake.run("ops list -s failed --type training");
    let asked = fake.seen().lists.pop().unwrap();
    assert_eq!((asked.kind.as_str(), asked.states.as_slice(), asked.page_size), ("training", &[4][..], 50));
    let document = fake.run("ops list -l 2100 -f json").json();
    assert_eq!(document["operations"].as_array().map(Vec::len), Some(2100));
    assert_eq!(fake.seen().lists.len(), 3);
}

#[test]
fn a_status_is_the_whole_operation() {
    let fake = Fake::start(followed());
    insta::assert_snapshot!(fake.run("operations status op_load").all(), @r#"
    exit 0
    --- stdout
    Property      Value
    ────────────────────────────────────────────────
    Operation ID  op_load_01J9ZQ4MAB3D5F7H9K2M4P6R8T
    Type          load
    Subject       NVDA 1h
    Status        completed
    Created       2025-06-06T22:00:00Z
    Started       2025-06-06T22:00:00.001Z
    Ended         2025-06-06T22:00:02.501Z
    Duration      2.5s
    Percentage    50.0%
    Progress      2 of 4 requests
    Current step  fetching 2024

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
    "#);
    insta::assert_snapshot!(fake.run("operations status op_load -f json").stdout, @r#"
    {
      "id": "op_load_01J9ZQ4MAB3D5F7H9K2M4P6R8T",
      "kind": "load",
      "state": "completed",
      "subject": "NVDA 1h",
      "progress": {
        "percent": 50.0,
        "done": 2,
        "total": 4,
        "unit": "requests",
        "message": "fetching 2024",
        "parts": []
      },
      "created_at": "2025-06-06T22:00:00Z",
      "started_at": "2025-06-06T22:00:00.001Z",
      "ended_at": "2025-06-06T22:00:02.501Z",
      "reason": null,
      "result": {
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
      },
      "error": null,
      "retry_of": null
    }
    "#);
}

#[test]
fn a_watch_is_one_line_a_change() {
    let fake = Fake::start(followed());
    let ran = fake.run("ops watch op_load -f json");
    let states: Vec<_> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["state"].clone())
        .collect();
    assert_eq!((ran.code, states), (Some(0), vec!["running".into(), "completed".into()]));
    let failure = samples::failure(&reason::NOT_SUBSCRIBED, &["no subscription"]);
    let end = samples::ended(OperationState::Failed, Some(failure));
    let fake = Fake::start(Script { operation: vec![end], ..Script::default() });
    assert_eq!(fake.run("ops watch op_load -f json").code, Some(1));
    let ran = fake.run("ops watch op_load");
    assert!(ran.code == Some(1) && ran.stderr.starts_with("error: no subscription\nhint: subscribe"), "{ran:?}");
}

/// Whoever only looks on has no say.
#[test]
fn ctrl_c_on_a_watch_cancels_nothing() {
    let operation = vec![samples::operation(OperationState::Running)];
    let fake = Fake::start(Script { operation, lasting: true, ..Script::default() });
    let child = fake.spawn("ops watch op_load");
    fake.wait(|seen| seen.calls.contains(&"watch"));
    interrupt(&child);
    child.wait_with_output().unwrap();
    assert!(fake.seen().cancels.is_empty());
}

#[test]
fn cancelling_tells_the_state_and_does_not_mind_the_end() {
    let cancelled = Some(samples::ended(OperationState::Cancelled, None));
    let fake = Fake::start(Script { cancelled, ..followed() });
    let ran = fake.run("operations cancel op_load -f -r enough");
    assert_eq!(ran.all(), format!("exit 0\n--- stdout\n{ID}: cancelled\n--- stderr\n"));
    assert_eq!(fake.seen().cancels[0].note, "enough");
    let fake = Fake::start(followed());
    let ran = fake.run("operations cancel op_load");
    assert_eq!(ran.all(), format!("exit 0\n--- stdout\n{ID}: completed\n--- stderr\nIt had ended already\n"));
    assert_eq!(fake.run("operations cancel op_load --format json").json()["state"], "completed");
}

#[test]
fn a_retry_is_followed_like_a_load() {
    let fake = Fake::start(followed());
    let ran = fake.run("operations retry op_old -f json");
    assert_eq!((ran.code, ran.json()["result"]["success"].as_bool()), (Some(0), Some(true)));
    assert_eq!(ran.stderr, format!("Started operation: {ID}\n"));
    let asked = fake.seen().retries.pop().unwrap();
    assert_eq!((asked.id.as_str(), asked.request_id.len()), ("op_old", 26));
    assert_eq!(fake.run("operations retry op_old --detach").stdout, format!("{ID}\n"));

    let failure = samples::failure(&reason::CANCELLED, &["cancelled"]);
    let cancelled = Operation { failure: Some(failure), ..samples::ended(OperationState::Cancelled, None) };
    let running = vec![samples::operation(OperationState::Running)];
    let fake =
        Fake::start(Script { operation: running, lasting: true, cancelled: Some(cancelled), ..Script::default() });
    let child = fake.spawn("ops retry op_old");
    fake.wait(|seen| seen.calls.contains(&"watch"));
    interrupt(&child);
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).code, Some(130));
}
