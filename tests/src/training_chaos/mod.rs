//! The chaos run of trainings: a real daemon and simulated services of several generations, while every route fails in
//! every way, services restart, and the daemon is killed now and then. At the end each training that was acknowledged
//! must be there, started once, and in a state that is true.
//!
//! `verdict` compares what the daemon says with what the services saw; `outcome` is the table.

mod outcome;
mod verdict;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use fastrand::Rng;
use serde_json::Value;

pub use outcome::Outcome;

use crate::{daemon::TestDaemon, home::Home, training_sim::TrainingSim, wait};

/// What strikes a route; `late` and the slow ones take half a second.
const KINDS: [&str; 27] = [
    "reset",
    "reset-after",
    "eof-after",
    "hang",
    "hang-after",
    "late",
    "slow-headers",
    "slow-body",
    "cut-body",
    "too-large",
    "lying-length",
    "html",
    "not-json",
    "wrong-shape",
    "empty",
    "e400",
    "e404-plain",
    "e422",
    "e500",
    "e500-not-found",
    "e502",
    "e503-retry",
    "e504",
    "redirect",
    "conflict",
    "busy",
    "executed-500",
];
/// Where; starts above all.
const ROUTES: [&str; 11] =
    ["start", "start", "start", "list", "list", "status", "stop", "delete", "operation", "result", "operations"];
/// Name, flags and slots of the services.
const HOSTS: [(&str, &str, u32); 4] = [
    ("seed", "--generation a --slots 3 --epoch-ms 120", 3),
    ("second", "--generation b --slots 2 --epoch-ms 120", 2),
    ("head", "--generation e --slots 3 --epoch-ms 120", 3),
    ("worker", "--generation worker --epoch-ms 120", 3),
];
/// Trainings that wait or run at once.
const ACTIVE: usize = 14;
/// Time-outs are so many times shorter than for real services.
const HURRY: &str = "20";
/// After the last fault, everything must have ended within this.
const FINISH_MAX: Duration = Duration::from_mins(3);

const STRATEGY: &str = "name: chaos\nversion: \"2.0\"\nscope: universal\n\
training_data: {symbols: {mode: single, symbol: EURUSD}, timeframes: {mode: single, timeframe: 1h}}\n\
deployment: {target_symbols: {mode: training_only}}\nindicators: [{name: rsi}]\n\
fuzzy_sets: {rsi: {low: {type: triangular, parameters: [0, 15, 40]}}}\n\
model: {type: mlp, training: {epochs: 4, batch_size: 64}}\ndecisions: {output_format: classification}\n";

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Of everything that is drawn.
    pub seed: u64,
    /// How long faults come.
    pub seconds: u64,
}

