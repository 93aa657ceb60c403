//! Words that several tests share.

use anyhow::{Context as _, Result};
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

/// Says why a test could not run here.
#[expect(clippy::print_stderr, reason = "a test that does nothing must say so")]
pub(crate) fn skipped(what: &str, why: &str) {
    eprintln!("skipped: {what}: {why}");
}
