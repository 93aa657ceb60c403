//! What the real services do to clients that believe them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::program::{End, Program, maps, start, strategy, until_session};

const SLOW: &str = "--epoch-ms 60000";

fn begin(program: &Program, body: &Value) -> u16 {
    program.post("/training/start", body).status
}

fn operation(program: &Program, id: &str) -> Value {
    program.get(&format!("/api/v1/operations/{id}")).json()["data"].clone()
}

#[test]
fn a_start_that_failed_has_started_and_spoils_the_list() {
    let program = start("--epoch-ms 60000 --slots 2");
    assert_eq!(begin(&program, &maps("good", &json!(3))), 200);
    let refused = program.post("/training/start", &maps("bad", &json!("ten")));
    assert_eq!(refused.status, 500);
    assert!(refused.detail().ends_with("between instances of 'str' and 'int'"), "{refused:?}");
    assert_eq!(program.report()["starts"]["bad"], 1);
    assert_eq!(program.report()["most_running"], 2);
    let list = program.get("/training/sessions");
    assert!(list.status == 500 && list.detail().starts_with("Failed to list sessions: "), "{list:?}");
    assert_eq!(program.get("/training/status/good").status, 200);
    let told = program.get("/training/status/bad").detail();
    assert!(!told.contains("not found"), "{told}");

    assert_eq!(program.delete("/training/sessions/bad").status, 500);
    assert_eq!(program.post("/training/stop", &json!({ "session_id": "bad" })).status, 200);
    assert_eq!(program.delete("/training/sessions/bad").status, 200);
    assert_eq!(program.get("/training/sessions").json()["total_sessions"], 1);
}

#[test]
fn a_restart_accepts_in_silence_and_executes_what_was_given_up() {
    let program = start(SLOW);
    assert_eq!(begin(&program, &maps("old", &json!(3))), 200);
    program.steer("restart", &json!({ "ms": 2_000 }));
    let given_up = program.post_for("/training/start", &maps("ghost", &json!(3)), Duration::from_millis(200));
    assert_eq!((given_up.end, given_up.status), (End::Open, 0));
    assert_eq!(program.report()["starts"], json!({ "old": 1 }));
    until_session(&program, "ghost", "running");
    let list = program.get("/training/sessions").json();
    assert_eq!((&list["total_sessions"], &list["sessions"][0]["session_id"]), (&json!(1), &json!("ghost")));
    assert_eq!(program.get("/training/status/old").detail(), "Failed to get training status: Session old not found");
}

#[test]
fn the_limit_is_looked_at_before_the_id() {
    let program = start("--epoch-ms 20");
    program.steer("speed", &json!({ "epoch_ms": 60_000 }));
    assert_eq!(begin(&program, &maps("mine", &json!(2))), 200);
    let again = || program.post("/training/start", &maps("mine", &json!(2))).detail();
    assert_eq!(again(), "Failed to start training: Maximum concurrent sessions (1) reached");
    program.steer("speed", &json!({ "epoch_ms": 5 }));
    until_session(&program, "mine", "completed");
    assert_eq!(again(), "Failed to start training: Session mine already exists");
    assert_eq!(program.report()["starts"]["mine"], 1);
}

#[test]
fn the_report_shows_doubles_even_after_a_restart() {
    let program = start(SLOW);
    for _ in 0..2 {
        assert_eq!(begin(&program, &maps("twice", &json!(3))), 200);
        program.steer("restart", &json!({}));
    }
    assert_eq!(begin(&program, &maps("twice", &json!(3))), 200);
    let report = program.report();
    assert_eq!(report["starts"], json!({ "twice": 3 }));
    assert_eq!(report["sessions"][0]["started_times"], 3);
    assert_eq!(report["requests"]["POST /training/start"], 3);
}

#[test]
fn a_cancel_of_the_newest_host_service_is_a_lie() {
    let program = start("--generation e --epoch-ms 60000");
    assert_eq!(begin(&program, &strategy("one", 3)), 200);
    let reply = program.delete("/api/v1/operations/one/cancel?reason=by%20hand").json();
    assert_eq!(reply["data"]["status"], "cancelled");
    assert_eq!(operation(&program, "one")["status"], "cancelled");
    assert_eq!(program.get("/health").json()["worker_status"], "idle");
    assert_eq!(program.get("/training/sessions").json()["sessions"][0]["status"], "running");
    assert_eq!(begin(&program, &strategy("two", 3)), 503);

    program.steer("speed", &json!({ "epoch_ms": 5 }));
    until_session(&program, "one", "completed");
    let flipped = operation(&program, "one");
    assert_eq!((&flipped["status"], &flipped["error_message"]), (&json!("completed"), &json!("by hand")));
    assert_eq!(program.get("/training/result/one").status, 200);
    assert_eq!(begin(&program, &strategy("two", 3)), 200);
}

