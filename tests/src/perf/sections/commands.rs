//! Commands against a resident daemon, and the floor: whole process time, page faults, system calls, bytes.

use std::{fs, path::Path, process::Command, rc::Rc};

use anyhow::Result;

use crate::{
    cli::words,
    cost,
    daemon::TestDaemon,
    data_folder,
    home::Home,
    perf::{
        Run,
        figure::ms,
        references::{Floor, Redis},
        report::Row,
        timing::{Subject, interleave, timed_to},
    },
    wait,
};

const COMMANDS: [&str; 4] = ["data range AAPL -t 1d", "operations list", "ib status", "daemon status"];
/// Whole commands, in floors.
const STATIC_MAX: f64 = 2.0;
const DYNAMIC_MAX: f64 = 3.0;
const HELP_MAX: f64 = 1.5;
const OF_REDIS_MAX: f64 = 0.5;
/// These do not depend on the load of the machine; `tests/e2e/lean.rs` is their test.
const FAULTS_MAX: f64 = 150.0;
const CALLS_MAX: f64 = 90.0;
const BYTES_MAX: f64 = 5.0;
/// Exit code of a command that finds no daemon.
const NO_DAEMON: i32 = 3;

pub(super) fn measure(run: &Run) -> Result<Vec<Row>> {
    let daemon = Rc::new(TestDaemon::start_in(Home::new()?.quiet())?);
    let file = data_folder().join("AAPL_1d.csv");
    daemon.ktrdr_args(["data".as_ref(), "import".as_ref(), file.as_os_str()])?.ok()?;
    let (floor, floor_socket) = (Floor::build(&daemon)?, daemon.path().join("floor.sock"));
    let musl_floor = Floor::with_musl(&daemon)?;
    let _floor_server = floor.serve(&daemon, &floor_socket)?;
    wait::until_true("the floor's server", wait::LIMIT, || Ok(floor_socket.exists()))?;
    let redis = Redis::start(&daemon)?;
    let lonely = Home::new()?.quiet();
    let program = run.shipped.static_cli();

    let mut subjects = vec![Subject::process("floor", || Ok(floor.ask(&daemon, &floor_socket)))];
    if let Some(floor) = &musl_floor {
        subjects.push(Subject::process(MUSL_FLOOR, || Ok(floor.ask(&daemon, &floor_socket))));
    }
    for line in COMMANDS {
        let home = daemon.clone();
        subjects.push(Subject::process(format!("dynamic `{}`", short(line)), move || home.ktrdr_command(words(line))));
    }
    if let Ok(program) = &program {
        for line in COMMANDS {
            let home = daemon.clone();
            subjects
                .push(Subject::process(format!("static `{}`", short(line)), move || Ok(command(&home, program, line))));
        }
        subjects.push(Subject::process("static `--help`", || Ok(command(&daemon, program, "--help"))));
        subjects.push(Subject::new("static, no daemon there", || {
            Ok(timed_to(command(&lonely, program, "daemon status"), NO_DAEMON)?.as_secs_f64())
        }));
    }
    if let Some(redis) = &redis {
        subjects.push(Subject::process(REDIS, || Ok(redis.ping())));
    }
    interleave(&mut subjects, run.rounds)?;

    let mut rows = Vec::new();
    let (floor_times, others) = (&subjects[0], &subjects[1..]);
    for subject in others {
        let row = Row::ratio(&subject.name, "the C floor", subject.to(floor_times)?);
        let row = row.here(format!("{}, the floor {}", ms(subject.median()), ms(floor_times.median())));
        rows.push(match subject.name.as_str() {
            REDIS | MUSL_FLOOR => row,
            "static `--help`" => row.at_most(HELP_MAX),
            name if name.starts_with("static") => row.at_most(STATIC_MAX),
            _ => row.at_most(DYNAMIC_MAX),
        });
    }
    match &program {
        Err(why) => rows.push(Row::skipped("static commands", *why)),
        Ok(program) => {
            rows.extend(of_redis(&subjects)?);
            rows.extend(of_musl_floor(&subjects)?);
            rows.extend(counted(&daemon, program)?);
        }
    }
    Ok(rows)
}

const REDIS: &str = "`redis-cli ping`";
const MUSL_FLOOR: &str = "the C floor against musl";

fn short(line: &str) -> String {
    line.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

fn command(home: &Home, program: &Path, line: &str) -> Command {
    let mut command = home.command(program);
    command.args(words(line));
    command
}

fn of_redis(subjects: &[Subject<'_>]) -> Result<Vec<Row>> {
    let Some(redis) = subjects.iter().find(|subject| subject.name == REDIS) else {
        return Ok(vec![Row::skipped(format!("against {REDIS}"), "no redis-server: apt-get install redis-server")]);
    };
    of_static(subjects)
        .map(|subject| {
            Ok(Row::ratio(format!("{}, of redis", subject.name), REDIS, subject.to(redis)?).at_most(OF_REDIS_MAX))
        })
        .collect()
}

/// The harder measure where the other floor mostly asks the processor; nothing is promised of it.
fn of_musl_floor(subjects: &[Subject<'_>]) -> Result<Vec<Row>> {
    let Some(floor) = subjects.iter().find(|subject| subject.name == MUSL_FLOOR) else {
        return Ok(vec![Row::skipped(format!("against {MUSL_FLOOR}"), "no musl-gcc: apt-get install musl-tools")]);
    };
    of_static(subjects)
        .map(|subject| Ok(Row::ratio(format!("{}, of musl's", subject.name), MUSL_FLOOR, subject.to(floor)?)))
        .collect()
}

fn of_static<'a, 'b>(subjects: &'a [Subject<'b>]) -> impl Iterator<Item = &'a Subject<'b>> {
    subjects.iter().filter(|subject| COMMANDS.iter().any(|line| subject.name == format!("static `{}`", short(line))))
}

/// The most of any of the commands.
fn counted(home: &Home, program: &Path) -> Result<Vec<Row>> {
    let most = |count: &dyn Fn(&Command) -> Result<Option<u64>>| -> Result<Option<f64>> {
        let counts: Result<Option<Vec<u64>>> =
            COMMANDS.iter().map(|line| count(&command(home, program, line))).collect();
        Ok(counts?.and_then(|counts| counts.into_iter().max()).and_then(|most| u32::try_from(most).ok()).map(f64::from))
    };
    let row = |what: &str, count: Option<f64>, max: f64, how: &str| {
        count.map_or_else(|| Row::skipped(what, how), |count| Row::counted(what, count, "").at_most(max))
    };
    let bytes = u32::try_from(fs::metadata(program)?.len())?;
    Ok(vec![
        row(
            "page faults of a static one, at most",
            most(&cost::faults)?,
            FAULTS_MAX,
            "no GNU time: apt-get install time",
        ),
        row(
            "system calls of a static one, at most",
            most(&cost::system_calls)?,
            CALLS_MAX,
            "no strace, or it may not look",
        ),
        Row::counted("the static program", f64::from(bytes) / 1e6, "MB").at_most(BYTES_MAX),
    ])
}
