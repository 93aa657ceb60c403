//! Unary calls in a closed loop, by one client, of the daemon and of bare tonic: calls a second, and how late the latest are.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{
    daemon::{TestDaemon, home_with},
    data_folder,
    gateway_sim::GatewaySim,
    home::Home,
    perf::{
        Run,
        figure::{Figure, ms},
        report::Row,
        table::rate,
        timing::{Subject, interleave},
    },
    process::Process,
    wait,
};

/// Connections and calls in flight over all of them, and how much of bare tonic's rate is wanted.
const LOADS: [(u32, u32, f64); 3] = [(1, 1, 0.9), (1, 8, 0.7), (8, 64, 0.7)];
/// Answered with a page of text: its reference is an answer as large.
const LIST: &str = "operations";
/// What is called, by its name at the client.
const CALLS: [(&str, &str); 3] =
    [("status", "`Daemon.GetStatus`"), (LIST, "`Operations.List`, 10"), ("range", "`MarketData.GetRange`")];
/// Of one window. Short: in the real-time class a long one meets the kernel's throttle.
const WINDOW_MS: u32 = 300;
/// Operations that are listed.
const OPERATIONS: usize = 10;
/// How much later the latest hundredth may be answered while the daemon works.
const LATER_MAX: f64 = 5.0;

/// The bare server.
pub(super) struct Bare {
    pub(super) socket: PathBuf,
    _server: Process,
}

impl Bare {
    pub(super) fn start(run: &Run, home: &Home) -> Result<Self> {
        let socket = home.path().join("bare.sock");
        let mut command = home.command(&run.shipped.bare());
        command.arg("serve").arg(&socket);
        let server = Process::start(command)?;
        wait::until_true("the bare server", wait::LIMIT, || Ok(socket.exists()))?;
        Ok(Self { socket, _server: server })
    }
}

/// What the client says after it has ended.
pub(super) fn client(run: &Run, home: &Home, words: &[&dyn AsRef<std::ffi::OsStr>]) -> Result<Value> {
    let mut command = started(run, home, words);
    let output = command.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{command:?}: {}", output.status);
    Ok(serde_json::from_slice(&output.stdout)?)
}

pub(super) fn started(run: &Run, home: &Home, words: &[&dyn AsRef<std::ffi::OsStr>]) -> Command {
    let mut command = home.command(&run.shipped.bare());
    command.args(words.iter().map(AsRef::as_ref));
    command
}

fn window(run: &Run, home: &Home, socket: &Path, call: &str, (connections, in_flight): (u32, u32)) -> Result<Value> {
    let [connections, in_flight, lasts] = [connections, in_flight, WINDOW_MS].map(|number| number.to_string());
    client(run, home, &[&"calls", &socket, &call, &connections, &in_flight, &lasts])
}

fn number(document: &Value, key: &str) -> Result<f64> {
    document[key].as_f64().with_context(|| format!("no {key} in {document}"))
}

fn per_second(run: &Run, home: &Home, socket: &Path, call: &str, load: (u32, u32)) -> Result<f64> {
    let outcome = window(run, home, socket, call, load)?;
    Ok(number(&outcome, "calls")? / number(&outcome, "took")?)
}

/// A daemon with one series and ten operations.
pub(super) fn with_operations(home: Home) -> Result<TestDaemon> {
    let daemon = TestDaemon::start_in(home)?;
    let file = data_folder().join("AAPL_1d.csv");
    for _ in 0..OPERATIONS {
        daemon.ktrdr_args(["data".as_ref(), "import".as_ref(), file.as_os_str()])?.ok()?;
    }
    Ok(daemon)
}

pub(super) fn measure(run: &Run) -> Result<Vec<Row>> {
    let daemon = with_operations(Home::new()?.quiet())?;
    let bare = Bare::start(run, &daemon)?;
    let socket = daemon.socket();
    // to send a page of text costs more than to send an echo's 64 bytes
    let size = number(&window(run, &daemon, &socket, LIST, (1, 1))?, "bytes")?;
    let page = format!("page:{size}");
    let mut rows = Vec::new();
    for (connections, in_flight, least) in LOADS {
        let load = (connections, in_flight);
        let mut subjects = vec![
            Subject::new("echo", || per_second(run, &daemon, &bare.socket, "echo", load)),
            Subject::new("page", || per_second(run, &daemon, &bare.socket, &page, load)),
        ];
        for (call, name) in CALLS {
            let (daemon, socket) = (&daemon, &socket);
            subjects.push(Subject::new(name, move || per_second(run, daemon, socket, call, load)));
        }
        interleave(&mut subjects, run.rounds.div_ceil(10))?;
        for ((call, _), subject) in CALLS.iter().zip(&subjects[2..]) {
            let (bare, against) = if *call == LIST {
                (&subjects[1], "bare tonic, an answer as large, calls a second")
            } else {
                (&subjects[0], "bare tonic, calls a second")
            };
            let what = format!("{}, {connections} × {in_flight}", subject.name);
            let here = format!("{}, bare {}", rate(subject.median(), "calls"), rate(bare.median(), "calls"));
            rows.push(Row::ratio(what, against, subject.to(bare)?).at_least(least).here(here));
        }
    }
    rows.push(while_it_works(run)?);
    Ok(rows)
}

/// The latest hundredth of calls while a load and a query of many bars go on, against the same at rest.
fn while_it_works(run: &Run) -> Result<Row> {
    const SCALE: u32 = 600;
    const LOAD: (u32, u32) = (8, 8);
    let sim = GatewaySim::start(&format!("--time-scale {SCALE}"))?;
    let mut home = home_with(&sim)?.quiet();
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    let daemon = TestDaemon::start_in(home)?;
    let million = super::stream::import_million(&daemon)?;
    wait::until_true("the gateway", wait::LIMIT, || Ok(daemon.ktrdr("ib test")?.status == 0))?;
    let p99 = || number(&window(run, &daemon, &daemon.socket(), "status", LOAD)?, "p99");
    let rounds = run.rounds.div_ceil(10);
    let at_rest: Vec<f64> = (0..rounds).map(|_| p99()).collect::<Result<_>>()?;
    let load = daemon.ktrdr("data load MSFT -t 1m --start 2020-01-01 --end 2024-12-31 --detach")?.ok()?;
    let (rows, many) = (million.to_string(), "1000000");
    let mut queries = started(run, &daemon, &[&"bars", &daemon.socket(), &"kept", &"MILL", &rows, &many]);
    queries.stdout(Stdio::null());
    let mut queries = Process::start(queries)?;
    let at_work: Vec<f64> = (0..rounds).map(|_| p99()).collect::<Result<_>>()?;
    ensure!(queries.ended()?.is_none(), "the queries ended before the calls did");
    queries.kill()?;
    let state = daemon.ktrdr(&format!("operations status {} -f json", load.trim()))?.json()?["state"].clone();
    ensure!(state == "running", "the load is {state}");
    let figure = Figure::ratio(&at_work, &at_rest)?;
    let here = format!("{}, at rest {}", ms(middle(&at_work)), ms(middle(&at_rest)));
    let row =
        Row::ratio("latest 1 % at 8 × 8, while a load and a query of 1,000,000 bars go on", "the same at rest", figure);
    Ok(row.at_most(LATER_MAX).here(here))
}

fn middle(samples: &[f64]) -> f64 {
    crate::perf::figure::median(samples.iter().copied())
}
