//! One thing at a time that the machine, or somebody on it, does to a daemon at work: each with what must come of it.
//!
//! The full disk is in `tests/e2e/disk.rs`: it needs a mount of its own.

mod clock;
mod descriptors;
mod ledger;
mod socket;
mod stopped;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use serde_json::Value;

use super::Outcome;
use crate::{home::Home, steps::operation, wait};

/// What came of one.
#[derive(Debug)]
pub enum Seen {
    /// What must; with what is worth telling.
    AsItMust(String),
    /// It cannot be done on this machine.
    Skipped(&'static str),
}

/// One of them.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// For the document.
    pub key: &'static str,
    /// For people.
    pub name: &'static str,
    /// Does it. A stop lasts as long as it is told.
    pub run: fn(stop: Duration) -> Result<Seen>,
}

/// A stop as the promise has it.
pub const STOP: Duration = Duration::from_mins(1);

/// All of them.
pub const FAULTS: [Fault; 9] = [
    Fault { key: "descriptors", name: "no descriptor left", run: |_| descriptors::run_out() },
    Fault { key: "few_descriptors", name: "64 descriptors from the start", run: |_| descriptors::few() },
    Fault { key: "clock", name: "the clock stepped back a day", run: |_| clock::stepped_back() },
    Fault { key: "stopped", name: "SIGSTOP, then SIGCONT", run: stopped::stopped },
    Fault { key: "ledger", name: "the ledger locked by another program", run: |_| ledger::locked() },
    Fault { key: "ledger_start", name: "the ledger locked when the daemon starts", run: |_| ledger::locked_at_start() },
    Fault { key: "socket", name: "the socket's file deleted", run: |_| socket::deleted(socket::What::File) },
    Fault { key: "folder", name: "the runtime folder deleted", run: |_| socket::deleted(socket::What::Folder) },
    Fault { key: "passed_socket", name: "a service manager's socket deleted", run: |_| socket::managers_deleted() },
];

/// Runs all of them, one after the other; `tell` hears which.
pub fn run(stop: Duration, mut tell: impl FnMut(&str)) -> Outcome {
    let mut outcome = Outcome::new("One thing at a time", "cargo siege faults");
    for Fault { key, name, run } in FAULTS {
        tell(name);
        match run(stop) {
            Ok(Seen::AsItMust(what)) => outcome.words(key, name, &what),
            Ok(Seen::Skipped(why)) => outcome.words(key, name, &format!("skipped: {why}")),
            Err(error) => {
                outcome.words(key, name, "not as it must be");
                outcome.must(false, || format!("{name}: {error:#}"));
            }
        }
    }
    outcome
}

fn as_it_must(what: impl Into<String>) -> Seen {
    Seen::AsItMust(what.into())
}

/// Waits for its end, which must be a good one.
fn completes(home: &Home, id: &str) -> Result<Value> {
    let ended = wait::until(&format!("the end of {id}"), wait::LIMIT * 2, || {
        let operation = operation(home, id)?;
        Ok((!operation["ended_at"].is_null()).then_some(operation))
    })?;
    ensure!(ended["state"] == "completed", "{id} did not complete: {ended:#}");
    Ok(ended)
}

/// A process that is stopped for as long as this lives.
struct Frozen<'a>(&'a mut crate::process::Process);

impl<'a> Frozen<'a> {
    fn new(process: &'a mut crate::process::Process) -> Result<Self> {
        process.freeze()?;
        Ok(Self(process))
    }

    fn thaw(self) -> Result<()> {
        self.0.signal(Signal::CONT)
    }
}

/// The log of a daemon says so, sooner or later.
fn log_says(home: &Home, text: &str) -> Result<()> {
    wait::until_true(&format!("{text:?} in the log"), wait::LIMIT, || {
        Ok(std::fs::read_to_string(home.daemon_log()).context("the log")?.contains(text))
    })
}
