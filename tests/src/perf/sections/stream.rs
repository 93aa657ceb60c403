//! A million bars through the socket, by one client, of the daemon and of bare tonic; and what streams cost in memory.

use std::{fmt::Write as _, path::Path, process::Stdio};

use anyhow::{Context as _, Result, ensure};
use ktrdr_proto::v1::{QueryRequest, SeriesId, Timeframe};

use super::calls::{Bare, client, started};
use crate::{
    daemon::TestDaemon,
    home::Home,
    perf::{
        Run,
        figure::{Figure, ms},
        machine::{MIB, forget_peak, memory},
        report::Row,
        table::rate,
        timing::{Subject, interleave},
    },
    process::Process,
};

const BARS: u32 = 1_000_000;
/// Six columns of eight bytes.
const MEGABYTES: f64 = 48.0;
const CHUNK_MIB: f64 = 0.25;
/// Wanted of bare tonic's speed, by columns as our own client has them, and typed ones.
const KEPT_MIN: f64 = 1.5;
const TYPED_MIN: f64 = 0.9;
/// Bars that no cache holds, in times of those that it does.
const COLD_MAX: f64 = 2.5;
/// Of memory, a client.
const CHUNKS_MAX: f64 = 10.0;
const READERS: u32 = 10;

/// `MILL 1m`: a million minutes. How many that are.
pub(super) fn import_million(home: &Home) -> Result<u32> {
    home.file("MILL_1m.csv", million()?)?;
    home.ktrdr("data import MILL_1m.csv -f json")?.ok()?;
    Ok(BARS)
}

/// As a file; neighbouring prices differ.
fn million() -> Result<String> {
    let mut text = String::with_capacity(64 << 20);
    text.push_str("timestamp,open,high,low,close,volume\n");
    let first = jiff::Timestamp::from_second(1_640_995_200)?; // 2022-01-01
    for at in 0..u64::from(BARS) {
        let cents = 10_000 + (at * 7_919) % 10_007;
        let (whole, rest) = (cents / 100, cents % 100);
        let minute = first + jiff::SignedDuration::from_mins(i64::try_from(at)?);
        writeln!(text, "{minute},{whole}.{rest:02},{whole}.99,{whole}.0,{whole}.5,{}", at % 9_973)?;
    }
    Ok(text)
}

/// Seconds of one stream.
fn streamed(run: &Run, home: &Home, socket: &Path, from: &str) -> Result<f64> {
    let (rows, times) = (BARS.to_string(), "3");
    let document = client(run, home, &[&"bars", &socket, &from, &"MILL", &rows, &times])?;
    let took: Vec<f64> =
        document["took"].as_array().context("no times")?.iter().filter_map(serde_json::Value::as_f64).collect();
    Ok(Figure::median(&took)?.value)
}

pub(super) fn measure(run: &Run) -> Result<Vec<Row>> {
    let mut hot = TestDaemon::start_in(Home::new()?.quiet())?;
    import_million(&hot)?;
    let mut home = Home::new()?.quiet();
    home.set("KTRDR_DATA_CACHE_MIB", "0");
    let cold = TestDaemon::start_in(home)?;
    import_million(&cold)?;
    let bare = Bare::start(run, &hot)?;
    let (hot_socket, cold_socket) = (hot.socket(), cold.socket());
    let mut subjects = vec![
        Subject::new("bare", || streamed(run, &hot, &bare.socket, "bare")),
        Subject::new("kept", || streamed(run, &hot, &hot_socket, "kept")),
        Subject::new("typed", || streamed(run, &hot, &hot_socket, "typed")),
        Subject::new("cold", || streamed(run, &hot, &cold_socket, "kept")),
    ];
    interleave(&mut subjects, run.rounds.div_ceil(8))?;
    let [bare_times, kept, typed, cold_times] = subjects.as_slice() else { unreachable!("four were measured") };
    let speed = |subject: &Subject<'_>| rate(MEGABYTES / subject.median(), "MB");
    let of_bare = |what: &str, subject: &Subject<'_>| -> Result<Row> {
        // how many times as fast: the times the other way round
        let here = format!("{}, bare {}", speed(subject), speed(bare_times));
        Ok(Row::ratio(what, "bare tonic, typed columns, speed", bare_times.to(subject)?).here(here))
    };
    let mut rows = vec![
        of_bare("into our own client", kept)?.at_least(KEPT_MIN),
        of_bare("into a client with typed columns", typed)?.at_least(TYPED_MIN),
        Row::ratio("from Parquet, nothing cached", "the same from the cache, time", cold_times.to(kept)?)
            .at_most(COLD_MAX)
            .here(ms(cold_times.median())),
    ];
    drop(subjects);
    rows.push(memory_of_readers(run, &mut hot)?);
    Ok(rows)
}

/// Ten clients that read, and one that does not.
fn memory_of_readers(run: &Run, daemon: &mut TestDaemon) -> Result<Row> {
    let pid = daemon.process().id();
    let before = memory(pid, "VmRSS")?;
    forget_peak(pid)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let _held = runtime.block_on(async {
        let series = Some(SeriesId { symbol: "MILL".into(), timeframe: Timeframe::Minutes1.into() });
        daemon
            .market_data()?
            .query(QueryRequest { series, ..QueryRequest::default() })
            .await
            .context("the silent client")
    })?;
    let rows = BARS.to_string();
    let readers: Result<Vec<Process>> = (0..READERS)
        .map(|_| {
            let mut command = started(run, daemon, &[&"bars", &daemon.socket(), &"kept", &"MILL", &rows, &"3"]);
            command.stdout(Stdio::null());
            Process::start(command)
        })
        .collect();
    for mut reader in readers? {
        let status = reader.ended_within(crate::wait::LIMIT)?;
        ensure!(status.success(), "a reader: {status}");
    }
    let grown = (memory(pid, "VmHWM")? - before).max(0.0) / MIB;
    let most = CHUNKS_MAX * CHUNK_MIB * f64::from(READERS + 1);
    Ok(Row::counted("memory for ten clients that read and one that does not", grown, "MiB").at_most(most))
}
