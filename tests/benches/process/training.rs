//! A thousand training sessions side by side on four hosts, and what they cost the daemon.

use std::{
    collections::BTreeSet,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use ktrdr_proto::v1::{StartTrainingRequest, StrategyFile, training_client::TrainingClient};
use ktrdr_tests::{cli::words, daemon::TestDaemon, home::Home, training_sim::TrainingSim, wait};
use serde_json::Value;

use crate::{
    clients::timed,
    daemon::figure,
    sample::{Chance, median, mib, ms, ratio},
};

const HOSTS: usize = 4;
const SESSIONS: usize = 1_000;
const FEW: usize = 10;
/// Of an epoch: the sessions run for five of them.
const EPOCH_MS: u64 = 12_000;
/// How long the traffic is looked at.
const WINDOW: Duration = Duration::from_secs(20);
const ROUNDS: usize = 60;

const STRATEGY: &str = "name: bench\nversion: \"2.0\"\nscope: universal\n\
training_data: {symbols: {mode: single, symbol: EURUSD}, timeframes: {mode: single, timeframe: 1h}}\n\
deployment: {target_symbols: {mode: training_only}}\nindicators: [{name: rsi}]\n\
fuzzy_sets: {rsi: {low: {type: triangular, parameters: [0, 15, 40]}}}\n\
model: {type: mlp, training: {epochs: 5, batch_size: 64}}\ndecisions: {output_format: classification}\n";

/// A daemon with so many sessions running.
struct Busy {
    daemon: TestDaemon,
    sims: Vec<TrainingSim>,
    entered: Duration,
    all_running: Duration,
}

fn busy(sessions: usize) -> Result<Busy> {
    let slots = sessions.div_ceil(HOSTS);
    let flags = format!("--generation e --slots {slots} --epoch-ms {EPOCH_MS}");
    let sims: Vec<TrainingSim> = (0..HOSTS).map(|_| TrainingSim::start(&flags)).collect::<Result<_>>()?;
    let hosts: Vec<String> =
        sims.iter().enumerate().map(|(at, sim)| format!("{};slots={slots}", sim.host(&format!("gpu{at}")))).collect();
    let mut home = Home::new()?.quiet();
    home.set("KTRDR_IB_ENABLED", "false");
    home.set("KTRDR_TRAINING_HOSTS", hosts.join(","));
    home.file("bench.yaml", STRATEGY)?;
    let daemon = TestDaemon::start_in(home)?;
    let started = Instant::now();
    start(&daemon, sessions)?;
    let entered = started.elapsed();
    wait::until_true("all sessions", wait::LIMIT * 2, || {
        let list = daemon.ktrdr("operations list -s running -l 1000 -f json")?.json()?;
        Ok(list["total"].as_u64() == Some(sessions as u64))
    })?;
    Ok(Busy { daemon, sims, entered, all_running: started.elapsed() })
}

/// Sixteen at a time, over one connection.
fn start(daemon: &TestDaemon, sessions: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = TrainingClient::new(daemon.channel()?);
        let mut under_way = tokio::task::JoinSet::new();
        for number in 0..sessions {
            if under_way.len() >= 16 {
                under_way.join_next().await.context("none")???;
            }
            let mut client = client.clone();
            under_way.spawn(async move {
                let strategy = Some(StrategyFile { label: "bench.yaml".into(), content: STRATEGY.into() });
                let request_id = format!("bench-{number}");
                let request = StartTrainingRequest { request_id, strategy, ..StartTrainingRequest::default() };
                client.start(request).await.map(drop)
            });
        }
        while let Some(one) = under_way.join_next().await {
            one??;
        }
        Ok(())
    })
}

impl Busy {
    fn count(&self, route: &str) -> Result<u64> {
        self.sims.iter().map(|sim| sim.requests(route)).sum()
    }

    fn all_requests(&self) -> Result<u64> {
        let sum = |report: Value| {
            report["requests"].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum::<u64>()
        };
        self.sims.iter().map(|sim| Ok(sum(sim.report()?))).sum()
    }

    fn list(&self) -> Result<Command> {
        // as many rows for both
        self.daemon.ktrdr_command(words("operations list -l 10"))
    }

    /// Each was started once, and all came to their end.
    fn finish(self) -> Result<()> {
        wait::until_true("the end", wait::LIMIT * 6, || {
            Ok(self.daemon.ktrdr("operations list --active -f json")?.json()?["total"] == 0)
        })?;
        let mut ids = BTreeSet::new();
        for sim in &self.sims {
            let report = sim.report()?;
            for (id, count) in report["starts"].as_object().context("no starts")? {
                ensure!(count == 1 && ids.insert(id.clone()), "{id} was started {count} times");
            }
        }
        let list = self.daemon.ktrdr("operations list -s completed -l 1000 -f json")?.json()?;
        ensure!(list["total"].as_u64() == Some(ids.len() as u64), "{} of {}", list["total"], ids.len());
        Ok(())
    }
}

pub(crate) fn measure() -> Result<()> {
    let (few, mut many) = (busy(FEW)?, busy(SESSIONS)?);
    let (lists, all) = (many.count("GET /training/sessions")?, many.all_requests()?);
    std::thread::sleep(WINDOW);
    let window = WINDOW.as_secs_f64() * f64::from(u32::try_from(HOSTS)?);
    let per_host = |before: u64, after: u64| -> Result<String> {
        Ok(format!("{:.2}", f64::from(u32::try_from(after - before)?) / window))
    };
    let lists = per_host(lists, many.count("GET /training/sessions")?)?;
    let all = per_host(all, many.all_requests()?)?;

    let (mut of_few, mut of_many, mut chance) = (Vec::new(), Vec::new(), Chance::new());
    for round in 0..ROUNDS + 5 {
        let mut order = [false, true];
        chance.shuffle(&mut order);
        for of_thousand in order {
            let took = timed(if of_thousand { many.list()? } else { few.list()? })?;
            // the first rounds fill the caches
            if round >= 5 {
                if of_thousand { &mut of_many } else { &mut of_few }.push(took);
            }
        }
    }
    let services = many.daemon.ktrdr("services list -f json")?.json()?["services"].clone();
    let sum =
        |key: &str| services.as_array().into_iter().flatten().filter_map(|one| one["pool"][key].as_u64()).sum::<u64>();
    let requests: u64 = services.as_array().into_iter().flatten().filter_map(|one| one["requests"].as_u64()).sum();
    let resident = figure(many.daemon.process().id(), "VmRSS").context("no figure")?;
    println!("\n{:<40} {:>14}   wanted", format!("{SESSIONS} sessions on {HOSTS} hosts"), "");
    println!("{:<40} {:>14}", "entered, all of them", ms(many.entered));
    println!("{:<40} {:>14}", "running, all of them", ms(many.all_running));
    println!("{:<40} {lists:>14}   ≤ 2", "polls a second and host");
    println!("{:<40} {all:>14}", "requests of any kind a second and host");
    println!("{:<40} {:>14}   < 100 MiB", "daemon's resident set", mib(resident));
    println!("{:<40} {:>14}   ≤ 1.2", "operations list -l 10, against ten", ratio(&of_many, &of_few).to_string());
    println!("{:<40} {:>14}", "the same, median", ms(median(&of_many)));
    println!("{:<40} {:>14}", "connections opened", sum("opened"));
    println!("{:<40} {requests:>14}", "for so many requests");
    many.finish()?;
    few.finish()
}
