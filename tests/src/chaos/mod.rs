//! The chaos run: a real daemon and a real simulated gateway while clients load, watch, ask and cancel, faults come at
//! random and the daemon is killed now and then. At the end everything must be there, and nobody must have been kept
//! waiting for ever.
//!
//! - `market` makes the prices, so that it is known what must be stored.
//! - `world` is what the clients share: the work, and what became of it.
//! - `loads`, `visitors` and `watchers` are the clients.
//! - `lives` keeps a daemon running, and kills it.
//! - `verdict` looks at what is stored.
//! - `outcome` is the result: the table, the document, and whether it is good.
//!
//! The clients and the market are those of the siege, too.

pub(crate) mod calls;
mod lives;
pub(crate) mod loads;
pub(crate) mod market;
pub(crate) mod outcome;
mod recovery;
pub(crate) mod verdict;
pub(crate) mod visitors;
pub(crate) mod watchers;
pub(crate) mod world;

use std::{fmt::Write as _, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

pub use outcome::Outcome;

use crate::{daemon::home_with, gateway_sim::GatewaySim, sessions::last_session_at};
use lives::Lives;
use market::Market;
use world::World;

/// Simulated seconds per real second: ten minutes of pacing are ten seconds.
const SCALE: u32 = 60;
/// Simulated: with [`SCALE`], so many in a second.
const FAULTS_A_MINUTE: u32 = 5;
/// Market seconds per real second: a bar of a minute a second, in a session of the past, of which history can be asked.
const MARKET_SPEED: u32 = 60;
/// New York's first hour in summer is 08:00 UTC: ten hours from then on are within one session of everything watched.
const MARKET_OPENS: i8 = 9;
/// Clients that load.
const LOADERS: usize = 6;
/// Clients that look at things.
const VISITORS: usize = 4;
/// Clients that watch live bars.
const WATCHERS: usize = 4;
/// After the last fault, all work must be done within this. Longer than any deadline and pause at this scale.
const FINISH_MAX: Duration = Duration::from_mins(3);

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Of everything that is drawn: prices, faults, kills, what clients do.
    pub seed: u64,
    /// How long faults come.
    pub seconds: u64,
}

/// How it goes, for a line on the terminal.
#[derive(Debug, Clone, Copy)]
pub struct Glance {
    /// Of the work, in pieces.
    pub done: usize,
    /// All of it.
    pub total: usize,
    /// Faults so far.
    pub faults: u64,
    /// Kills so far.
    pub kills: u64,
}

/// Runs it; `tell` hears how it goes, about once a second.
pub fn run(options: Options, tell: impl FnMut(Glance)) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run_in(options, tell))
}

/// About as many as can be loaded in the time.
fn symbols(seconds: u64) -> usize {
    usize::try_from(seconds / 25).unwrap_or(1).clamp(2, 40)
}

async fn run_in(options: Options, mut tell: impl FnMut(Glance)) -> Result<Outcome> {
    let folder = tempfile::Builder::new().prefix("ktrdr-prices-").tempdir_in("/tmp")?;
    let market = Market::draw(options.seed, symbols(options.seconds));
    market.write(folder.path())?;
    let Options { seed, seconds } = options;
    let mut flags = format!("--replay {} --time-scale {SCALE} --answer-delay-ms 3000", folder.path().display());
    write!(flags, " --chaos {FAULTS_A_MINUTE} --chaos-for {} --seed {seed}", seconds * u64::from(SCALE))?;
    let began = last_session_at(MARKET_OPENS);
    write!(flags, " --always-open --market-speed {MARKET_SPEED} --now {began}")?;
    let sim = GatewaySim::start(&flags)?;
    let mut home = home_with(&sim)?.quiet();
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    let world = Arc::new(World::new(home.socket(), market, seed));
    let lives = Lives::begin(home, Arc::clone(&world), seed, Duration::from_secs(seconds))?;

    let mut loaders = JoinSet::new();
    for number in 0..LOADERS {
        loaders.spawn(loads::load_until_done(Arc::clone(&world), number));
    }
    let mut visitors = JoinSet::new();
    for number in 0..VISITORS {
        visitors.spawn(visitors::visit_until_over(Arc::clone(&world), number));
    }
    for number in 0..WATCHERS {
        visitors.spawn(watchers::watch_until_over(Arc::clone(&world), number));
    }
    visitors.spawn(recovery::watch(Arc::clone(&world)));

    let faults_over = tokio::time::Instant::now() + Duration::from_secs(seconds);
    let limit = faults_over + FINISH_MAX;
    let mut second = tokio::time::interval(Duration::from_secs(1));
    while !loaders.is_empty() && tokio::time::Instant::now() < limit {
        tokio::select! {
            Some(ended) = loaders.join_next() => ended.context("a client panicked")?,
            _ = second.tick() => tell(world.glance(sim.faults())),
        }
    }
    tokio::time::sleep_until(faults_over).await;
    loaders.abort_all();
    world.finish();
    while let Some(ended) = visitors.join_next().await {
        ended.context("a client panicked")?;
    }
    let survivor = tokio::task::spawn_blocking(move || lives.end()).await??;
    // before the verdict, which reads all there is at once
    let idle = survivor.last.status()?;
    let verdict = verdict::look(&world).await?;
    tokio::task::spawn_blocking(move || survivor.last.terminate()).await??;
    let report = sim.report_unjudged()?;
    Ok(Outcome::new(options, &world, &verdict, &report, survivor.memory_start, idle.memory_bytes))
}
