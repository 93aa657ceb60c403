//! Host services whose answers are nearly right, heads and all.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use ktrdr_tests::{
    between::{Between, Pieces},
    daemon::TestDaemon,
    home::Home,
    ib_host_sim::IbHostSim,
    training_sim::TrainingSim,
    wait,
};
use serde_json::Value;

use super::{Run, is_well};
use crate::{
    support::{SCALE, detached, gateway_is, operation},
    training::home_with_hosts,
};

/// A service spoils one answer in so many.
const ONE_IN: u64 = 3;
/// Exit codes of commands that end because of somebody else. A command that waits until its time is over is none of them.
const TOLD: [i32; 4] = [0, 1, 5, 7];

/// It ends as it should, and says why; its document when it ended well.
fn is_told(daemon: &TestDaemon, line: &str) -> Result<Option<Value>> {
    let ran = daemon.ktrdr(&format!("{line} -f json --timeout 30"))?;
    let told: Value = serde_json::from_str(ran.stderr.lines().last().unwrap_or_default()).unwrap_or_default();
    let told = if told["error"].is_object() { told } else { ran.document().unwrap_or_default() };
    let reason = told["error"]["reason"].as_str().unwrap_or_default();
    let known = ktrdr_proto::reason::find(reason).is_some_and(|_| reason != "INTERNAL");
    ensure!(TOLD.contains(&ran.status) && (ran.status == 0 || known), "{line}: {ran:#?}");
    let message = told["error"]["message"].as_str().unwrap_or_default();
    ensure!(!message.chars().any(|c| c.is_control() && c != '\n'), "{line}: {ran:#?}");
    if ran.status == 0 { ran.document().map(Some) } else { Ok(None) }
}

/// Of each kind of work that a host has to do, how much was done and how much failed.
#[derive(Debug, Default)]
struct Counts(BTreeMap<&'static str, (u64, u64)>);

impl Counts {
    fn add(&mut self, kind: &'static str, done: bool) {
        let (succeeded, failed) = self.0.entry(kind).or_default();
        *if done { succeeded } else { failed } += 1;
    }

    /// Each of so many kinds succeeds at times, and some of it fails.
    fn reach(&self, kinds: usize) -> bool {
        let (done, failed) = (|(done, _): &(u64, u64)| *done > 0, |(_, failed): &(u64, u64)| *failed > 0);
        self.0.len() == kinds && self.0.values().all(done) && self.0.values().any(failed)
    }
}

/// Takes those out that the host did or failed.
fn count_ended(daemon: &TestDaemon, trainings: &mut Vec<String>, counts: &mut Counts) -> Result<()> {
    for id in std::mem::take(trainings) {
        let training = operation(daemon, &id)?;
        match training["state"].as_str().unwrap_or_default() {
            "completed" => counts.add("training", true),
            "failed" => {
                let reason = training["error"]["reason"].as_str().unwrap_or_default();
                ensure!(ktrdr_proto::reason::find(reason).is_some() && reason != "INTERNAL", "{training:#}");
                counts.add("training", false);
            }
            _ => trainings.push(id),
        }
    }
    Ok(())
}

#[test]
fn a_training_host_of_foreign_bytes_is_survived() -> Result<()> {
    let mut run = Run::new(6);
    let sim = TrainingSim::start("--epoch-ms 20")?;
    let between = Between::start(sim.port(), Pieces::AsTheyCome, ONE_IN, run.seed)?;
    let daemon = TestDaemon::start_in(home_with_hosts(&format!("gpu=http://127.0.0.1:{}", between.port()))?)?;
    let (mut counts, mut trainings) = (Counts::default(), Vec::new());
    run.begins();
    while run.goes_on_until(counts.reach(2)) {
        counts.add("check", is_told(&daemon, "services check")?.is_some());
        // these need no host to succeed
        trainings.push(detached(&daemon, "models train demo.yaml EURUSD 1h")?);
        for line in ["models train demo.yaml EURUSD 1h --dry-run", "services list", "ops list"] {
            ensure!(is_told(&daemon, line)?.is_some(), "{line} failed");
        }
        count_ended(&daemon, &mut trainings, &mut counts)?;
        is_well(&daemon)?;
    }
    let (spoilt, connections) = (between.spoilt(), between.connections());
    run.told(&format!(
        "training: {counts:?}, {} trainings open; {spoilt} answers spoilt, {connections} connections",
        trainings.len()
    ));
    ensure!(spoilt > 5, "nothing was spoilt");
    ensure!(counts.reach(2), "a kind of work was never done, or none failed: {counts:?}");
    between.be_honest();
    wait::until_true("the host to be up", wait::LIMIT, || {
        let ran = daemon.ktrdr("services check -f json")?;
        Ok(ran.status == 0)
    })?;
    is_well(&daemon)?;
    drop(daemon.terminate()?);
    Ok(())
}

#[test]
fn an_ib_host_of_foreign_bytes_is_survived() -> Result<()> {
    let mut run = Run::new(6);
    let sim = IbHostSim::start(&format!("--time-scale {SCALE}"))?;
    let between = Between::start(sim.port(), Pieces::AsTheyCome, ONE_IN, run.seed)?;
    let mut home = Home::new()?;
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    home.set("KTRDR_IB_HOST_SERVICE", format!("http://127.0.0.1:{}", between.port()));
    let daemon = TestDaemon::start_in(home)?;
    let (mut round, mut counts) = (0, Counts::default());
    run.begins();
    while run.goes_on_until(counts.reach(3)) {
        // another month each time: what is stored needs no host
        let (year, month) = (2024 - round / 12 % 15, round % 12 + 1);
        for series in ["AAPL -t 1h", "EURUSD -t 1d"] {
            let line = format!("data load {series} --start {year}-{month:02}-01 --end {year}-{month:02}-20");
            let loaded = is_told(&daemon, &line)?;
            counts.add("load", loaded.is_some_and(|document| document["bars_loaded"].as_u64() > Some(0)));
        }
        counts.add("validation", is_told(&daemon, "data validate MSFT --refresh")?.is_some());
        counts.add("test", is_told(&daemon, "ib test")?.is_some());
        round += 1;
        is_well(&daemon)?;
    }
    let (spoilt, connections) = (between.spoilt(), between.connections());
    run.told(&format!("IB host: {counts:?}; {spoilt} answers spoilt, {connections} connections"));
    ensure!(spoilt > 5, "nothing was spoilt");
    ensure!(counts.reach(3), "a kind of work was never done, or none failed: {counts:?}");
    between.be_honest();
    gateway_is(&daemon, "ready")?;
    let document = daemon.ktrdr("data load MSFT -t 1h --start 2024-01-02 --end 2024-02-01 -f json")?.json()?;
    ensure!(document["status"] == "completed", "{document}");
    is_well(&daemon)?;
    drop(daemon.terminate()?);
    Ok(())
}
