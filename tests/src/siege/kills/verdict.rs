//! What is left after the last kill, held against what was acknowledged.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use ktrdr_proto::v1::{GetOperationRequest, OperationState};

use super::{Options, imports::Imports, lives::Lived, trainings::Trainings};
use crate::{
    chaos::{calls::Clients, outcome::is_of_a_death, verdict, visitors, world::World},
    gateway_sim::GatewaySim,
    siege::Outcome,
    training_sim::TrainingSim,
    wait,
};

/// After the last kill, everything has ended within this.
const ENDS_MAX: Duration = Duration::from_mins(2);

pub(super) async fn look(
    options: Options,
    world: &World,
    imports: &Imports,
    trainings: &Trainings,
    mut lived: Lived,
    sim: GatewaySim,
    hosts: &[TrainingSim],
) -> Result<Outcome> {
    let Options { seed, rounds } = options;
    let again = format!("cargo siege kills --seed {seed} --rounds {rounds}");
    let mut outcome = Outcome::new(format!("{rounds} × kill -9 under load, seed {seed}"), again);
    outcome.number("kills", "Killed", lived.kills);
    outcome.number("kills_at_birth", "of them before the first answer", lived.at_birth);
    outcome.times("ready", "From exec to the first answer", &lived.ready);
    bars(&mut outcome, world).await?;
    imported(&mut outcome, world, imports.take()).await?;
    operations(&mut outcome, world, &trainings.ids(), hosts).await?;
    {
        let tally = world.tally();
        outcome.number("calls", "Calls", tally.calls);
        outcome.none("without_end", "Calls without an end", &tally.without_end);
        outcome.none("surprises", "Surprises", &tally.surprises);
    }

    let home = lived.last.home().clone();
    let verified = home.ktrdr("data verify -f json")?;
    outcome.must(verified.status == 0, || format!("data verify: {verified:?}"));
    lived.last.process().signal(rustix::process::Signal::TERM)?;
    let ended = lived.last.process().ended_within(wait::LIMIT)?;
    outcome.must(ended.success(), || format!("the last stop: {ended}"));
    outcome.none("left_behind", "Files that need a hand", &stray(&home.data())?);
    let log = fs::read_to_string(home.daemon_log())?;
    let errors: Vec<String> = log.lines().filter(|line| line.contains(" ERROR ")).map(str::to_owned).collect();
    outcome.none("log_errors", "Errors in the daemon's log", &errors);

    let report = sim.report_unjudged()?;
    let violations = report.document()["violations"].as_array().cloned().unwrap_or_default();
    let killed = world.tally().killed.clone();
    let broken = violations.iter().filter(|violation| !is_of_a_death(violation, &killed));
    outcome.none("rules_broken", "Rules of the gateway broken", &broken.map(ToString::to_string).collect::<Vec<_>>());
    Ok(outcome)
}

/// Loads, and what was told live.
async fn bars(outcome: &mut Outcome, world: &World) -> Result<()> {
    let verdict = verdict::look(world).await?;
    let acknowledged = |done: &crate::chaos::market::Piece| {
        world.market.series[done.series].bars.range(done.start..done.end).count() as u64
    };
    let (loads, bars) = {
        let tally = world.tally();
        (tally.done.len() as u64, tally.done.iter().map(acknowledged).sum())
    };
    outcome.number("loads", "Loads acknowledged", loads);
    outcome.number("loads_bars", "their bars", bars);
    outcome.none("bars_lost", "of them lost", &verdict.examples);
    outcome.number("bars_wrong", "bars that are not the gateway's", verdict.wrong);
    outcome.must(verdict.lost == 0, || format!("{} bars of loads were lost", verdict.lost));
    outcome.must(verdict.wrong == 0, || format!("{} bars are wrong", verdict.wrong));
    outcome.number("live", "Live bars told", verdict.live.told);
    outcome.number("live_wrong", "of them not what history says", verdict.live.wrong);
    outcome.must(verdict.live.wrong == 0, || format!("{} live bars are wrong", verdict.live.wrong));
    Ok(())
}

