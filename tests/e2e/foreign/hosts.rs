//! Host services whose answers are nearly right, heads and all.

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
    support::{SCALE, gateway_is},
    training::home_with_hosts,
};

/// A service spoils one answer in so many.
const ONE_IN: u64 = 3;
/// Exit codes of commands that end because of somebody else.
const TOLD: [i32; 5] = [0, 1, 5, 6, 7];

/// It ends as it should, and says why.
fn is_told(daemon: &TestDaemon, line: &str) -> Result<bool> {
    let ran = daemon.ktrdr(&format!("{line} -f json --timeout 30"))?;
    let told: Value = serde_json::from_str(ran.stderr.lines().last().unwrap_or_default()).unwrap_or_default();
    let told = if told["error"].is_object() { told } else { ran.document().unwrap_or_default() };
    let reason = told["error"]["reason"].as_str().unwrap_or_default();
    let known = ktrdr_proto::reason::find(reason).is_some_and(|_| reason != "INTERNAL");
    ensure!(TOLD.contains(&ran.status) && (ran.status == 0 || known), "{line}: {ran:#?}");
    let message = told["error"]["message"].as_str().unwrap_or_default();
    ensure!(!message.chars().any(|c| c.is_control() && c != '\n'), "{line}: {ran:#?}");
    Ok(ran.status == 0)
}

#[test]
fn a_training_host_of_foreign_bytes_is_survived() -> Result<()> {
    let run = Run::new(6);
    let sim = TrainingSim::start("--epoch-ms 20")?;
    let between = Between::start(sim.port(), Pieces::AsTheyCome, ONE_IN, run.seed)?;
    let daemon = TestDaemon::start_in(home_with_hosts(&format!("gpu=http://127.0.0.1:{}", between.port()))?)?;
    let (mut asked, mut answered) = (0, 0);
    while run.goes_on() {
        for line in [
            "services check",
            "models train demo.yaml EURUSD 1h --detach",
            "models train demo.yaml EURUSD 1h --dry-run",
            "services list",
            "ops list",
        ] {
            asked += 1;
            answered += u64::from(is_told(&daemon, line)?);
        }
        is_well(&daemon)?;
    }
    let (spoilt, connections) = (between.spoilt(), between.connections());
    run.told(&format!(
        "training: {asked} commands, {answered} done; {spoilt} answers spoilt, {connections} connections"
    ));
    ensure!(spoilt > 5 && answered > 0, "the run reaches what it is about");
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
    let run = Run::new(6);
    let sim = IbHostSim::start(&format!("--time-scale {SCALE}"))?;
    let between = Between::start(sim.port(), Pieces::AsTheyCome, ONE_IN, run.seed)?;
    let mut home = Home::new()?;
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    home.set("KTRDR_IB_HOST_SERVICE", format!("http://127.0.0.1:{}", between.port()));
    let daemon = TestDaemon::start_in(home)?;
    let (mut asked, mut answered) = (0_u32, 0);
    while run.goes_on() {
        let month = asked % 12 + 1;
        for line in [
            format!("data load AAPL -t 1h --start 2024-{month:02}-01 --end 2024-{month:02}-20"),
            format!("data load EURUSD -t 1d --start 2023-{month:02}-01 --end 2023-{month:02}-20"),
            "data validate MSFT --refresh".to_owned(),
            "ib test".to_owned(),
        ] {
            asked += 1;
            answered += u64::from(is_told(&daemon, &line)?);
        }
        is_well(&daemon)?;
    }
    let (spoilt, connections) = (between.spoilt(), between.connections());
    run.told(&format!(
        "IB host: {asked} commands, {answered} done; {spoilt} answers spoilt, {connections} connections"
    ));
    ensure!(spoilt > 5 && answered > 0, "the run reaches what it is about");
    between.be_honest();
    gateway_is(&daemon, "ready")?;
    let document = daemon.ktrdr("data load MSFT -t 1h --start 2024-01-02 --end 2024-02-01 -f json")?.json()?;
    ensure!(document["status"] == "completed", "{document}");
    is_well(&daemon)?;
    drop(daemon.terminate()?);
    Ok(())
}
