//! Bars on disk: written and read beside pyarrow, checked, and looked at through the command line.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use ktrdr_proto::v1::{
    LoadManyRequest, LoadMode, PlanLoadRequest, SeriesId, TimeRange, Timeframe, market_data_client::MarketDataClient,
};

use crate::{
    cli::words,
    daemon::TestDaemon,
    home::Home,
    perf::{
        Run,
        figure::{Figure, ms},
        references::{Worker, python, python_worker},
        report::Row,
        timing::{Subject, interleave, timed},
    },
};

const WRITE_MAX: f64 = 1.2;
const READ_MAX: f64 = 1.0;
const TAIL_MAX: f64 = 1.5;
/// The rules cost no more than the reading.
const CHECK_MAX: f64 = 2.0;
const PLAN_MAX_MS: f64 = 10.0;
const ROWS: u32 = 1_000_000;
const MANY: u32 = 5_000_000;
const FEW: u32 = 5_000;
const HOLES: u64 = 10_000;
/// The planner's twenty years.
const YEARS: (i64, i64) = (1_136_073_600, 1_767_225_600);

pub(super) fn measure(run: &Run) -> Result<Vec<Row>> {
    let home = Home::new()?.quiet();
    let mut bench = Worker::start(home.command(&run.shipped.bars_bench()))?;
    let mut rows = match python() {
        Ok(python) => beside_pyarrow(run, &home, &mut bench, python_worker(&home, &python)?)?,
        Err(why) => vec![Row::skipped("against pyarrow", format!("no pyarrow: {why}"))],
    };
    let data = home.data();
    for (symbol, count) in [("MANY", MANY), ("FEW", FEW)] {
        bench.seconds(&format!("fill {} {symbol} {count}", data.display()))?;
    }
    bench.seconds(&format!("holes {} HOLES {HOLES}", data.display()))?;
    let read_all = format!("read-all {} MANY", data.display());
    let reads: Vec<f64> = (0..5).map(|_| bench.seconds(&read_all)).collect::<Result<_>>()?;
    drop(bench);

    let daemon = TestDaemon::start_in(home)?;
    let checks: Vec<f64> = (0..5)
        .map(|_| Ok(timed(daemon.ktrdr_command(words("data check MANY -t 1m"))?)?.as_secs_f64()))
        .collect::<Result<_>>()?;
    let here = |samples: &[f64]| Ok::<_, anyhow::Error>(ms(Figure::median(samples)?.value));
    rows.push(
        Row::ratio("`data check` of 5,000,000 bars", "reading them", Figure::ratio(&checks, &reads)?)
            .at_most(CHECK_MAX)
            .here(format!("{}, reading {}", here(&checks)?, here(&reads)?)),
    );
    rows.push(tail(run, &daemon)?);
    rows.push(plan(&daemon)?);
    Ok(rows)
}

fn beside_pyarrow(run: &Run, home: &Home, bench: &mut Worker, mut peer: Worker) -> Result<Vec<Row>> {
    let folder = home.path().join("beside");
    let out = folder.join("pyarrow");
    fs::create_dir_all(&out)?;
    let data = folder.join("data");
    bench.seconds(&format!("fill {} AAPL {ROWS}", data.display()))?;
    peer.seconds(&format!("tables {}", data.join("bars").display()))?;
    let (file, year) = last_year(&data.join("bars"))?;
    let mut pair = |ours: String, theirs: String, rounds| -> Result<(Figure, String)> {
        let mut subjects =
            [Subject::new("ours", || bench.seconds(&ours)), Subject::new("pyarrow", || peer.seconds(&theirs))];
        interleave(&mut subjects, rounds)?;
        let [ours, theirs] = &subjects;
        Ok((ours.to(theirs)?, format!("{}, pyarrow {}", ms(ours.median()), ms(theirs.median()))))
    };
    let (write, write_here) =
        pair(format!("write {ROWS}"), format!("write {}", out.display()), run.rounds.div_ceil(10))?;
    let (read, read_here) = pair(
        format!("read {} AAPL {year}", data.display()),
        format!("read {}", file.display()),
        run.rounds.div_ceil(2),
    )?;
    Ok(vec![
        Row::ratio("writing 1,000,000 bars, durably, with checksums", "pyarrow, no sync", write)
            .at_most(WRITE_MAX)
            .here(write_here),
        Row::ratio("reading a year of minutes, with its checksum", "pyarrow, one thread", read)
            .at_most(READ_MAX)
            .here(read_here),
    ])
}

fn last_year(bars: &std::path::Path) -> Result<(PathBuf, String)> {
    let mut years: Vec<PathBuf> =
        fs::read_dir(bars.join("symbol=AAPL/timeframe=1m"))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    years.sort();
    let last = years.pop().context("no year was filled")?;
    let year = last.file_name().and_then(|name| name.to_str()?.strip_prefix("year=")).context("no year")?.to_owned();
    Ok((last.join("bars.parquet"), year))
}

fn tail(run: &Run, daemon: &TestDaemon) -> Result<Row> {
    let of = |symbol: &'static str| move || daemon.ktrdr_command(words(&format!("data show {symbol} -t 1m --tail 20")));
    let mut subjects = [Subject::process("many", of("MANY")), Subject::process("few", of("FEW"))];
    interleave(&mut subjects, run.rounds)?;
    let [many, few] = &subjects;
    let row = Row::ratio("`data show --tail 20` of 5,000,000 bars", "of 5,000 bars", many.to(few)?);
    Ok(row.at_most(TAIL_MAX).here(ms(many.median())))
}

/// Over the wire, so with what it takes to send 10,000 ranges.
fn plan(daemon: &TestDaemon) -> Result<Row> {
    const TIMES: usize = 15;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let nanos = |seconds: i64| Some(seconds * 1_000_000_000);
    let request = PlanLoadRequest {
        load: Some(LoadManyRequest {
            series: vec![SeriesId { symbol: "HOLES".into(), timeframe: Timeframe::Minutes1.into() }],
            mode: LoadMode::Full.into(),
            range: Some(TimeRange { start_ns: nanos(YEARS.0), end_ns: nanos(YEARS.1) }),
            ..LoadManyRequest::default()
        }),
    };
    let took = runtime.block_on(async {
        let mut client: MarketDataClient<_> = daemon.market_data()?;
        let mut took = Vec::new();
        for _ in 0..TIMES {
            let begun = std::time::Instant::now();
            let answer = client.plan_load(request.clone()).await?.into_inner();
            took.push(begun.elapsed().as_secs_f64() * 1e3);
            let planned = answer.series.first().context("nothing was planned")?;
            anyhow::ensure!(planned.missing.len() > 1_000, "{} ranges are missing", planned.missing.len());
        }
        Ok::<_, anyhow::Error>(took)
    })?;
    let what = "planning twenty years of minutes with 10,000 holes, as a call";
    Ok(Row::figure(what, Figure::median(&took)?, "ms").at_most(PLAN_MAX_MS))
}
