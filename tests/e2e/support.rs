//! Words that several tests share.

use std::{
    fmt::Debug,
    net::{SocketAddr, TcpListener},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Result, ensure};
pub(crate) use ktrdr_tests::steps::{detached, operation, steps_done};
use ktrdr_tests::{
    home::Home,
    series::{self, Bar},
    steps, wait,
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

/// Waits until the gateway is in a state.
pub(crate) fn gateway_is(home: &Home, state: &str) -> Result<Value> {
    wait::until(&format!("the gateway to be {state}"), wait::LIMIT, || {
        let status = home.ktrdr("ib status -f json")?.json()?;
        Ok((status["state"] == state).then_some(status))
    })
}

/// Everything that is stored of a series.
pub(crate) fn stored(home: &Home, series: &str) -> Result<Vec<Bar>> {
    series::printed(&steps::stored_text(home, series)?)
}

/// Imports files of `tests/data`.
pub(crate) fn import(home: &Home, names: &[&str]) -> Result<Value> {
    steps::import(home, names)?.json()
}

/// An address that is free now.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
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
