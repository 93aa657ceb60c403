//! Commands against a resident daemon, and the floor: whole process time, page faults, system calls.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use ktrdr_tests::{cli::words, daemon::TestDaemon, data_folder, home::Home};

use crate::{
    floor::Floor,
    sample::{Chance, median, ms, ratio},
};

const ROUNDS: usize = 400;
const COMMANDS: [&str; 3] = ["data range AAPL -t 1d", "operations list", "daemon status"];
/// What a command may cost, in floors.
const WANTED: f64 = 3.0;

struct Subject {
    name: String,
    command: Box<dyn Fn() -> Result<Command>>,
    times: Vec<Duration>,
}

pub(crate) fn measure() -> Result<()> {
    let daemon = std::rc::Rc::new(TestDaemon::start_in(Home::new()?.quiet())?);
    let floor = Floor::start(&daemon)?;
    let file = data_folder().join("AAPL_1d.csv");
    daemon.ktrdr_args(["data".as_ref(), "import".as_ref(), file.as_os_str()])?.ok()?;

    let mut subjects = vec![of_floor(&daemon, &floor)];
    for line in COMMANDS {
        let home = daemon.clone();
        let command = Box::new(move || home.ktrdr_command(words(line)));
        subjects.push(Subject { name: format!("ktrdr {line}"), command, times: Vec::new() });
    }
    let mut chance = Chance::new();
    for round in 0..ROUNDS + 10 {
        let mut order: Vec<usize> = (0..subjects.len()).collect();
        chance.shuffle(&mut order);
        for at in order {
            let took = timed((subjects[at].command)()?)?;
            // the first rounds fill the caches
            if round >= 10 {
                subjects[at].times.push(took);
            }
        }
    }
    println!(
        "\n{:<28} {:>9} {:>20} {:>7} {:>9}   wanted",
        "whole process", "median", "floors (95 %)", "faults", "syscalls"
    );
    let floors = subjects[0].times.clone();
    for subject in &subjects {
        let ratio = ratio(&subject.times, &floors);
        let wanted = if subject.name == "floor" { String::new() } else { format!("≤ {WANTED:.1}") };
        println!(
            "{:<28} {:>9} {:>20} {:>7} {:>9}   {wanted}",
            subject.name,
            ms(median(&subject.times)),
            ratio.to_string(),
            faults((subject.command)()?)?,
            syscalls(&(subject.command)()?).map_or_else(|| "-".to_owned(), |count| count.to_string()),
        );
    }
    Ok(())
}

fn of_floor(home: &Home, floor: &Floor) -> Subject {
    let (program, socket, folder) = (floor.program.clone(), floor.socket.clone(), home.work());
    let command = Box::new(move || {
        let mut command = Command::new(&program);
        command.env_clear().arg(&socket).current_dir(&folder);
        Ok(command)
    });
    Subject { name: "floor".to_owned(), command, times: Vec::new() }
}

fn silent(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

pub(crate) fn timed(mut command: Command) -> Result<Duration> {
    silent(&mut command);
    let started = Instant::now();
    let status = command.status()?;
    let took = started.elapsed();
    ensure!(status.success(), "{command:?}: {status}");
    Ok(took)
}

/// Minor page faults, by GNU time; 0 without it.
fn faults(command: Command) -> Result<u64> {
    let mut with_time = wrapped("/usr/bin/time", &["-f", "%R"], &command);
    let Ok(output) = with_time.stdout(Stdio::null()).output() else { return Ok(0) };
    drop(command);
    let said = String::from_utf8(output.stderr)?;
    Ok(said.lines().last().and_then(|line| line.trim().parse().ok()).unwrap_or(0))
}

/// System calls, by strace where it is.
fn syscalls(command: &Command) -> Option<u64> {
    let output = wrapped("strace", &["-f", "-c", "-U", "name,calls"], command).stdout(Stdio::null()).output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let total = said.lines().rev().find(|line| line.contains("total"))?;
    total.split_whitespace().find_map(|word| word.parse().ok())
}

/// The same command below another program.
pub(crate) fn wrapped(program: &str, flags: &[&str], command: &Command) -> Command {
    let mut outer = Command::new(program);
    outer.env_clear().args(flags).arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    outer.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    outer.current_dir(command.get_current_dir().unwrap_or_else(|| Path::new("/")));
    outer
}
