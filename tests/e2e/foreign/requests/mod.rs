//! Callers that send anything, to every method of the contract: right requests, requests with fields changed, and bytes.

mod call;
mod change;
mod contract;
mod seeds;
mod tally;

use std::{env, fs, path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use ktrdr_foreign::mutation::Mutator;
use ktrdr_proto::v1::SetLogLevelRequest;
use ktrdr_tests::{daemon::TestDaemon, training_sim::TrainingSim, wait};
use prost_reflect::DynamicMessage;
use tokio::time::timeout;
use tonic::{Code, Status, transport::Channel};

use self::{
    call::Call,
    contract::{Method, methods},
    seeds::{Known, STORED, seeds},
    tally::{End, Tally},
};
use super::{END_MAX, Run, is_told, is_well};
use crate::{
    support::{detached, import, operation},
    training::{STRATEGY, home_with_hosts},
};

/// Any message of its kind is an order.
const STOPS: &str = "Daemon/Shutdown";
/// The folder of calls that broke something, and of the one that is tried again.
const TARGET: &str = "calls";
/// Streams that have nothing to say for as long as nothing happens.
const ENDLESS: [&str; 3] = ["Gateway/Watch", "MarketData/Subscribe", "Operations/Watch"];
/// How long one listens to them.
const LISTENS: Duration = Duration::from_millis(150);
/// What needs no gateway: all that is read, and some that is done.
const ANSWERED: [&str; 22] = [
    "Daemon/GetStatus",
    "Gateway/GetStatus",
    "Gateway/Watch",
    "HostServices/List",
    "Housekeeping/GetInfo",
    "Housekeeping/Verify",
    "MarketData/Check",
    "MarketData/Export",
    "MarketData/GetCalendar",
    "MarketData/GetRange",
    "MarketData/ListCalendars",
    "MarketData/ListSeries",
    "MarketData/PlanLoad",
    "MarketData/Query",
    "Operations/Get",
    "Operations/List",
    "Operations/Retry",
    "Operations/Watch",
    "Training/Get",
    "Training/GetModel",
    "Training/List",
    "Training/ListModels",
];

/// A daemon with some series, an import and a training that are over, and a change that can be undone.
fn prepared(sim: &TrainingSim) -> Result<(TestDaemon, Known)> {
    let daemon = TestDaemon::start_in(home_with_hosts(&sim.host("gpu"))?)?;
    import(&daemon, &STORED)?;
    let imports = daemon.ktrdr("operations list -f json")?.json()?;
    let import = imports["operations"][0]["id"].as_str().context("the import has no id")?.to_owned();
    daemon.ktrdr("data delete GOOGL -t 1d --start 2024-01-01 --yes")?.ok()?;
    // without a gateway
    let failed = detached(&daemon, "data load AAPL -t 1h --start 2024-01-01")?;
    let training = detached(&daemon, "models train demo.yaml")?;
    for (id, state) in [(&failed, "failed"), (&training, "completed")] {
        wait::until_true(
            &format!("{id} to be {state}"),
            wait::LIMIT,
            || Ok(operation(&daemon, id)?["state"] == state),
        )?;
    }
    Ok((daemon, Known { import, failed, training, strategy: STRATEGY.to_owned() }))
}

/// Of four calls, one is right, two have fields changed, one is anything.
fn drawn(rng: &mut Rng, method: &Method, seed: &[Vec<u8>], mutator: &Mutator<'_>) -> Call {
    let mut messages = seed.to_vec();
    let at = rng.usize(..messages.len().max(1));
    match (rng.u8(..4), messages.get_mut(at)) {
        (0, _) | (_, None) => {}
        (1, Some(message)) => mutator.mutate(rng, message),
        (_, Some(message)) => *message = change::fields(rng, &method.input, message),
    }
    if method.client_streaming && rng.u8(..4) == 0 {
        change::order(rng, &mut messages);
    }
    if !method.client_streaming && rng.u8(..20) == 0 {
        messages.extend_from_within(..);
    }
    Call { method: method.name.clone(), messages }
}

/// How a call ended; an error when it may not end so.
fn judged(method: &Method, ended: Option<Result<(), Status>>, answers: &[Vec<u8>]) -> Result<End> {
    for answer in answers {
        let answer = DynamicMessage::decode(method.output.clone(), answer.as_slice())?;
        ensure!(answer.unknown_fields().next().is_none(), "the contract does not have that: {answer:?}");
    }
    let Some(ended) = ended else {
        ensure!(ENDLESS.contains(&method.name.as_str()) && method.server_streaming, "it has no end");
        return Ok(if answers.is_empty() { End::Waited } else { End::Answered });
    };
    let Err(status) = ended else {
        ensure!(!answers.is_empty() || method.server_streaming, "it ended without an answer");
        return Ok(End::Answered);
    };
    let no_message = ["failed to decode Protobuf message", "Missing request message"];
    if status.code() == Code::Internal && no_message.iter().any(|words| status.message().starts_with(words)) {
        return Ok(End::Undecodable);
    }
    is_told(&status)?;
    // there is no gateway whose words could not be read
    ensure!(status.code() != Code::Internal, "{status:?}");
    Ok(End::Refused)
}

/// Makes the call and judges it; one that breaks something is kept.
async fn tried(channel: Channel, method: &Method, call: &Call) -> Result<End> {
    let limit = if ENDLESS.contains(&method.name.as_str()) { LISTENS } else { END_MAX };
    let mut answers = Vec::new();
    let ended = timeout(limit, call.made(channel, &mut answers)).await.ok();
    judged(method, ended, &answers).inspect_err(|why| {
        ktrdr_foreign::keep(TARGET, &call.to_bytes(), &format!("{}: {why:#}", method.name));
    })
}

/// A file of [`TARGET`], which the run was told to try.
fn kept() -> Option<Result<Vec<u8>>> {
    let path = env::var_os("KTRDR_FUZZ_INPUT")?;
    let own = Path::new(&path).parent().is_some_and(|folder| folder.ends_with(TARGET));
    own.then(|| Ok(fs::read(&path)?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_of_foreign_bytes_are_survived() -> Result<()> {
    let mut run = Run::new(6);
    let sim = TrainingSim::start("--epoch-ms 5")?;
    let (daemon, known) = prepared(&sim)?;
    let methods = methods()?;
    let channel = daemon.channel()?;
    if let Some(bytes) = kept() {
        let call = Call::from_bytes(&bytes?)?;
        let method = methods.iter().find(|method| method.name == call.method).context("no such method")?;
        let end = tried(channel, method, &call).await?;
        run.told(&format!("{}: {end:?}", call.method));
        return is_well(&daemon);
    }
    let (mut rng, mut tally, mut number) = (Rng::with_seed(run.seed), Tally::default(), 0);
    let words = [b"AAPL".to_vec(), b"EURUSD".to_vec()];
    // the first round are the right requests alone: whatever the others change, each was answered once
    let mut first = true;
    run.begins();
    while first || run.goes_on() {
        let mut calls = Vec::new();
        for method in methods.iter().filter(|method| method.name != STOPS) {
            number += 1;
            let seeds = seeds(&method.name, &known, number)?;
            let mutator = Mutator { others: &seeds.concat(), words: &words, longest: 1 << 16 };
            let seed = if first { seeds.first() } else { rng.choice(&seeds) }.context("a method without a seed")?;
            calls.push(if first {
                (method, Call { method: method.name.clone(), messages: seed.clone() })
            } else {
                (method, drawn(&mut rng, method, seed, &mutator))
            });
        }
        let ends = calls.iter().map(|(method, call)| tried(channel.clone(), method, call));
        for ((method, _), end) in calls.iter().zip(futures_util::future::join_all(ends).await) {
            tally.count(&method.name, end.with_context(|| method.name.clone())?);
        }
        daemon.daemon()?.set_log_level(SetLogLevelRequest { level: "info".into() }).await?;
        is_well(&daemon)?;
        first = false;
    }
    run.told(&format!("requests: {number} to {} methods\n{tally}", methods.len()));
    tally.reaches(methods.iter().map(|method| &*method.name).filter(|name| *name != STOPS), ANSWERED.into_iter())?;
    stops(daemon, &methods, channel).await
}

/// What is no message does not stop it, and what is one does.
async fn stops(daemon: TestDaemon, methods: &[Method], channel: Channel) -> Result<()> {
    let method = methods.iter().find(|method| method.name == STOPS).context("nothing stops it")?;
    let call = |message: &[u8]| Call { method: STOPS.to_owned(), messages: vec![message.to_vec()] };
    for broken in [&b"\x0a"[..], b"\x08", b"\xff\xff", b"\x07"] {
        let end = tried(channel.clone(), method, &call(broken)).await?;
        ensure!(end == End::Undecodable, "{} ended {end:?}", broken.escape_ascii());
    }
    is_well(&daemon)?;
    ensure!(tried(channel, method, &call(b"")).await? == End::Answered, "it does not say that it stops");
    let (status, _) = daemon.ended_within(wait::LIMIT)?;
    ensure!(status.success(), "the daemon stopped with {status}");
    Ok(())
}
