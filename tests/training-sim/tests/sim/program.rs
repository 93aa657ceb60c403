//! The program as a process, and what it is asked.

use std::path::{Path, PathBuf};

use ktrdr_http_sim::testing::names;
pub(crate) use ktrdr_http_sim::testing::{End, PATIENCE, Program, Reply, Transcript, exchange, request, until};
use serde_json::{Value, json};

/// With such a command line.
pub(crate) fn start(arguments: &str) -> Program {
    Program::start(env!("CARGO_BIN_EXE_ktrdr-training-sim"), arguments)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts")
}

/// A recorded exchange.
pub(crate) fn transcript(name: &str) -> Transcript {
    Transcript::read(&folder(), name)
}

/// The names of all of them.
pub(crate) fn transcripts() -> Vec<String> {
    names(&folder())
}

/// Three maps that start a session.
pub(crate) fn maps(id: &str, epochs: &Value) -> Value {
    json!({
        "session_id": id, "model_configuration": {}, "training_configuration": { "epochs": epochs },
        "data_configuration": { "symbols": ["AAPL"], "timeframes": ["1h"] },
    })
}

/// A strategy that starts a session.
pub(crate) fn strategy(id: &str, epochs: u32) -> Value {
    let yaml = format!("name: demo\nmodel:\n  training:\n    epochs: {epochs}\n");
    json!({ "task_id": id, "strategy_yaml": yaml, "symbols": ["AAPL"], "timeframes": ["1h"] })
}

/// Waits until a session has a status.
pub(crate) fn until_session(program: &Program, id: &str, status: &str) {
    until(&format!("{id:?} to be {status}"), || {
        let report = program.report();
        let rows = report["sessions"].as_array().unwrap();
        rows.iter().any(|row| row["id"] == id && row["status"] == status)
    });
}
