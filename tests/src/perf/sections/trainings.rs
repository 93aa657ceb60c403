//! A thousand training sessions side by side on four hosts, and what they cost the daemon.

use std::{collections::BTreeSet, process::Command, time::Instant};

use anyhow::{Context as _, Result, ensure};
use ktrdr_proto::v1::{StartTrainingRequest, StrategyFile, training_client::TrainingClient};
use serde_json::Value;

use crate::{
    cli::words,
    daemon::TestDaemon,
    home::Home,
    perf::{
        Run,
        figure::ms,
        machine::{MIB, memory},
        report::Row,
        timing::{Subject, interleave},
    },
    training_sim::TrainingSim,
    wait,
};

const HOSTS: u32 = 4;
const SESSIONS: usize = 1_000;
const FEW: usize = 10;
/// Of an epoch: the sessions run for five of them.
const EPOCH_MS: u64 = 12_000;
/// How long the traffic is looked at.
const WINDOW_SECONDS: u32 = 20;
const POLLS_MAX: f64 = 2.0;
const RESIDENT_MAX: f64 = 100.0;
const LIST_MAX: f64 = 1.2;

const STRATEGY: &str = "name: bench\nversion: \"2.0\"\nscope: universal\n\
training_data: {symbols: {mode: single, symbol: EURUSD}, timeframes: {mode: single, timeframe: 1h}}\n\
deployment: {target_symbols: {mode: training_only}}\nindicators: [{name: rsi}]\n\
fuzzy_sets: {rsi: {low: {type: triangular, parameters: [0, 15, 40]}}}\n\
model: {type: mlp, training: {epochs: 5, batch_size: 64}}\ndecisions: {output_format: classification}\n";

/// A daemon with so many sessions running.
struct Busy {
    daemon: TestDaemon,
    sims: Vec<TrainingSim>,
    entered: f64,
    all_running: f64,
}

fn busy(sessions: usize) -> Result<Busy> {
    let slots = sessions.div_ceil(usize::try_from(HOSTS)?);
    let flags = format!("--generation e --slots {slots} --epoch-ms {EPOCH_MS}");
    let sims: Vec<TrainingSim> = (0..HOSTS).map(|_| TrainingSim::start(&flags)).collect::<Result<_>>()?;
    let hosts: Vec<String> =
        sims.iter().enumerate().map(|(at, sim)| format!("{};slots={slots}", sim.host(&format!("gpu{at}")))).collect();
    let mut home = Home::new()?.quiet();
    home.set("KTRDR_IB_ENABLED", "false");
    home.set("KTRDR_TRAINING_HOSTS", hosts.join(","));
    home.file("bench.yaml", STRATEGY)?;
    let daemon = TestDaemon::start_in(home)?;
    let begun = Instant::now();
    start(&daemon, sessions)?;
    let entered = begun.elapsed().as_secs_f64();
    wait::until_true("all sessions", wait::LIMIT * 2, || {
        let list = daemon.ktrdr("operations list -s running -l 1000 -f json")?.json()?;
        Ok(list["total"].as_u64() == Some(sessions as u64))
    })?;
    Ok(Busy { daemon, sims, entered, all_running: begun.elapsed().as_secs_f64() })
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

pub(super) fn measure(run: &Run) -> Result<Vec<Row>> {
    let (few, mut many) = (busy(FEW)?, busy(SESSIONS)?);
    let (lists, all) = (many.count("GET /training/sessions")?, many.all_requests()?);
    std::thread::sleep(std::time::Duration::from_secs(WINDOW_SECONDS.into()));
    let per_host = |before: u64, after: u64| -> Result<f64> {
        Ok(f64::from(u32::try_from(after - before)?) / f64::from(WINDOW_SECONDS * HOSTS))
    };
    let lists = per_host(lists, many.count("GET /training/sessions")?)?;
    let all = per_host(all, many.all_requests()?)?;

    let mut subjects = [Subject::process("many", || many.list()), Subject::process("few", || few.list())];
    interleave(&mut subjects, run.rounds.div_ceil(3))?;
    let [of_many, of_few] = &subjects;
    let (list, list_here) = (of_many.to(of_few)?, ms(of_many.median()));
    drop(subjects);
    let services = many.daemon.ktrdr("services list -f json")?.json()?["services"].clone();
    let services = services.as_array().cloned().unwrap_or_default();
    let opened: u64 = services.iter().filter_map(|one| one["pool"]["opened"].as_u64()).sum();
    let requests: u64 = services.iter().filter_map(|one| one["requests"].as_u64()).sum();
    let resident = memory(many.daemon.process().id(), "VmRSS")?;
    let entered = format!("entered {}, all running {}", ms(many.entered), ms(many.all_running));
    let rows = vec![
        Row::counted("polls a second and host", lists, "").at_most(POLLS_MAX).here(entered),
        Row::counted("requests of any kind a second and host", all, ""),
        Row::counted("resident set", resident / MIB, "MiB").at_most(RESIDENT_MAX),
        Row::ratio("`operations list -l 10`", "with ten sessions", list).at_most(LIST_MAX).here(list_here),
        Row::counted("connections opened", f64::from(u32::try_from(opened)?), "").here(format!("{requests} requests")),
    ];
    many.finish()?;
    few.finish()?;
    Ok(rows)
}
