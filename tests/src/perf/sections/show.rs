//! Bars as text: whole commands, against Python's own writer of CSV; and how much memory a command takes.

use std::{path::PathBuf, process::Command};

use anyhow::{Context as _, Result};

use crate::{
    cli::words,
    cost,
    daemon::TestDaemon,
    home::Home,
    perf::{
        Run,
        figure::ms,
        machine::MIB,
        references::python_worker,
        report::Row,
        timing::{Subject, interleave},
    },
};

const ROWS: u32 = 500_000;
const OF_PYTHON_MAX: f64 = 0.4;
/// Of the memory for ten times the bars.
const CONSTANT: f64 = 1.1;

pub(super) fn measure(run: &Run) -> Result<Vec<Row>> {
    let daemon = TestDaemon::start_in(Home::new()?.quiet())?;
    super::stream::import_million(&daemon)?;
    let program = match run.shipped.static_cli() {
        Ok(program) => program,
        Err(why) => return Ok(vec![Row::skipped("the static one", why)]),
    };
    let shown = |rows: u32| {
        let mut command = daemon.command(&program);
        command.args(words(&format!("data show MILL -t 1m --rows {rows} -f csv")));
        command
    };
    Ok(vec![beside_python(run, &daemon, &shown)?, constant(&shown)?])
}

fn beside_python(run: &Run, home: &Home, shown: &dyn Fn(u32) -> Command) -> Result<Row> {
    let what = "`data show -f csv` of 500,000 bars";
    let mut peer = match python_worker(home, &PathBuf::from("python3")) {
        Ok(peer) => peer,
        Err(error) => return Ok(Row::skipped(what, format!("no Python: {error:#}"))),
    };
    peer.seconds(&format!("rows {ROWS}"))?;
    let mut subjects =
        [Subject::process("ours", || Ok(shown(ROWS))), Subject::new("python", move || peer.seconds("csv /dev/null"))];
    interleave(&mut subjects, run.rounds.div_ceil(10))?;
    let [ours, python] = &subjects;
    let here = format!("{}, Python {}", ms(ours.median()), ms(python.median()));
    Ok(Row::ratio(what, "Python's csv.writer, rows in memory", ours.to(python)?).at_most(OF_PYTHON_MAX).here(here))
}

fn constant(shown: &dyn Fn(u32) -> Command) -> Result<Row> {
    let what = "memory of `data show` of 1,000,000 bars";
    let peak = |rows: u32| -> Result<Option<f64>> {
        cost::peak(&shown(rows))?.map(|bytes| u32::try_from(bytes).map(f64::from)).transpose().context("too much")
    };
    let (Some(million), Some(tenth)) = (peak(1_000_000)?, peak(100_000)?) else {
        return Ok(Row::skipped(what, "no GNU time: apt-get install time"));
    };
    let figure = crate::perf::figure::Figure::exact(million / tenth);
    let here = format!("{} MiB", crate::perf::figure::number(million / MIB));
    Ok(Row::ratio(what, "of 100,000 bars", figure).at_most(CONSTANT).here(here))
}
