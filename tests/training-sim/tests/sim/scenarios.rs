//! Every transcript, in an order that brings the service into the state it was recorded in.

#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// Send it, and compare the answers.
    Replay(&'static str),
    /// Send the second one while the first one waits.
    Together(&'static str, &'static str),
    /// Replay, and call from then on what was recorded as the first text by the id that was made up now.
    Learn(&'static str, &'static str),
    /// Send it and give up on it.
    GiveUp(&'static str),
    /// Send it under another id, for the state it makes.
    Begin(&'static str, &'static str, &'static str),
    /// A control route and its body.
    Steer(&'static str, &'static str),
    /// Replace a text in all requests from then on.
    Rename(&'static str, &'static str),
    Until(&'static str, &'static str),
}
use Step::{Begin, GiveUp, Learn, Rename, Replay, Steer, Together, Until};

/// Flags, and what happens.
pub(crate) const SCENARIOS: [(&str, &[Step]); 11] = [
    ("", IDLE),
    ("--epoch-ms 60000", ONE_SESSION),
    ("--epoch-ms 10", ODD_INPUTS),
    ("--epoch-ms 5 --stop-ms 1000", STOP_AND_RACE),
    ("--epoch-ms 500", RESTART),
    ("--generation e", HEAD_IDLE),
    ("--generation e --epoch-ms 60000", HEAD_SESSION),
    ("--generation e --epoch-ms 60000", HEAD_CANCEL),
    ("--generation e --epoch-ms 5", HEAD_RESTART),
    ("--generation e --epoch-ms 5", HEAD_FAILURES),
    ("--generation worker --epoch-ms 60000", WORKER),
];

const IDLE: &[Step] = &[
    Replay("01-root"),
    Replay("02-health"),
    Replay("03-health-slash"),
    Replay("04-health-detailed"),
    Replay("05-sessions-empty"),
    Replay("06-status-unknown"),
    Replay("07-stop-unknown"),
    Replay("08-delete-unknown"),
    Replay("09-evaluate"),
    Replay("10-start-missing-fields"),
    Replay("11-start-wrong-types"),
    Replay("12-start-malformed-json"),
    Replay("13-start-no-content-type"),
    Replay("14-method-not-allowed"),
    Replay("15-unknown-route"),
    Replay("16-openapi-size"),
];

const ONE_SESSION: &[Step] = &[
    Replay("20-start-ok"),
    Replay("21-status-0"),
    Replay("22-start-duplicate-while-running"),
    Replay("23-start-limit"),
    Replay("24-delete-running"),
    Replay("25-status-running-01"),
    Replay("25-status-running-03"),
    Steer("session/run-1", r#"{"epoch": 1, "batch": 9}"#),
    Replay("25-status-running-06"),
    Steer("session/run-1", r#"{"release": true}"#),
    Steer("speed", r#"{"epoch_ms": 5}"#),
    Until("run-1", "completed"),
    Replay("26-status-final"),
    Replay("27-sessions-final"),
    Replay("28-stop-finished"),
    Replay("29-start-duplicate-finished"),
    Replay("30-delete-finished"),
    Replay("31-status-after-delete"),
    Replay("32-delete-again"),
];

const ODD_INPUTS: &[Step] = &[
    // Without a file, and with a file that is too old: the simulator knows one kind of symbol without data.
    Rename("ZZZZ", "NODATA"),
    Rename("GOOGL", "NODATA"),
    Replay("40-start-no-data"),
    Until("nodata", "failed"),
    Replay("41-status-failed"),
    Replay("42-start-old-window"),
    Until("oldwin", "failed"),
    Replay("43-status-old-window"),
    Replay("44-start-no-epochs"),
    Until("noep", "completed"),
    Replay("45-status-no-epochs"),
    Learn("46-start-no-id", "c38178ea-2dad-49d0-8422-5f2e8e819a33"),
    Until("c38178ea-2dad-49d0-8422-5f2e8e819a33", "completed"),
    Replay("47-status-epochs-zero"),
    Replay("48-start-epochs-string"),
    Until("strep", "failed"),
    Replay("49-status-epochs-string"),
    Replay("50-sessions-epochs-string"),
    Replay("51-delete-epochs-string"),
    Replay("52-start-timeframes-string"),
    Until("tfstr", "failed"),
    Replay("53-status-timeframes-string"),
    Replay("54-start-slash-id"),
    Until("a/b", "completed"),
    Replay("55-status-slash-id"),
    Replay("56-delete-slash-id"),
    Replay("57-start-empty-id"),
    Until("", "completed"),
    Replay("58-status-empty-id"),
    Replay("59-sessions-many"),
];

const STOP_AND_RACE: &[Step] = &[
    Begin("54-start-slash-id", "a/b", "a/b"),
    Until("a/b", "completed"),
    Begin("57-start-empty-id", "", ""),
    Until("", "completed"),
    Steer("speed", r#"{"epoch_ms": 60000}"#),
    Replay("60-start-long"),
    Steer("session/stopme", r#"{"epoch": 2, "batch": 12}"#),
    Together("61-stop-running", "62-stop-twice"),
    Replay("63-status-stopped"),
    Replay("64-stop-after-stopped"),
    Replay("65-sessions-stopped"),
    Replay("66-delete-stopped"),
    Replay("67-race-start-a"),
    Replay("67-race-start-b"),
    Replay("68-race-sessions"),
    Steer("speed", r#"{"epoch_ms": 5}"#),
    Until("race-a", "completed"),
    Replay("70-start-nan-data"),
    Until("nan1", "completed"),
    Replay("71-status-nan"),
    Replay("72-stop-typo"),
    Replay("73-start-extra-fields"),
];

const RESTART: &[Step] = &[
    Begin("60-start-long", "stopme", "rel"),
    Steer("restart", "{}"),
    Replay("75-status-after-reload"),
    Steer("restart", r#"{"ms": 1500}"#),
    GiveUp("76-start-during-restart"),
    Until("ghost", "running"),
    Replay("77-sessions-after-restart"),
    Replay("78-start-again-same-id"),
    Steer("speed", r#"{"epoch_ms": 1}"#),
    Until("ghost", "completed"),
    Replay("79-start-again-after-end"),
];

const HEAD_IDLE: &[Step] = &[
    Replay("head-01-root"),
    Replay("head-02-health"),
    Replay("head-03-health-detailed"),
    Replay("head-04-status-unknown"),
    Replay("head-05-stop"),
    Replay("head-06-operation-unknown"),
    Replay("head-07-result-unknown"),
    Replay("head-08-operations-empty"),
    Replay("head-09-start-old-body"),
    Replay("head-10-evaluate"),
    Replay("head-11-cancel-unknown"),
];

const HEAD_SESSION: &[Step] = &[
    Replay("head-20-start-ok"),
    Replay("head-21-operation-0"),
    Replay("head-22-health-busy"),
    Replay("head-23-start-busy"),
    Replay("head-24-start-duplicate"),
    Replay("head-25-operation-running-01"),
    Steer("speed", r#"{"epoch_ms": 5}"#),
    Until("op_training_demo_1", "completed"),
    Replay("head-25-operation-running-03"),
    Replay("head-26-operation-final"),
    Replay("head-27-metrics"),
    Replay("head-28-result"),
    Replay("head-29-sessions"),
    Replay("head-30-start-duplicate-finished"),
    Replay("head-31-operations-list"),
    Replay("head-32-cancel-finished"),
];

const HEAD_CANCEL: &[Step] = &[
    Begin("head-48-start-after-cancel", "op_training_long_2", "op_training_long_1"),
    Replay("head-41-operation-batch-3"),
    Steer("session/op_training_long_1", r#"{"epoch": 8, "batch": 20}"#),
    Replay("head-41-operation-batch-9"),
    Steer("session/op_training_long_1", r#"{"epoch": 20, "batch": 30}"#),
    Replay("head-41-operation-batch-13"),
    Replay("head-42-result-while-running"),
    Replay("head-43-delete-running"),
    Replay("head-44-cancel"),
    Replay("head-45-operation-after-cancel"),
    Replay("head-46-sessions-after-cancel"),
    Replay("head-46b-health-after-cancel"),
    Steer("session/op_training_long_1", r#"{"epoch": 58, "batch": 20}"#),
    Replay("head-47-sessions-later"),
    Replay("head-48-start-after-cancel"),
    Steer("session/op_training_long_1", r#"{"release": true}"#),
    Steer("speed", r#"{"epoch_ms": 1}"#),
    Until("op_training_long_1", "completed"),
    Replay("head-49-operation-cancelled-then-completed"),
];

const HEAD_RESTART: &[Step] = &[
    Begin("head-20-start-ok", "op_training_demo_1", "op_training_demo_1"),
    Until("op_training_demo_1", "completed"),
    Steer("speed", r#"{"epoch_ms": 60000}"#),
    Begin("head-54-start-same-id-after-restart", "op_training_restart_2", "op_training_restart_2"),
    Steer("restart", "{}"),
    Replay("head-51-operation-after-restart"),
    Replay("head-52-sessions-after-restart"),
    Replay("head-53-health-after-restart"),
    Replay("head-54-start-same-id-after-restart"),
    Replay("head-55-result-after-restart"),
    Replay("head-56-operation-completed-after-restart"),
    Replay("head-56b-start-other-after-restart"),
];

const HEAD_FAILURES: &[Step] = &[
    Begin("head-20-start-ok", "op_training_demo_1", "op_training_demo_1"),
    Until("op_training_demo_1", "completed"),
    Replay("head-57-start-bad-yaml"),
    Until("op_bad_yaml", "failed"),
    Replay("head-58-operation-bad-yaml"),
    Learn("head-59-start-no-overrides", "fbc6f6bd-3de8-43c6-b1e1-b1898aa4f14c"),
    Until("fbc6f6bd-3de8-43c6-b1e1-b1898aa4f14c", "failed"),
    Replay("head-60-sessions"),
];

const WORKER: &[Step] = &[
    Replay("worker-01-root"),
    Replay("worker-02-start"),
    Replay("worker-03-start-second-while-busy"),
    Steer("session/op_training_ck_1", r#"{"epoch": 25, "batch": 1}"#),
    Replay("worker-04-operation"),
    Replay("worker-05-health"),
    Replay("worker-06-sessions"),
    Replay("worker-07-cancel"),
    Replay("worker-08-operation-after-cancel"),
    Replay("worker-09-resume"),
    Steer("session/op_training_ck_1", r#"{"epoch": 81, "batch": 1}"#),
    Replay("worker-10-operation-resumed"),
    Replay("worker-11-resume-unknown"),
    Replay("worker-12-resume-missing"),
    Replay("worker-13-start-duplicate-id"),
    Replay("worker-14-operation-after-duplicate"),
];
