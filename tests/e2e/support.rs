//! Words that several tests share.

use std::{
    fmt::Debug,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::{
    daemon::TestDaemon,
    home::Home,
    series::{self, Bar},
    wait,
};
use serde_json::Value;

/// Simulated seconds per real second where pauses and pacing would make a test slow.
pub(crate) const SCALE: u32 = 60;
/// Simulated; with [`SCALE`], a tenth of a second before each answer.
pub(crate) const SLOW: &str = "--time-scale 60 --answer-delay-ms 6000";

/// The document of a command, whatever its exit code.
pub(crate) fn document(home: &Home, line: &str) -> Result<Value> {
    home.ktrdr(&format!("{line} -f json"))?.document()
}

/// Starts a load and leaves; the operation's id.
pub(crate) fn detached(home: &Home, line: &str) -> Result<String> {
    Ok(home.ktrdr(&format!("{line} --detach"))?.ok()?.trim().to_owned())
}

/// The operation's document.
pub(crate) fn operation(home: &Home, id: &str) -> Result<Value> {
    home.ktrdr(&format!("operations status {id} -f json"))?.json()
}

/// Waits until so many steps of an operation are done.
pub(crate) fn steps_done(home: &Home, id: &str, count: u64) -> Result<Value> {
    wait::until(&format!("{count} steps of {id}"), wait::LIMIT, || {
        let operation = operation(home, id)?;
        let done = operation["progress"]["done"].as_u64().context("no progress")?;
        Ok((done >= count).then_some(operation))
    })
}

/// Waits until the gateway is in a state.
pub(crate) fn gateway_is(home: &Home, state: &str) -> Result<Value> {
    wait::until(&format!("the gateway to be {state}"), wait::LIMIT, || {
        let status = home.ktrdr("ib status -f json")?.json()?;
        Ok((status["state"] == state).then_some(status))
    })
}

/// Everything that is stored of a series.
pub(crate) fn stored(home: &Home, series: &str) -> Result<Vec<Bar>> {
    series::printed(&home.ktrdr(&format!("data show {series} --all -f csv"))?.ok()?)
}

/// Imports files of `tests/data`.
pub(crate) fn import(daemon: &TestDaemon, names: &[&str]) -> Result<Value> {
    let folder = ktrdr_tests::data_folder();
    let files = names.iter().map(|name| folder.join(name).into_os_string());
    let words = ["data", "import", "-f", "json"].map(std::ffi::OsString::from);
    daemon.ktrdr_args(words.into_iter().chain(files))?.json()
}

/// Checks all cases, a few at once: simulators and daemons mostly wait. Fails with all that failed.
pub(crate) fn each_of<T: Debug + Sync>(cases: &[T], check: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    const AT_ONCE: usize = 4;
    let (failures, next) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = check(case) {
                        let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                        failures.push(format!("{case:?}: {error:#}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    ensure!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n\n"));
    Ok(())
}

/// Says why a test could not run here.
#[expect(clippy::print_stderr, reason = "a test that does nothing must say so")]
pub(crate) fn skipped(what: &str, why: &str) {
    eprintln!("skipped: {what}: {why}");
}
