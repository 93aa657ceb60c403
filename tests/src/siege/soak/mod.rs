//! An hour of ordinary work: loads, deletions, queries, live bars, trainings, and peers that are restarted now and then. The daemon is not;
//! its memory and its descriptors stay flat.
//!
//! - `clients` are those that the chaos run does not have.
//! - `peers` restarts what the daemon talks to.
//! - `curve` is what was measured, and whether it is flat.

mod clients;
mod curve;
mod peers;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

use super::{
    Outcome, chart,
    kills::trainings::{Trainings, train_until_over},
    vitals::Vitals,
};
use crate::{
    chaos::{calls::Clients, market::Market, visitors, watchers, world::World},
    daemon::TestDaemon,
    home::Home,
};
use curve::{Curve, Sample};
use peers::Peers;

/// Ten minutes of pacing are ten seconds.
const SCALE: u32 = 60;
const SYMBOLS: usize = 6;
const LOADERS: usize = 2;
const VISITORS: usize = 2;
const WATCHERS: usize = 4;
/// Between two looks at the daemon.
const LOOK: Duration = Duration::from_secs(5);
/// Looks in a run, at least.
const LOOKS_MIN: u32 = 20;

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Of everything that is drawn.
    pub seed: u64,
    /// How long.
    pub time: Duration,
    /// Where a chart is to be drawn.
    pub chart: Option<PathBuf>,
}

/// How it goes, for a line on the terminal.
#[derive(Debug, Clone, Copy)]
pub struct Glance {
    /// So far.
    pub elapsed: Duration,
    /// Resident bytes.
    pub memory: u64,
    /// Open ones.
    pub descriptors: u64,
    /// So far.
    pub calls: u64,
}

/// Runs it; `tell` hears how it goes at each look.
pub fn run(options: &Options, tell: impl FnMut(Glance)) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run_in(options, tell))
}

async fn run_in(options: &Options, mut tell: impl FnMut(Glance)) -> Result<Outcome> {
    let Options { seed, time, chart } = options;
    let folder = tempfile::Builder::new().prefix("ktrdr-prices-").tempdir_in("/tmp")?;
    let market = Market::draw(*seed, SYMBOLS);
    market.write(folder.path())?;
    let peers = Peers::start(folder.path(), *seed, *time)?;
    let mut daemon = TestDaemon::start_in(home(&peers)?)?;
    let pid = daemon.process().id();
    let world = Arc::new(World::new(daemon.socket(), market, *seed));
    let trainings = Arc::new(Trainings::default());

    let mut all = JoinSet::new();
    for number in 0..LOADERS {
        all.spawn(clients::load_until_over(world.clone(), number));
    }
    for number in 0..VISITORS {
        all.spawn(visitors::visit_until_over(world.clone(), number));
    }
    for number in 0..WATCHERS {
        all.spawn(watchers::watch_until_over(world.clone(), number));
    }
    all.spawn(clients::tidy_until_over(world.clone()));
    all.spawn(train_until_over(world.clone(), trainings.clone()));

    let began = tokio::time::Instant::now();
    let mut curve = Curve::default();
    let mut look = tokio::time::interval(LOOK.min(*time / LOOKS_MIN));
    let mut before = Vitals::of(pid)?;
    let peers = peers.restart_until_over(world.clone());
    while began.elapsed() < *time {
        look.tick().await;
        let (at, vitals) = (began.elapsed(), Vitals::of(pid)?);
        curve.add(Sample::between(before, vitals, at, curve.last()));
        before = vitals;
        let calls = world.tally().calls;
        tell(Glance { elapsed: at, memory: vitals.resident, descriptors: vitals.descriptors, calls });
    }
    world.finish();
    while let Some(ended) = all.join_next().await {
        ended.context("a client panicked")?;
    }
    let peers = tokio::task::spawn_blocking(move || peers.end()).await??;
    let live = watchers::look(&world, &Clients::new(&world)?).await;
    let operations = clients::operations(&world).await?;
    let verified = daemon.ktrdr("data verify -f json")?;
    tokio::task::spawn_blocking(move || daemon.terminate()).await??;

    let minutes = time.as_secs_f64() / 60.0;
    let again = format!("cargo siege soak --seed {seed} --minutes {minutes:.1}");
    let mut outcome = Outcome::new(format!("{minutes:.1} minutes of work, seed {seed}"), again);
    curve.judge(&mut outcome);
    outcome.number("operations", "Operations by the end", operations);
    outcome.number("trainings", "of them trainings", trainings.count() as u64);
    outcome.number("restarts", "Restarts of peers", peers.at.len() as u64);
    outcome.number("live", "Live bars told", live.told);
    outcome.must(live.wrong == 0, || format!("{} live bars are not what history says", live.wrong));
    outcome.must(verified.status == 0, || format!("data verify: {verified:?}"));
    let tally = world.tally();
    outcome.number("calls", "Calls", tally.calls);
    outcome.words("refusals", "Refused calls by reason", &words(&tally.errors));
    outcome.none("without_end", "Calls without an end", &tally.without_end);
    outcome.none("surprises", "Surprises", &tally.surprises);
    if let Some(path) = chart {
        let marks: Vec<f64> = peers.at.iter().map(|at| at.as_secs_f64() / 60.0).collect();
        std::fs::write(path, chart::svg(&curve.panels(), &marks, "orange: a peer is restarted"))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(outcome)
}

fn words(errors: &std::collections::BTreeMap<String, u64>) -> String {
    errors.iter().map(|(reason, count)| format!("{reason} {count}")).collect::<Vec<_>>().join(", ")
}

fn home(peers: &Peers) -> Result<Home> {
    let mut home = Home::new()?.quiet();
    home.set("KTRDR_IB_PORT", peers.gateway_port().to_string());
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    home.set("KTRDR_TRAINING_HOSTS", peers.hosts());
    Ok(home)
}