/// What the run shares with its verdict.
struct World {
    sims: Vec<(&'static str, TrainingSim)>,
    /// Acknowledged trainings, and whether somebody asked to stop them.
    trainings: BTreeMap<String, bool>,
    restarts: BTreeMap<&'static str, u64>,
    kills: u64,
    faults: BTreeMap<String, u64>,
}

/// Runs it; `tell` hears the faults and trainings so far.
pub fn run(options: Options, mut tell: impl FnMut(u64, usize)) -> Result<Outcome> {
    let mut rng = Rng::with_seed(options.seed);
    let sims =
        HOSTS.iter().map(|(name, flags, _)| Ok((*name, TrainingSim::start(flags)?))).collect::<Result<Vec<_>>>()?;
    let home = home(&sims)?;
    let mut daemon = TestDaemon::start_in(home)?;
    let mut world =
        World { sims, trainings: BTreeMap::new(), restarts: BTreeMap::new(), kills: 0, faults: BTreeMap::new() };
    let (begun, limit) = (Instant::now(), Duration::from_secs(options.seconds));
    while begun.elapsed() < limit {
        daemon = world.step(daemon, &mut rng)?;
        tell(world.faults.values().sum(), world.trainings.len());
    }
    for (_, sim) in &world.sims {
        sim.ask("DELETE", "/_sim/fault", None)?;
    }
    wait::until_true("the end of all trainings", FINISH_MAX, || Ok(active(&daemon)? == 0))?;
    verdict::judge(&world, &daemon, options.seed, begun.elapsed())
}

fn home(sims: &[(&'static str, TrainingSim)]) -> Result<Home> {
    let mut home = Home::new()?.quiet();
    let slots = |name: &str| HOSTS.iter().find(|(other, ..)| *other == name).map_or(1, |(_, _, slots)| *slots);
    let hosts: Vec<String> =
        sims.iter().map(|(name, sim)| format!("{};slots={}", sim.host(name), slots(name))).collect();
    home.set("KTRDR_IB_ENABLED", "false");
    home.set("KTRDR_TRAINING_HOSTS", hosts.join(","));
    home.set("KTRDR_TRAINING_POLL_MS", "50");
    home.set("KTRDR_TEST_TIME_SCALE", HURRY);
    home.file("chaos.yaml", STRATEGY)?;
    Ok(home)
}

/// Pending and running ones.
fn active(home: &Home) -> Result<usize> {
    let list = home.ktrdr("operations list --active -l 1000 -f json")?.json()?;
    Ok(list["operations"].as_array().map_or(0, Vec::len))
}

impl World {
    /// One thing that happens.
    fn step(&mut self, daemon: TestDaemon, rng: &mut Rng) -> Result<TestDaemon> {
        match rng.u32(0..100) {
            0 => return self.kill(daemon, rng),
            1 => self.restart(rng)?,
            2..=6 => self.stop_one(&daemon, rng)?,
            7..=40 => self.start_one(&daemon)?,
            _ => self.fault(rng)?,
        }
        Ok(daemon)
    }

    fn fault(&mut self, rng: &mut Rng) -> Result<()> {
        let (kind, route) = (KINDS[rng.usize(0..KINDS.len())], ROUTES[rng.usize(0..ROUTES.len())]);
        let (_, sim) = &self.sims[rng.usize(0..self.sims.len())];
        sim.fault(route, kind, rng.u32(1..3), 500)?;
        *self.faults.entry(kind.to_owned()).or_default() += 1;
        Ok(())
    }

    /// Forgets its sessions; now and then it accepts connections and says nothing meanwhile.
    fn restart(&mut self, rng: &mut Rng) -> Result<()> {
        let (name, sim) = &self.sims[rng.usize(0..self.sims.len())];
        sim.restart(if rng.bool() { 0 } else { 700 })?;
        *self.restarts.entry(name).or_default() += 1;
        *self.faults.entry("restart of a service".to_owned()).or_default() += 1;
        Ok(())
    }

    fn kill(&mut self, daemon: TestDaemon, rng: &mut Rng) -> Result<TestDaemon> {
        self.kills += 1;
        *self.faults.entry("daemon killed or stopped".to_owned()).or_default() += 1;
        let stopped = if rng.u32(0..4) == 0 { daemon.terminate()? } else { daemon.kill_9()? };
        stopped.start()
    }

    fn start_one(&mut self, home: &Home) -> Result<()> {
        if active(home)? >= ACTIVE {
            return Ok(());
        }
        let id = home.ktrdr("models train chaos.yaml --detach -q")?.ok()?.trim().to_owned();
        self.trainings.insert(id, false);
        Ok(())
    }

    /// Asks one that is under way to stop, and does not wait for it.
    fn stop_one(&mut self, home: &Home, rng: &mut Rng) -> Result<()> {
        let list = home.ktrdr("operations list --active -l 1000 -f json")?.json()?;
        let running = list["operations"].as_array().context("no list")?;
        let ids: Vec<&str> = running.iter().filter_map(|one: &Value| one["id"].as_str()).collect();
        let Some(id) = rng.choice(&ids) else { return Ok(()) };
        self.trainings.insert((*id).to_owned(), true);
        // the answer comes when it has ended; a daemon that is killed meanwhile gives none
        home.ktrdr(&format!("operations cancel {id} --timeout 2 -q"))?.allow_any();
        Ok(())
    }
}
