//! `cargo perf`: everything that was promised of speed, memory and size, measured against things that are timed in the same run, and
//! held against its budget.
//!
//! Machines differ and are noisy, so a figure is a ratio: both sides interleaved and in random order, medians, a 95 % interval by
//! bootstrap over the rounds. Where it may, the run is in the real-time class, in which what else the machine does hardly counts.
//!
//! - `sections` are the parts of the table: what is measured, and what was promised.
//! - `shipped` builds the programs, `references` starts what they are compared with.
//! - `timing` and `figure` measure; `report` judges.
//! - `table` and `record` write: for a terminal, and into `docs/PERFORMANCE.md`.

mod command;
mod figure;
mod machine;
mod record;
mod references;
mod report;
mod sections;
mod shipped;
mod table;
mod timing;

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};

pub use command::main;

use report::{Part, Report, Row};
use sections::{ALL, Section};
use shipped::{Need, Shipped};

/// Of whole processes; longer things take their share of them.
const ROUNDS: usize = 200;
/// The programs are built already, and are in this folder.
const PROGRAMS: &str = "KTRDR_PERF_PROGRAMS";

/// What is wanted.
#[derive(Debug, Clone)]
struct Options {
    /// Names of parts; empty: all.
    only: Vec<String>,
    /// See [`ROUNDS`].
    rounds: usize,
    /// How the Python command line is started, if it is there.
    old_cli: Option<Vec<String>>,
}

/// What the parts of the table are measured with.
struct Run {
    shipped: Shipped,
    rounds: usize,
    old_cli: Option<Vec<String>>,
}

/// The names of all parts.
fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|section| section.name)
}

fn wanted(options: &Options) -> Result<Vec<&'static Section>> {
    for name in &options.only {
        ensure!(names().any(|known| known == name), "{name} is not a part: {}", names().collect::<Vec<_>>().join(", "));
    }
    Ok(ALL
        .iter()
        .filter(|section| options.only.is_empty() || options.only.iter().any(|name| name == section.name))
        .collect())
}

/// Builds what is needed, and starts this program again to measure: in the real-time class, where that is allowed. A build is not
/// to be in it. `None`: this is the program that measures.
fn prepared(options: &Options, say: &dyn Fn(&str)) -> Result<Option<std::process::ExitStatus>> {
    if env::var_os(PROGRAMS).is_some() {
        return Ok(None);
    }
    let mut needs: Vec<Need> = Vec::new();
    for need in wanted(options)?.iter().flat_map(|section| section.needs) {
        if !needs.contains(need) {
            needs.push(*need);
        }
    }
    // a build may put another one in its place
    let own = env::current_exe()?;
    let folder = tempfile::Builder::new().prefix("ktrdr-perf-").tempdir_in("/tmp")?;
    shipped::build(&needs, folder.path(), say)?;
    let mut command = machine::realtime(&own).unwrap_or_else(|| {
        say("not in the real-time class, which takes root: intervals will be wide on a machine that does other things");
        Command::new(&own)
    });
    command.args(env::args_os().skip(1)).env(PROGRAMS, folder.path());
    Ok(Some(command.status().context("cannot measure")?))
}

/// Measures. Part by part, because they would disturb each other.
fn measure(options: &Options, say: &dyn Fn(&str)) -> Result<Report> {
    let Some(folder) = env::var_os(PROGRAMS).map(PathBuf::from) else { bail!("nothing was built") };
    let run = Run {
        shipped: Shipped::in_folder(Path::new(&folder))?,
        rounds: options.rounds,
        old_cli: options.old_cli.clone(),
    };
    let mut parts = Vec::new();
    for section in wanted(options)? {
        say(&format!("measuring: {} …", section.name));
        let rows =
            (section.measure)(&run).unwrap_or_else(|error| vec![Row::broke(section.title, format!("{error:#}"))]);
        parts.push(Part { name: section.name, title: section.title, rows });
    }
    Ok(Report { machine: machine::machine(), date: machine::date(), commit: machine::commit(), parts })
}

/// Writes a whole report into `docs/PERFORMANCE.md`, beside what was committed there last.
fn record(report: &Report) -> Result<()> {
    ensure!(report.parts.len() == ALL.len(), "only a whole run is written down: leave out --only");
    record::write(report)
}
