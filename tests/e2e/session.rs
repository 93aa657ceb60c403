//! The one session with the gateway: what it lives through, what it never does, and what it tells of it.

use std::{
    fs::{self, File},
    path::PathBuf,
};

use anyhow::{Context as _, Result};
use ktrdr_tests::{
    cli::words,
    daemon::{TestDaemon, home_with},
    gateway_sim::GatewaySim,
    home::Home,
    process::Process,
    wait,
};
use serde_json::Value;

use crate::support::{SCALE, SLOW, detached, gateway_is, operation, steps_done, stored};

/// `ib status --watch` at work; what it has printed so far.
struct Watcher {
    _process: Process,
    file: PathBuf,
}

impl Watcher {
    fn start(home: &Home) -> Result<Self> {
        let file = home.work().join("watched.jsonl");
        let mut command = home.ktrdr_command(words("ib status --watch -f json"))?;
        command.stdout(File::create(&file)?);
        Ok(Self { _process: Process::start(command)?, file })
    }

    fn states(&self) -> Result<Vec<String>> {
        let text = fs::read_to_string(&self.file)?;
        let whole = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut states: Vec<String> = whole.filter_map(|status| status["state"].as_str().map(str::to_owned)).collect();
        states.dedup();
        Ok(states)
    }

    /// Waits until it has told this.
    fn told(&self, states: &[&str]) -> Result<()> {
        wait::until_true(&format!("the story {states:?}"), wait::LIMIT, || Ok(self.states()? == states))
            .with_context(|| format!("told so far: {:?}", self.states()))
    }
}

/// A cable that is pulled: first nothing answers, then nobody is there, and half a minute later all is well again.
#[test]
fn a_load_outlives_a_gateway_that_freezes_and_dies() -> Result<()> {
    let mut sim = GatewaySim::start(SLOW)?;
    let port = sim.port();
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    gateway_is(&daemon, "ready")?;
    let watcher = Watcher::start(&daemon)?;
    watcher.told(&["ready"])?;
    let id = detached(&daemon, "data load AAPL -t 1m --start 2025-01-06 --end 2025-02-28")?;
    steps_done(&daemon, &id, 3)?;
    sim.freeze()?;
    gateway_is(&daemon, "disconnected")?;
    sim.kill()?;
    let sim = GatewaySim::start_on(port, SLOW)?;
    let ran = daemon.ktrdr(&format!("operations watch {id}"))?;
    assert_eq!(ran.status, 0, "{ran:?}");
    let result = operation(&daemon, &id)?["result"].clone();
    assert_eq!(result["gaps_left"], serde_json::json!([]), "{result}");
    assert_eq!(result["bars_total"], stored(&daemon, "AAPL -t 1m")?.len());
    let story = watcher.states()?;
    assert_eq!(story[..2], ["ready", "disconnected"], "{story:?}");
    assert_eq!(story[story.len() - 3..], ["connecting", "synchronising", "ready"], "{story:?}");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

/// From `first` to `last` seconds from now, as the settings spell it.
fn quiet_time(first: i64, last: i64) -> Result<String> {
    let at = |seconds: i64| -> Result<String> {
        let at = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_secs(seconds))?;
        Ok(jiff::tz::TimeZone::UTC.to_datetime(at).strftime("%H:%M:%S").to_string())
    };
    Ok(format!("{}-{} UTC", at(first)?, at(last)?))
}

#[test]
fn a_quiet_time_is_announced_and_kept_and_loads_go_on_after_it() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let mut home = home_with(&sim)?;
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    home.set("KTRDR_IB_QUIET", quiet_time(5, 8)?);
    let daemon = TestDaemon::start_in(home)?;
    let ready = gateway_is(&daemon, "ready")?;
    assert!(ready["next"].as_str().is_some_and(|next| next.contains("quiet from")), "{ready}");
    let watcher = Watcher::start(&daemon)?;
    let id = detached(&daemon, "data load AAPL -t 1m --start 2025-01-06 --end 2025-04-30")?;
    let resting = gateway_is(&daemon, "resting")?;
    assert!(resting["next"].as_str().is_some_and(|next| next.starts_with("connects at")), "{resting}");
    daemon.ktrdr("ib test -f json")?.fails(5, "GATEWAY_RESTING")?;
    daemon.ktrdr("ib reconnect")?.ok()?;
    let ran = daemon.ktrdr(&format!("operations watch {id}"))?;
    assert_eq!(ran.status, 0, "{ran:?}");
    watcher.told(&["ready", "disconnected", "resting", "connecting", "synchronising", "ready"])?;
    drop(daemon.terminate()?);
    assert_eq!(sim.report()?.connections(), 2, "no knocking in between");
    Ok(())
}

/// Requests for small bars that IB counts now, and who sent them.
fn budget(home: &Home) -> Result<(u64, Value)> {
    let status = home.ktrdr("ib status -f json")?.json()?;
    let used = status["pacing"]["used"].as_u64().context("a number")?;
    Ok((used, status["pacing"]["users"].clone()))
}

/// More steps of small bars than IB allows in ten minutes.
const BULK: &str = "data load AAPL -t 5s --start 2026-11-02 --end 2026-11-06";

#[test]
fn a_restarted_daemon_remembers_what_ib_still_counts() -> Result<()> {
    let sim = GatewaySim::start("--time-scale 20")?;
    let daemon = TestDaemon::hurried(&sim, 20)?;
    let id = detached(&daemon, BULK)?;
    wait::until_true("a spent budget", wait::LIMIT, || Ok(budget(&daemon)?.0 == 58))?;
    let daemon = daemon.kill_9()?.start()?;
    let (used, users) = budget(&daemon)?;
    assert!(used > 50, "{used} of 58 are remembered");
    assert_eq!(users[0]["origin"], id.as_str(), "{users}");
    detached(&daemon, BULK)?;
    wait::until_true("requests after the restart", wait::LIMIT, || {
        let (_, users) = budget(&daemon)?;
        Ok(users.as_array().is_some_and(|users| users.len() == 2))
    })?;
    drop(daemon.terminate()?);
    sim.report_after_kills()?;
    Ok(())
}

#[test]
fn a_small_load_gets_the_next_turn_while_a_large_one_waits_for_pacing() -> Result<()> {
    // sixty in twenty seconds: a machine that is busy with more than this must come so far, too
    const SLOWER: u32 = SCALE / 2;
    let sim = GatewaySim::start(&format!("--time-scale {SLOWER}"))?;
    let daemon = TestDaemon::hurried(&sim, SLOWER)?;
    let bulk = detached(&daemon, BULK)?;
    let waiting = wait::until("a load that waits for pacing", wait::LIMIT, || {
        let operation = operation(&daemon, &bulk)?;
        let message = operation["progress"]["message"].as_str().unwrap_or_default();
        Ok(message.contains("waiting for pacing").then(|| operation.clone()))
    })?;
    let message = waiting["progress"]["message"].as_str().unwrap_or_default();
    assert!(message.ends_with(" s"), "it says how long: {message}");
    daemon.ktrdr("data load MSFT -t 5s --start 2026-11-03T15:00:00Z --end 2026-11-03T15:30:00Z -f json")?.ok()?;
    assert_eq!(operation(&daemon, &bulk)?["state"], "running", "the small one did not wait for the large one");
    daemon.ktrdr(&format!("operations cancel {bulk}"))?.ok()?;
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}
