//! Commands against a resident daemon, and the floor: whole process time, page faults, system calls.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use ktrdr_tests::{cli::words, daemon::TestDaemon, data_folder, home::Home, process::Process, programs, wait};

use crate::{
    floor::Floor,
    sample::{Chance, median, ms, ratio},
};

const ROUNDS: usize = 400;
const COMMANDS: [&str; 4] = ["data range AAPL -t 1d", "operations list", "ib status", "daemon status"];
/// What a command may cost, in floors: static as it is shipped, and against the system's libc.
const WANTED_STATIC: f64 = 2.0;
const WANTED_DYNAMIC: f64 = 3.0;
/// Of `redis-cli ping`, for the static one.
const WANTED_OF_REDIS: f64 = 0.5;

struct Subject {
    name: String,
    command: Box<dyn Fn() -> Result<Command>>,
    wanted: Option<f64>,
    times: Vec<Duration>,
}

pub(crate) fn measure() -> Result<()> {
    let daemon = std::rc::Rc::new(TestDaemon::start_in(Home::new()?.quiet())?);
    let floor = Floor::start(&daemon)?;
    let file = data_folder().join("AAPL_1d.csv");
    daemon.ktrdr_args(["data".as_ref(), "import".as_ref(), file.as_os_str()])?.ok()?;

    let mut subjects = vec![of_floor(&daemon, &floor)];
    let redis = Redis::start(&daemon)?;
    subjects.extend(redis.as_ref().map(Redis::subject));
    for line in COMMANDS {
        let home = daemon.clone();
        let command = Box::new(move || home.ktrdr_command(words(line)));
        subjects.push(Subject {
            name: format!("dynamic {line}"),
            command,
            wanted: Some(WANTED_DYNAMIC),
            times: vec![],
        });
    }
    match programs::build_static_cli() {
        Ok(built) => {
            let program = daemon.path().join("ktrdr-static");
            fs::copy(built, &program)?;
            println!("\nstatic ktrdr: {} kB", fs::metadata(&program)?.len() / 1000);
            for line in COMMANDS {
                let (home, program) = (daemon.clone(), program.clone());
                let command = Box::new(move || {
                    let mut command = home.command(&program);
                    command.args(words(line));
                    Ok(command)
                });
                let wanted = Some(WANTED_STATIC);
                subjects.push(Subject { name: format!("static {line}"), command, wanted, times: Vec::new() });
            }
        }
        Err(error) => println!("\n{error}"),
    }
    take(&mut subjects)?;
    print(&subjects)
}

/// Interleaved, in random order.
fn take(subjects: &mut [Subject]) -> Result<()> {
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
    Ok(())
}

fn print(subjects: &[Subject]) -> Result<()> {
    println!(
        "\n{:<30} {:>9} {:>20} {:>7} {:>9}   wanted",
        "whole process", "median", "floors (95 %)", "faults", "syscalls"
    );
    let floors = &subjects[0].times;
    for subject in subjects {
        println!(
            "{:<30} {:>9} {:>20} {:>7} {:>9}   {}",
            subject.name,
            ms(median(&subject.times)),
            ratio(&subject.times, floors).to_string(),
            faults((subject.command)()?)?,
            syscalls(&(subject.command)()?).map_or_else(|| "-".to_owned(), |count| count.to_string()),
            subject.wanted.map_or_else(String::new, |wanted| format!("≤ {wanted:.1}")),
        );
    }
    let Some(redis) = subjects.iter().find(|subject| subject.name == REDIS) else { return Ok(()) };
    for subject in subjects.iter().filter(|subject| subject.name.starts_with("static ")) {
        let of_redis = ratio(&subject.times, &redis.times).to_string();
        println!("{:<30} {:>9} {of_redis:>20}   ≤ {WANTED_OF_REDIS:.1} of {REDIS}", subject.name, "");
    }
    Ok(())
}

const REDIS: &str = "redis-cli ping";

/// A server that everybody knows, over a Unix socket too, where it is installed.
struct Redis {
    socket: std::path::PathBuf,
    _server: Process,
}

impl Redis {
    fn start(home: &Home) -> Result<Option<Self>> {
        let socket = home.path().join("redis.sock");
        let mut server = home.command(Path::new("redis-server"));
        server.args(["--port", "0", "--save", "", "--unixsocket"]).arg(&socket).stdout(Stdio::null());
        let Ok(server) = Process::start(server) else { return Ok(None) };
        wait::until_true("redis", wait::LIMIT, || Ok(socket.exists()))?;
        Ok(Some(Self { socket, _server: server }))
    }

    fn subject(&self) -> Subject {
        let socket = self.socket.clone();
        let command = Box::new(move || {
            let mut command = Command::new("redis-cli");
            command.arg("-s").arg(&socket).arg("ping");
            Ok(command)
        });
        Subject { name: REDIS.to_owned(), command, wanted: None, times: Vec::new() }
    }
}

fn of_floor(home: &Home, floor: &Floor) -> Subject {
    let (program, socket, folder) = (floor.program.clone(), floor.socket.clone(), home.work());
    let command = Box::new(move || {
        let mut command = Command::new(&program);
        command.env_clear().arg(&socket).current_dir(&folder);
        Ok(command)
    });
    Subject { name: "floor".to_owned(), command, wanted: None, times: Vec::new() }
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
