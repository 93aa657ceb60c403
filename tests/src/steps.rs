//! What many tests do with a command line and a daemon: import, start, look, wait.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{cli::Ran, data_folder, home::Home, wait};

/// Starts something long and leaves; the operation's id.
pub fn detached(home: &Home, line: &str) -> Result<String> {
    Ok(home.ktrdr(&format!("{line} --detach"))?.ok()?.trim().to_owned())
}

/// The operation's document.
pub fn operation(home: &Home, id: &str) -> Result<Value> {
    home.ktrdr(&format!("operations status {id} -f json"))?.json()
}

/// Waits until so many steps of an operation are done.
pub fn steps_done(home: &Home, id: &str, count: u64) -> Result<Value> {
    wait::until(&format!("{count} steps of {id}"), wait::LIMIT, || {
        let operation = operation(home, id)?;
        let done = operation["progress"]["done"].as_u64().context("no progress")?;
        Ok((done >= count).then_some(operation))
    })
}

/// Everything that is stored of a series, as CSV.
pub fn stored_text(home: &Home, series: &str) -> Result<String> {
    home.ktrdr(&format!("data show {series} --all -f csv"))?.ok()
}

/// Imports files of [`data_folder`].
pub fn import(home: &Home, names: &[&str]) -> Result<Ran> {
    let files = names.iter().map(|name| data_folder().join(name).into_os_string());
    let words = ["data", "import", "-f", "json"].map(std::ffi::OsString::from);
    home.ktrdr_args(words.into_iter().chain(files))
}
