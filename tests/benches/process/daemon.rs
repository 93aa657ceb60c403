//! The daemon: its start, a million bars through the client, a year of minutes from the gateway.

use std::{
    fmt::Write as _,
    fs::{self, File},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::{
    cli::words,
    daemon::{TestDaemon, home_with, spawn, status_of},
    gateway_sim::GatewaySim,
    home::Home,
    wait,
};

use crate::{
    clients::wrapped,
    sample::{median, mib, ms},
};

const STARTS: usize = 15;
const BARS: u64 = 1_000_000;

/// A figure of `/proc/<pid>/status`, bytes.
pub(crate) fn figure(pid: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib << 10)
}

/// From exec to the first answer, without a gateway.
pub(crate) fn start() -> Result<()> {
    let home = Home::new()?.quiet();
    let mut times = Vec::new();
    let mut resident = 0;
    for _ in 0..STARTS {
        let started = Instant::now();
        let mut daemon = spawn(&home)?;
        // no pause between looks: the answer itself is what is waited for
        while status_of(&home.socket()).is_err() {
            ensure!(started.elapsed() < wait::LIMIT && daemon.ended()?.is_none(), "the daemon does not start");
        }
        times.push(started.elapsed());
        resident = figure(daemon.id(), "VmRSS").context("no figure")?;
        daemon.signal(rustix::process::Signal::TERM)?;
        daemon.ended_within(wait::LIMIT)?;
    }
    println!("\n{:<34} {:>12}   wanted", "daemon, idle, no gateway", "");
    println!("{:<34} {:>12}   ≤ 150 ms", "exec to the first answer", ms(median(&times)));
    println!("{:<34} {:>12}   < 40 MiB", "resident set", mib(resident));
    Ok(())
}

/// A million minutes as a file; neighbouring prices differ.
fn million() -> Result<String> {
    let mut text = String::with_capacity(64 << 20);
    text.push_str("timestamp,open,high,low,close,volume\n");
    for (at, minute) in minutes_from_2022().take(usize::try_from(BARS)?).enumerate() {
        let cents = 10_000 + (at * 7_919) % 10_007;
        let (whole, rest) = (cents / 100, cents % 100);
        writeln!(text, "{minute},{whole}.{rest:02},{whole}.99,{whole}.0,{whole}.5,{}", at % 9_973)?;
    }
    Ok(text)
}

/// `2022-01-01 00:00:00+00:00` and every minute after it, as far as 2024.
fn minutes_from_2022() -> impl Iterator<Item = String> {
    let months = |year: u32| {
        let february = if year == 2024 { 29 } else { 28 };
        [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].into_iter().zip(1..)
    };
    let days = (2022..=2024).flat_map(move |year| {
        months(year).flat_map(move |(days, month)| (1..=days).map(move |day| format!("{year}-{month:02}-{day:02}")))
    });
    days.flat_map(|day| (0..24 * 60).map(move |minute| format!("{day} {:02}:{:02}:00+00:00", minute / 60, minute % 60)))
}

/// The peak of a command's own memory, by GNU time.
fn peak_of(home: &Home, line: &str, output: File) -> Result<(Duration, Option<u64>)> {
    let command = home.ktrdr_command(words(line))?;
    let mut timed = wrapped("/usr/bin/time", &["-f", "%M"], &command);
    let started = Instant::now();
    let ran = timed.stdout(output).stderr(Stdio::piped()).output();
    let took = started.elapsed();
    let peak = ran.ok().and_then(|ran| {
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        said.lines().last()?.trim().parse::<u64>().ok()
    });
    Ok((took, peak.map(|kib| kib << 10)))
}

pub(crate) fn query() -> Result<()> {
    let mut daemon = TestDaemon::start_in(Home::new()?.quiet())?;
    daemon.file("MILL_1m.csv", million()?)?;
    let started = Instant::now();
    daemon.ktrdr("data import MILL_1m.csv -f json")?.ok()?;
    let import = started.elapsed();
    let daemon_after_import = figure(daemon.process().id(), "VmHWM");

    println!("\n{:<34} {:>12} {:>14}", "bars through the client, CSV", "time", "client's peak");
    println!("{:<34} {:>12} {:>14}", "import of 1,000,000", ms(import), "-");
    for (name, flags) in [("show 1,000", "--rows 1000"), ("show 100,000", "--rows 100000"), ("show 1,000,000", "--all")]
    {
        let target = daemon.work().join("out.csv");
        let (took, peak) = peak_of(&daemon, &format!("data show MILL -t 1m {flags} -f csv"), File::create(&target)?)?;
        println!("{name:<34} {:>12} {:>14}", ms(took), peak.map_or_else(|| "-".to_owned(), mib));
    }
    let rows = fs::read_to_string(daemon.work().join("out.csv"))?.lines().count();
    ensure!(u64::try_from(rows)? == BARS + 1, "{rows} lines");
    let peak = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), mib);
    println!(
        "{:<34} {:>12} {:>14}",
        "daemon's peak: import, then show",
        peak(daemon_after_import),
        peak(figure(daemon.process().id(), "VmHWM"))
    );
    Ok(())
}

/// One load and what the daemon adds to the gateway's own time.
fn one_load(range: &str) -> Result<(u64, Duration, Option<u64>)> {
    const SCALE: u32 = 600;
    let sim = GatewaySim::start(&format!("--time-scale {SCALE}"))?;
    let mut home = home_with(&sim)?.quiet();
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    let mut daemon = TestDaemon::start_in(home)?;
    wait::until_true("the gateway", wait::LIMIT, || Ok(daemon.ktrdr("ib test")?.status == 0))?;
    let started = Instant::now();
    let load = daemon.ktrdr(&format!("data load AAPL -t 1m {range} -f json"))?.json()?;
    let took = started.elapsed();
    ensure!(load["success"] == true, "{load:#}");
    let requests = load["requests_made"].as_u64().context("requests")?;
    Ok((requests, took, figure(daemon.process().id(), "VmHWM")))
}

pub(crate) fn load() -> Result<()> {
    println!(
        "\n{:<34} {:>9} {:>10} {:>12} {:>14}   wanted",
        "minutes from the simulator", "requests", "time", "per request", "daemon's peak"
    );
    for (name, range) in [
        ("a month", "--start 2024-03-01 --end 2024-03-31"),
        ("a quarter", "--start 2024-03-01 --end 2024-05-31"),
        ("a year", "--start 2024-01-01 --end 2024-12-31"),
    ] {
        let (requests, took, peak) = one_load(range)?;
        let each = took / u32::try_from(requests.max(1))?;
        println!(
            "{name:<34} {requests:>9} {:>10} {:>12} {:>14}   < 150 MiB",
            ms(took),
            ms(each),
            peak.map_or_else(|| "-".to_owned(), mib)
        );
    }
    Ok(())
}
