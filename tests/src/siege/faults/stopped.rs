//! A daemon that stands still for a while: a laptop that sleeps, a debugger, a paused machine.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Frozen, Seen, as_it_must, completes};
use crate::{
    daemon::{TestDaemon, home_with},
    gateway_sim::GatewaySim,
    steps::{detached, import, steps_done, stored_text},
    wait,
};

const SCALE: u32 = 60;
const LOAD: &str = "data load AAPL -t 1m --start 2025-01-06 --end 2025-03-28";

pub(super) fn stopped(time: Duration) -> Result<Seen> {
    let sim = GatewaySim::start("--time-scale 60 --answer-delay-ms 6000")?;
    let mut home = home_with(&sim)?.quiet();
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    let mut daemon = TestDaemon::start_in(home)?;
    import(&daemon, &["GOOGL_1d.csv"])?.ok()?;
    let before = stored_text(&daemon, "GOOGL")?;
    let id = detached(&daemon, LOAD)?;
    steps_done(&daemon, &id, 2)?;
    let watch = daemon.ktrdr_started(&format!("operations watch {id} -f json"))?;
    // so long that it has the first answer: one that never had any is told that there is none
    steps_done(&daemon, &id, 6)?;

    let commands: Vec<_> = ["data list", "data load MSFT -t 1d --detach", "daemon status", "ib status"]
        .iter()
        .map(|line| daemon.ktrdr_command(crate::cli::words(&format!("{line} --timeout 2 -f json"))))
        .collect::<Result<_>>()?;
    let began = Instant::now();
    let frozen = Frozen::new(daemon.process())?;
    for mut command in commands {
        let ran = crate::cli::Ran::from(command.output()?);
        ran.fails(6, "TIMED_OUT")?;
    }
    std::thread::sleep(time.saturating_sub(began.elapsed()));
    frozen.thaw()?;

    let thawed = Instant::now();
    daemon.ktrdr("data list --timeout 10")?.ok()?;
    let answered = thawed.elapsed();
    completes(&daemon, &id)?;
    let watched = watch.ended()?;
    ensure!(watched.status == 0, "a watcher goes on: {watched:?}");
    ensure!(stored_text(&daemon, "GOOGL")? == before, "what was stored is stored");
    wait::until_true(
        "the gateway",
        wait::LIMIT,
        || Ok(daemon.ktrdr("ib status -f json")?.json()?["state"] == "ready"),
    )?;
    daemon.terminate()?;
    let connections = sim.report()?.connections();
    ensure!(connections <= 2, "{connections} connections to the gateway");
    Ok(as_it_must(format!(
        "{} s: TIMED_OUT (exit 6) meanwhile, an answer {:.0} ms after it, the load went on, {connections} connections to the gateway",
        time.as_secs(),
        answered.as_secs_f64() * 1e3
    )))
}
