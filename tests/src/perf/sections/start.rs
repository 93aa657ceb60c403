//! How long the daemon takes to be of use, against a C program that only listens.

use std::{
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use ktrdr_proto::v1::{
    GetDaemonStatusRequest, LoadMode, LoadRequest, SeriesId, Timeframe, daemon_client::DaemonClient,
    market_data_client::MarketDataClient,
};
use rustix::process::Signal;

use crate::{
    daemon::{TestDaemon, channel, spawn},
    home::Home,
    perf::{
        Run,
        figure::ms,
        machine::{MIB, memory},
        references::Floor,
        report::Row,
        timing::{Subject, interleave},
    },
    wait,
};

const EMPTY_MAX: f64 = 10.0;
const FULL_MAX: f64 = 15.0;
const SERIES: usize = 1_000;
const OPERATIONS: usize = 10_000;
/// Between two looks at a socket: much less than what is measured.
const LOOK: Duration = Duration::from_micros(20);

pub(super) fn measure(run: &Run) -> Result<Vec<Row>> {
    let empty = Home::new()?.quiet();
    let (full, resident) = full()?;
    let floor = Floor::build(&empty)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut subjects = vec![
        Subject::new("floor", || of_floor(&floor, &empty)),
        Subject::new("empty", || of_daemon(&empty, &runtime)),
        Subject::new("full", || of_daemon(&full, &runtime)),
    ];
    interleave(&mut subjects, run.rounds.div_ceil(5))?;
    let [echo, of_empty, of_full] = subjects.as_slice() else { unreachable!("three were measured") };
    let row = |what: String, subject: &Subject<'_>| -> Result<Row> {
        let here = format!("{}, the C server {}", ms(subject.median()), ms(echo.median()));
        Ok(Row::ratio(what, "the C echo server", subject.to(echo)?).here(here))
    };
    Ok(vec![
        row("an empty store".into(), of_empty)?.at_most(EMPTY_MAX),
        row(format!("{SERIES} series and {OPERATIONS} operations in the ledger"), of_full)?.at_most(FULL_MAX),
        Row::counted("resident then", resident / MIB, "MiB"),
    ])
}

/// When somebody listens.
fn connected(socket: &Path) -> Result<UnixStream> {
    let begun = Instant::now();
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => return Ok(stream),
            Err(error) => ensure!(begun.elapsed() < wait::LIMIT, "{}: {error}", socket.display()),
        }
        std::thread::sleep(LOOK);
    }
}

fn of_floor(floor: &Floor, home: &Home) -> Result<f64> {
    let socket = home.path().join("floor.sock");
    fs::remove_file(&socket).unwrap_or_default();
    let begun = Instant::now();
    let _server = floor.serve(home, &socket)?;
    let mut stream = connected(&socket)?;
    let mut message = [7; 64];
    stream.write_all(&message)?;
    stream.read_exact(&mut message)?;
    Ok(begun.elapsed().as_secs_f64())
}

fn of_daemon(home: &Home, runtime: &tokio::runtime::Runtime) -> Result<f64> {
    let socket = home.socket();
    let begun = Instant::now();
    let mut daemon = spawn(home)?;
    drop(connected(&socket)?);
    let answer = runtime.block_on(async {
        let mut client = DaemonClient::new(channel(&socket)?);
        client.get_status(GetDaemonStatusRequest {}).await.context("the first call")
    });
    let took = begun.elapsed().as_secs_f64();
    drop(answer?);
    daemon.signal(Signal::TERM)?;
    let status = daemon.ended_within(wait::LIMIT)?;
    ensure!(status.success(), "the daemon ended with {status}");
    Ok(took)
}

/// A home whose ledger was filled by a daemon: imports, and many loads that only look. And how large the daemon was then, started
/// again.
fn full() -> Result<(Home, f64)> {
    let daemon = TestDaemon::start_in(Home::new()?.quiet())?;
    let mut files = Vec::new();
    for number in 0..SERIES {
        let mut text = String::from("timestamp,open,high,low,close,volume\n");
        for day in 10..30 {
            writeln!(text, "2024-01-{day},10.0,11.0,9.0,10.5,{}", 1_000 + number)?;
        }
        files.push(daemon.file(&format!("{}_1d.csv", symbol(number)), text)?);
    }
    for some in files.chunks(100) {
        let words = ["data", "import"].map(std::ffi::OsString::from);
        daemon.ktrdr_args(words.into_iter().chain(some.iter().map(|file| file.clone().into_os_string())))?.ok()?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(looks(&daemon, OPERATIONS - files.len().div_ceil(100)))?;
    let total = daemon.ktrdr("operations list -l 1 -f json")?.json()?["total"].clone();
    ensure!(total.as_u64() == Some(OPERATIONS as u64), "{total} operations");
    let mut daemon = daemon.restart()?;
    let resident = memory(daemon.process().id(), "VmRSS")?;
    Ok((daemon.terminate()?.into_home(), resident))
}

fn symbol(number: usize) -> String {
    let letter = |number: usize| char::from(b'A' + u8::try_from(number % 26).unwrap_or(0));
    ['P', letter(number / 676), letter(number / 26), letter(number)].iter().collect()
}

/// Loads that fetch nothing, sixteen at a time; each is an operation with all that belongs to one.
async fn looks(daemon: &TestDaemon, count: usize) -> Result<()> {
    let client = MarketDataClient::new(daemon.channel()?);
    let mut under_way = tokio::task::JoinSet::new();
    for number in 0..count {
        if under_way.len() >= 16 {
            under_way.join_next().await.context("none")???;
        }
        let mut client = client.clone();
        under_way.spawn(async move {
            let series = Some(SeriesId { symbol: symbol(number % SERIES), timeframe: Timeframe::Days1.into() });
            let request = LoadRequest {
                request_id: format!("look-{number}"),
                series,
                mode: LoadMode::Local.into(),
                ..LoadRequest::default()
            };
            client.load(request).await.map(drop)
        });
    }
    while let Some(one) = under_way.join_next().await {
        one??;
    }
    wait::until_true("the end of all loads", wait::LIMIT, || Ok(daemon.status()?.operations_running == 0))
}
