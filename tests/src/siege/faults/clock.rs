//! The clock goes back a day under a daemon at work, by `libfaketime`, which lies to one process.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use jiff::ToSpan as _;

use super::{Seen, as_it_must, completes};
use crate::{
    daemon::{TestDaemon, home_with},
    gateway_sim::GatewaySim,
    home::Home,
    sessions::{is_session, last_session_at},
    steps::{detached, import, steps_done, stored_text},
    wait,
};

const SCALE: u32 = 60;
const NAME: &str = "libfaketimeMT.so.1";
const DAY_BACK: &str = "-86400";
const LONG: &str = "data load AAPL -t 1m --start 2025-01-06 --end 2025-03-28";
/// To the newest bar there is.
const NEWEST: &str = "data load MSFT -t 1d";

/// Where the distributions put it.
fn library() -> Option<PathBuf> {
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    let below = folders.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    let all: Vec<PathBuf> = folders.iter().cloned().chain(below.map(|entry| entry.path())).collect();
    all.iter().map(|folder| folder.join("faketime").join(NAME)).find(|path| path.exists())
}

/// The clock of the daemon, which is a file.
struct Clock(PathBuf);

impl Clock {
    fn of(home: &mut Home, library: &Path) -> Result<Self> {
        let clock = Self(home.path().join("clock"));
        clock.set("+0")?;
        let file = clock.0.to_string_lossy().into_owned();
        for (name, value) in [
            ("LD_PRELOAD", library.to_string_lossy().as_ref()),
            ("FAKETIME_TIMESTAMP_FILE", &file),
            ("FAKETIME_NO_CACHE", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ] {
            home.set(name, value);
        }
        Ok(clock)
    }

    /// In one step: it is read all the time.
    fn set(&self, offset: &str) -> Result<()> {
        let new = self.0.with_extension("new");
        fs::write(&new, offset)?;
        Ok(fs::rename(new, &self.0)?)
    }
}

fn started_at(home: &Home) -> Result<jiff::Timestamp> {
    let status = home.ktrdr("daemon status -f json")?.json()?;
    Ok(status["started_at"].as_str().context("no start")?.parse()?)
}

/// The last day of trading that is so many days ago, or more.
fn session_before(last: jiff::civil::Date, days: i64) -> jiff::civil::Date {
    let from = last.saturating_sub(days.days());
    from.series(-1.days()).find(|day| is_session(*day)).unwrap_or(from)
}

/// Small bars of one session: their departures are counted in a window of ten minutes.
fn small(day: jiff::civil::Date) -> Result<String> {
    Ok(format!("data load AAPL -t 30s --start {day} --end {}", day.tomorrow()?))
}

/// Every operation once, and none with a negative duration; how many.
fn sane(home: &Home) -> Result<usize> {
    let list = home.ktrdr("operations list -l 1000 -f json")?.json()?;
    let operations = list["operations"].as_array().context("no list")?;
    let mut ids: Vec<&str> = operations.iter().filter_map(|one| one["id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ensure!(ids.len() == operations.len() && list["total"].as_u64() == Some(ids.len() as u64), "{list:#}");
    for one in operations {
        let at = |name: &str| one[name].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let (created, started, ended) = (at("created_at"), at("started_at"), at("ended_at"));
        ensure!(started >= created && ended >= started, "{one:#}");
    }
    Ok(operations.len())
}

pub(super) fn stepped_back() -> Result<Seen> {
    let Some(library) = library() else { return Ok(Seen::Skipped("libfaketime is not installed")) };
    let sim = GatewaySim::start("--time-scale 60 --answer-delay-ms 6000")?;
    let mut home = home_with(&sim)?.quiet();
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    let clock = Clock::of(&mut home, &library)?;
    let daemon = TestDaemon::start_in(home)?;
    let first = started_at(&daemon)?;
    import(&daemon, &["GOOGL_1d.csv"])?.ok()?;
    let last = jiff::tz::TimeZone::UTC.to_datetime(last_session_at(0)).date();
    let [earlier, later] = [7, 14].map(|days| small(session_before(last, days)));
    for line in [earlier?.as_str(), NEWEST] {
        daemon.ktrdr(line)?.ok()?;
    }
    let series = ["GOOGL", "AAPL -t 30s", "MSFT -t 1d"];
    let before: Vec<String> = series.iter().map(|series| stored_text(&daemon, series)).collect::<Result<_>>()?;
    let kept = |home: &Home| -> Result<()> {
        for (series, before) in series.iter().zip(&before) {
            let lines = stored_text(home, series)?;
            let gone = before.lines().filter(|line| !lines.contains(line)).count();
            ensure!(gone == 0, "{gone} bars of {series} are lost");
        }
        Ok(())
    };

    let long = detached(&daemon, LONG)?;
    steps_done(&daemon, &long, 2)?;
    clock.set(DAY_BACK)?;
    completes(&daemon, &long)?;
    // what is newest, by a clock for which it is yet to come
    daemon.ktrdr(NEWEST)?.ok()?;
    daemon.ktrdr("data load AAPL -t 1h --start 2025-01-06 --end 2025-03-28")?.ok()?;
    let count = sane(&daemon)?;
    kept(&daemon)?;

    // departures of the future are not waited for
    let daemon = daemon.restart()?;
    let again = started_at(&daemon)?;
    ensure!(again < first, "the clock was set back: {again} is not before {first}");
    ensure!(sane(&daemon)? == count, "all operations are known");
    wait::until_true("the gateway", wait::LIMIT, || Ok(daemon.ktrdr("ib test")?.status == 0))?;
    let other = detached(&daemon, &later?)?;
    completes(&daemon, &other)?;
    kept(&daemon)?;
    clock.set("+0")?;
    daemon.ktrdr(NEWEST)?.ok()?;
    sane(&daemon)?;
    kept(&daemon)?;
    daemon.ktrdr("data verify")?.ok()?;
    daemon.terminate()?;
    sim.report()?;
    Ok(as_it_must(format!(
        "{count} operations known and in order, the load and later ones went on, no bar lost, no rule broken"
    )))
}