#[test]
fn success_is_said_around_a_failure() {
    let host = start("--generation e");
    let reply = host.delete("/api/v1/operations/nope/cancel").json();
    assert_eq!((&reply["success"], &reply["data"]["success"]), (&json!(true), &json!(false)));

    let worker = start("--generation worker --epoch-ms 60000");
    for _ in 0..2 {
        let reply = worker.post("/training/start", &strategy("same", 3)).json();
        assert_eq!(reply, json!({ "success": true, "operation_id": "same", "status": "started" }));
    }
    assert_eq!(begin(&worker, &strategy("other", 3)), 200);
    assert_eq!(worker.report()["starts"], json!({ "same": 1, "other": 1 }));
    assert_eq!(worker.report()["most_running"], 2);
}

#[test]
fn a_restart_leaves_operations_pending_for_ever() {
    let program = start("--generation e --epoch-ms 5");
    assert_eq!(begin(&program, &strategy("done", 2)), 200);
    until_session(&program, "done", "completed");
    program.steer("speed", &json!({ "epoch_ms": 60_000 }));
    assert_eq!(begin(&program, &strategy("lost", 2)), 200);
    program.steer("restart", &json!({}));

    let health = || program.get("/health").json()["worker_status"].clone();
    assert_eq!(health(), "idle");
    assert_eq!(operation(&program, "lost")["status"], "pending");
    assert_eq!(health(), "busy");
    assert_eq!(operation(&program, "done")["status"], "completed");
    assert_eq!(program.get("/training/sessions").json()["total_sessions"], 0);
    assert_eq!(program.get("/training/result/done").status, 404);
    for id in ["lost", "done"] {
        let refused = program.post("/training/start", &strategy(id, 2));
        let words = "Session conflict: Failed to create training session: Operation ID already exists: ";
        assert_eq!((refused.status, refused.detail()), (409, format!("{words}{id}")));
    }
    assert_eq!(begin(&program, &strategy("new", 2)), 200);
}

#[test]
fn without_a_number_of_epochs_a_session_completes_at_a_tenth() {
    let program = start("--epoch-ms 2");
    let mut body = maps("s", &json!(1));
    body["training_configuration"] = json!({});
    assert_eq!(begin(&program, &body), 200);
    until_session(&program, "s", "completed");
    let progress = program.get("/training/status/s").json()["progress"].clone();
    assert_eq!((&progress["epoch"], &progress["total_epochs"]), (&json!(10), &json!(100)));
    assert_eq!(progress["progress_percent"], 10.0);
    assert_eq!((&progress["batch"], &progress["total_batches"]), (&json!(33), &json!(32)));
}

#[test]
fn what_is_not_a_number_is_null() {
    let program = start("--epoch-ms 2");
    let mut body = maps("s", &json!(1));
    body["data_configuration"]["symbols"] = json!(["NANS"]);
    assert_eq!(begin(&program, &body), 200);
    until_session(&program, "s", "completed");
    let metrics = program.get("/training/status/s").json()["metrics"].clone();
    assert!(metrics["loss"][0].is_null() && metrics["epoch_loss"][0].is_null(), "{metrics}");
    assert!(metrics["accuracy"][0].is_f64() && metrics["device"][0] == "cpu", "{metrics}");
}

#[test]
fn sessions_fail_where_they_are_told_to() {
    let seed = start("--epoch-ms 2");
    let mut body = maps("s", &json!(9));
    body["training_configuration"]["fail_at_epoch"] = 3.into();
    assert_eq!(begin(&seed, &body), 200);
    until_session(&seed, "s", "failed");
    let status = seed.get("/training/status/s").json();
    assert_eq!((&status["progress"]["epoch"], &status["error"]), (&json!(3), &json!("Simulated failure at epoch 3")));

    let host = start("--generation e --epoch-ms 2");
    let mut body = strategy("s", 9);
    body["strategy_yaml"] = "epochs: 9\nfail_at_epoch: 1\n".into();
    assert_eq!(begin(&host, &body), 200);
    until_session(&host, "s", "failed");
    assert_eq!(operation(&host, "s")["error_message"], "Training failed: Simulated failure at epoch 1");
}
