//! `kill -9` at random moments, a thousand times, while clients load, import, train, watch and ask; a small service manager starts the
//! next daemon at once. What was acknowledged is there at the end, and nobody has had to clean up.
//!
//! - `lives` kills and starts.
//! - `imports` and `trainings` are clients; those that load, look and watch are the chaos run's.
//! - `verdict` looks at what is left.

mod imports;
mod lives;
pub(super) mod trainings;
mod verdict;

use std::{fmt::Write as _, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

use super::Outcome;
use crate::{
    chaos::{loads, market::Market, visitors, watchers, world::World},
    daemon::home_with,
    gateway_sim::GatewaySim,
    home::Home,
    sessions::last_session_at,
    training_sim::TrainingSim,
};
use imports::Imports;
use lives::Lives;
use trainings::Trainings;

/// Ten minutes of pacing are ten seconds.
const SCALE: u32 = 60;
/// A market whose session lasts longer than the run.
const MARKET_OPENS: i8 = 9;
const SESSION_SECONDS: u64 = 10 * 3_600;
/// A round at the most, on a busy machine, to size the market by.
const ROUND_SECONDS: u64 = 2;
/// Rounds in which the loads of a symbol are done, about.
const ROUNDS_A_SYMBOL: u64 = 6;
const LOADERS: usize = 4;
const VISITORS: usize = 3;
const WATCHERS: usize = 2;
const IMPORTERS: usize = 2;
const HOSTS: [&str; 2] = ["one", "two"];
const HOST_FLAGS: &str = "--generation e --slots 3 --epoch-ms 60";

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Of everything that is drawn.
    pub seed: u64,
    /// Kills.
    pub rounds: u64,
}

/// How it goes, for a line on the terminal.
#[derive(Debug, Clone, Copy)]
pub struct Glance {
    /// Kills so far.
    pub kills: u64,
    /// Acknowledged so far.
    pub loads: usize,
    /// Acknowledged so far.
    pub imports: usize,
    /// Acknowledged so far.
    pub trainings: usize,
}

/// Runs it; `tell` hears how it goes, about once a second.
pub fn run(options: Options, tell: impl FnMut(Glance)) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run_in(options, tell))
}

async fn run_in(options: Options, mut tell: impl FnMut(Glance)) -> Result<Outcome> {
    let Options { seed, rounds } = options;
    let folder = tempfile::Builder::new().prefix("ktrdr-prices-").tempdir_in("/tmp")?;
    let market = Market::draw(seed, usize::try_from((rounds / ROUNDS_A_SYMBOL).clamp(4, 400))?);
    market.write(folder.path())?;
    let mut flags =
        format!("--replay {} --time-scale {SCALE} --answer-delay-ms 1200 --always-open", folder.path().display());
    let (speed, began) =
        (SESSION_SECONDS / (rounds * ROUND_SECONDS).clamp(600, SESSION_SECONDS), last_session_at(MARKET_OPENS));
    write!(flags, " --market-speed {speed} --now {began} --seed {seed}")?;
    let sim = GatewaySim::start(&flags)?;
    let hosts: Vec<TrainingSim> = HOSTS.iter().map(|_| TrainingSim::start(HOST_FLAGS)).collect::<Result<_>>()?;
    let home = home(&sim, &hosts)?;
    let world = Arc::new(World::new(home.socket(), market, seed));
    let (imports, trainings) = (Arc::new(Imports::default()), Arc::new(Trainings::default()));
    let lives = Lives::begin(home, world.clone(), seed, rounds)?;

    let mut loaders = JoinSet::new();
    for number in 0..LOADERS {
        loaders.spawn(loads::load_until_done(world.clone(), number));
    }
    let mut others = JoinSet::new();
    for number in 0..VISITORS {
        others.spawn(visitors::visit_until_over(world.clone(), number));
    }
    for number in 0..WATCHERS {
        others.spawn(watchers::watch_until_over(world.clone(), number));
    }
    for number in 0..IMPORTERS {
        others.spawn(imports::import_until_over(world.clone(), imports.clone(), lives.home(), number));
    }
    others.spawn(trainings::train_until_over(world.clone(), trainings.clone()));

    let mut second = tokio::time::interval(Duration::from_secs(1));
    while !lives.are_over() {
        second.tick().await;
        let loads = world.tally().done.len();
        tell(Glance { kills: lives.kills(), loads, imports: imports.count(), trainings: trainings.count() });
    }
    loaders.abort_all();
    world.finish();
    while let Some(ended) = others.join_next().await {
        ended.context("a client panicked")?;
    }
    let ended = tokio::task::spawn_blocking(move || lives.end()).await??;
    verdict::look(options, &world, &imports, &trainings, ended, sim, &hosts).await
}

fn home(sim: &GatewaySim, hosts: &[TrainingSim]) -> Result<Home> {
    let mut home = home_with(sim)?.quiet();
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    let named = HOSTS.iter().zip(hosts).map(|(name, host)| format!("{};slots=3", host.host(name)));
    home.set("KTRDR_TRAINING_HOSTS", named.collect::<Vec<_>>().join(","));
    home.set("KTRDR_TRAINING_POLL_MS", "50");
    Ok(home)
}