/// Each is there as a whole, or, when it was not acknowledged, not at all.
async fn imported(
    outcome: &mut Outcome,
    world: &World,
    tried: Vec<(crate::chaos::market::Series, bool)>,
) -> Result<()> {
    let clients = Clients::new(world)?;
    let (mut lost, mut halves, mut unknown, mut bars) = (Vec::new(), Vec::new(), 0, 0);
    for (series, acknowledged) in &tried {
        let parts = match visitors::bars(&clients, series, None).await {
            Ok(parts) => parts,
            Err(status) if status.code() == tonic::Code::NotFound => Vec::new(),
            Err(status) => {
                lost.push(format!("{}: {status:?}", series.name()));
                continue;
            }
        };
        let rows: usize = parts.iter().map(|part| part.start_ns().count()).sum();
        let is_whole = rows == series.bars.len() && visitors::differences(series, &parts).is_empty();
        match (acknowledged, is_whole) {
            (true, true) => bars += rows as u64,
            (true, false) => lost.push(format!("{}: {rows} of {} bars", series.name(), series.bars.len())),
            (false, true) => unknown += 1,
            (false, false) if rows == 0 => {}
            (false, false) => halves.push(format!("{}: {rows} of {} bars", series.name(), series.bars.len())),
        }
    }
    let acknowledged = tried.iter().filter(|(_, acknowledged)| *acknowledged).count();
    outcome.number("imports", "Imports acknowledged", acknowledged as u64);
    outcome.number("imports_bars", "their bars", bars);
    outcome.none("imports_lost", "of them lost", &lost);
    outcome.number("imports_cut", "cut off by a kill", (tried.len() - acknowledged) as u64);
    outcome.number("imports_cut_done", "of them there as a whole", unknown);
    outcome.none("imports_half", "of them there in part", &halves);
    Ok(())
}

/// Each is known, and what was told of its end is still so. A training has completed, and was started once.
async fn operations(outcome: &mut Outcome, world: &World, trainings: &[String], hosts: &[TrainingSim]) -> Result<()> {
    let mut clients = Clients::new(world)?;
    let told = world.tally().operations.clone();
    let (mut lost, mut untrue) = (Vec::new(), Vec::new());
    for (id, end) in &told {
        match state(&mut clients, id).await {
            Err(status) => lost.push(format!("{id}: {}", status.message())),
            Ok(state) if end.is_some_and(|end| end != state) => {
                untrue.push(format!("{id} was {end:?} and is {state:?}"));
            }
            Ok(_) => {}
        }
    }
    let deadline = Instant::now() + ENDS_MAX;
    let mut once = 0;
    for id in trainings {
        let state = loop {
            match state(&mut clients, id).await {
                Ok(OperationState::Pending | OperationState::Running) if Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                answer => break answer,
            }
        };
        let starts = hosts.iter().map(|host| host.starts(id)).sum::<Result<u64>>()?;
        match state {
            Ok(OperationState::Completed) if starts == 1 => once += 1,
            Ok(state) => untrue.push(format!("{id} is {state:?}, started {starts} times")),
            Err(status) => lost.push(format!("{id}: {}", status.message())),
        }
    }
    outcome.number("operations", "Operations acknowledged", (told.len() + trainings.len()) as u64);
    outcome.none("operations_lost", "of them lost", &lost);
    outcome.none("operations_untrue", "in a state that is not so", &untrue);
    outcome.number("trainings", "Trainings acknowledged", trainings.len() as u64);
    outcome.number("trainings_once", "of them started once, and completed", once);
    Ok(())
}

async fn state(clients: &mut Clients, id: &str) -> Result<OperationState, tonic::Status> {
    let answer = clients.operations.get(GetOperationRequest { id: id.to_owned() }).await?.into_inner();
    Ok(answer.operation.map(|operation| operation.state()).unwrap_or_default())
}

/// The ledger, with what SQLite has beside it while it is open, and the lock.
const KNOWN: [&str; 5] = ["ktrdr.sqlite", "ktrdr.sqlite-wal", "ktrdr.sqlite-shm", "ktrdr.sqlite.seal", "daemon.lock"];

/// Whatever lies in the data folder after an orderly stop, and is neither bars nor ledger.
fn stray(data: &Path) -> Result<Vec<String>> {
    let (mut folders, mut found) = (vec![data.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.strip_prefix(data).context("below it")?.to_string_lossy().into_owned();
            let known =
                KNOWN.contains(&name.as_str()) || (name.starts_with("bars/symbol=") && name.ends_with("/bars.parquet"));
            if path.is_dir() {
                folders.push(path);
            } else if !known {
                found.push(name);
            }
        }
    }
    Ok(found)
}
