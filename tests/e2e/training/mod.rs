//! Trainings: the real daemon and command line against simulated training services.

mod bad_input;
mod chaos;
mod exactly_once;
mod faults;
mod hosts;
mod life;
mod queue;
mod restarts;
mod stops;
mod traps;

use anyhow::{Context as _, Result};
use ktrdr_tests::{daemon::TestDaemon, home::Home, training_sim::TrainingSim, wait};
use serde_json::Value;

/// A strategy that every host takes.
pub(crate) const STRATEGY: &str = r#"name: demo
version: "2.0"
scope: symbol_specific
training_data:
  symbols: {mode: single, symbol: EURUSD}
  timeframes: {mode: single, timeframe: 1h}
  history_required: 120
deployment: {target_symbols: {mode: training_only}}
indicators:
  - {name: rsi, period: 9}
fuzzy_sets:
  rsi:
    low: {type: triangular, parameters: [0, 15, 40]}
    high: {type: triangular, parameters: [60, 85, 100]}
model:
  type: mlp
  architecture: {hidden_layers: [12, 6]}
  training: {learning_rate: 0.002, batch_size: 64, epochs: 5}
decisions: {output_format: classification}
training:
  method: supervised
  data_split: {train: 0.7, validation: 0.15, test: 0.15}
"#;

/// Time-outs are so many times shorter than a real service needs.
const HURRY: u32 = 10;

/// A home whose hosts are these, written as the configuration writes them, with [`STRATEGY`] as `demo.yaml`.
pub(crate) fn home_with_hosts(hosts: &str) -> Result<Home> {
    let mut home = Home::new()?;
    home.set("KTRDR_IB_ENABLED", "false");
    home.set("KTRDR_TRAINING_HOSTS", hosts);
    home.set("KTRDR_TRAINING_POLL_MS", "100");
    home.set("KTRDR_TEST_TIME_SCALE", HURRY.to_string());
    home.file("demo.yaml", STRATEGY)?;
    Ok(home)
}

/// A daemon with these hosts.
fn daemon_with(hosts: &str) -> Result<TestDaemon> {
    TestDaemon::start_in(home_with_hosts(hosts)?)
}

/// A service with these flags, and a daemon that knows it as `gpu`.
fn pair(flags: &str) -> Result<(TrainingSim, TestDaemon)> {
    let sim = TrainingSim::start(flags)?;
    let daemon = daemon_with(&sim.host("gpu"))?;
    Ok((sim, daemon))
}

/// Starts a training and leaves; its id.
fn begun(home: &Home, more: &str) -> Result<String> {
    Ok(home.ktrdr(&format!("models train demo.yaml --detach {more}"))?.ok()?.trim().to_owned())
}

/// Waits until an operation is in a state.
fn operation_is(home: &Home, id: &str, state: &str) -> Result<Value> {
    let mut last = Value::Null;
    let seen = wait::until(&format!("{id} to be {state}"), wait::LIMIT, || {
        last = crate::support::operation(home, id)?;
        Ok((last["state"] == state).then(|| last.clone()))
    });
    seen.with_context(|| format!("last seen: {last:#}"))
}

/// Waits until it has ended, however.
fn ended(home: &Home, id: &str) -> Result<Value> {
    wait::until(&format!("the end of {id}"), wait::LIMIT * 3, || {
        let operation = crate::support::operation(home, id)?;
        Ok((!operation["ended_at"].is_null()).then_some(operation))
    })
}

/// Waits until so many epochs are over.
fn epochs_done(home: &Home, id: &str, epochs: u64) -> Result<Value> {
    wait::until(&format!("{epochs} epochs of {id}"), wait::LIMIT, || {
        let operation = crate::support::operation(home, id)?;
        let done = operation["progress"]["training"]["epoch"].as_u64().unwrap_or(0);
        Ok((done >= epochs).then_some(operation))
    })
}
