//! The program as a process, and what it is asked.

use std::path::{Path, PathBuf};

pub(crate) use ktrdr_http_sim::testing::{End, PATIENCE, Program, Reply, exchange};
use ktrdr_http_sim::testing::{Transcript, names};
use serde_json::{Value, json};

/// With such a command line.
pub(crate) fn start(arguments: &str) -> Program {
    Program::start(env!("CARGO_BIN_EXE_ktrdr-ib-host-sim"), arguments)
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

/// A question for bars.
pub(crate) fn question(symbol: &str, timeframe: &str, start: &str, end: &str, kind: Option<&str>) -> Value {
    let mut body = json!({ "symbol": symbol, "timeframe": timeframe, "start": start, "end": end });
    if let Some(kind) = kind {
        body["instrument_type"] = kind.into();
    }
    body
}

/// A few bars.
pub(crate) fn morning() -> Value {
    question("AAPL", "1h", "2025-01-02T14:00:00Z", "2025-01-02T18:00:00Z", Some("STK"))
}
