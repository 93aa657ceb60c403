//! Live bars: what is told is what history says, one subscription serves all, and nothing that breaks in between is seen in
//! the bars.
//!
//! The market's clock runs faster than ours, in a session of the past: so its bars are in the past of the daemon's clock, and
//! history may be compared with them.

use std::time::Instant;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use ktrdr_tests::{
    cli::Started,
    daemon::TestDaemon,
    gateway_sim::GatewaySim,
    home::Home,
    series::{self, Bar},
    sessions::last_session_at,
    wait,
};
use rustix::process::Signal;

use crate::support::{SCALE, gateway_is, stored};

/// A market that began so many hours ago and is always open.
pub(crate) struct Market {
    began: Instant,
    from: Timestamp,
    /// Market seconds in a second.
    speed: u32,
}

impl Market {
    pub(crate) fn new(hours_ago: i64, speed: u32) -> Result<Self> {
        let from = Timestamp::now().checked_sub(SignedDuration::from_hours(hours_ago))?;
        Ok(Self { began: Instant::now(), from, speed })
    }

    /// In the middle of a session of the past: of its time history can be asked.
    fn in_session(speed: u32) -> Self {
        Self { began: Instant::now(), from: last_session_at(15), speed }
    }

    /// For a gateway that starts now, with the same prices at the same times as any other of this market.
    pub(crate) fn flags(&self) -> Result<String> {
        let gone = SignedDuration::try_from(self.began.elapsed() * self.speed)?;
        let now = self.from.checked_add(gone)?;
        Ok(format!("--time-scale {SCALE} --always-open --market-speed {} --now {now}", self.speed))
    }
}

/// Bars that a watch has printed so far.
fn printed(watch: &Started) -> Result<Vec<Bar>> {
    let text = watch.stdout()?;
    // the last line may be half written
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    series::printed(whole)
}

fn has_printed(watch: &Started, count: usize) -> Result<()> {
    wait::until_true(&format!("{count} bars"), wait::LIMIT, || Ok(printed(watch)?.len() >= count))
        .with_context(|| format!("stdout {:?}, stderr {:?}", watch.stdout(), watch.stderr()))
}

/// Ctrl-C; what it has printed.
fn interrupted(mut watch: Started) -> Result<Vec<Bar>> {
    watch.process().signal(Signal::INT)?;
    series::printed(&watch.ended()?.ok()?)
}

/// What history says of the time of these bars, loaded now.
fn history(home: &Home, series: &str, bars: &[Bar]) -> Result<Vec<Bar>> {
    let (first, last) = (bars.first().context("a bar")?, bars.last().context("a bar")?);
    let end = last.start.parse::<Timestamp>()?.checked_add(SignedDuration::from_secs(1))?;
    home.ktrdr(&format!("data load {series} --start {} --end {end} -f json", first.start))?.ok()?;
    let stored = stored(home, series)?;
    Ok(stored.into_iter().filter(|bar| bar.start >= first.start && bar.start <= last.start).collect())
}

/// Nothing is open at the gateway any more.
fn nothing_is_open(home: &Home) -> Result<()> {
    wait::until_true("no open request", wait::LIMIT, || {
        let status = home.ktrdr("ib status -f json")?.json()?;
        Ok(status["state"] == "ready" && status["requests"]["open"] == 0)
    })
}

#[test]
fn closed_bars_are_what_history_says_of_them_later() -> Result<()> {
    let sim = GatewaySim::start(&Market::in_session(60).flags()?)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    for (line, series) in [
        ("data watch AAPL -t 1m --history 30 --count 34", "AAPL -t 1m"),
        ("data watch EURUSD -t 5s --count 24", "EURUSD -t 5s"),
    ] {
        let bars = series::printed(&daemon.ktrdr(line)?.ok()?)?;
        assert_eq!(bars.len(), if series.ends_with("1m") { 34 } else { 24 });
        assert_eq!(history(&daemon, series, &bars)?, bars, "{series}");
    }
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn a_gateway_that_dies_leaves_no_hole_and_no_bar_twice() -> Result<()> {
    for series in ["AAPL -t 1m", "MSFT -t 5s"] {
        let market = Market::in_session(60);
        let sim = GatewaySim::start(&market.flags()?)?;
        let port = sim.port();
        let daemon = TestDaemon::hurried(&sim, SCALE)?;
        let watch = daemon.ktrdr_started(&format!("data watch {series}"))?;
        has_printed(&watch, 2)?;
        sim.kill()?;
        watch.says("Interrupted: ")?;
        gateway_is(&daemon, "disconnected")?;
        let before = printed(&watch)?.len();
        let sim = GatewaySim::start_on(port, &market.flags()?)?;
        watch.says("Bars come again")?;
        has_printed(&watch, before + 4)?;
        let bars = interrupted(watch)?;
        assert_eq!(history(&daemon, series, &bars)?, bars, "{series}");
        drop(daemon.terminate()?);
        sim.report()?;
    }
    Ok(())
}

/// IB's servers are away and come back while the connection stays: the subscription goes on, and leaves out what was traded.
#[test]
fn what_ib_leaves_out_while_its_servers_are_away_is_filled_in() -> Result<()> {
    for (series, count) in [("AAPL -t 5s", 60), ("MSFT -t 1m", 6)] {
        let rule = "[[fault]]\nkind = \"upstream_down\"\nafter = 120\nseconds = 90\nrestored = 1102\n";
        let sim = GatewaySim::with_faults(rule, &Market::in_session(60).flags()?)?;
        let daemon = TestDaemon::hurried(&sim, SCALE)?;
        let watch = daemon.ktrdr_started(&format!("data watch {series}"))?;
        gateway_is(&daemon, "degraded")?;
        let before = printed(&watch)?.len();
        gateway_is(&daemon, "ready")?;
        has_printed(&watch, before + count)?;
        let bars = interrupted(watch)?;
        assert_eq!(history(&daemon, series, &bars)?, bars, "{series}");
        drop(daemon.terminate()?);
        sim.report()?;
    }
    Ok(())
}

#[test]
fn a_hole_that_cannot_be_filled_is_told() -> Result<()> {
    let mut market = Market::in_session(60);
    let sim = GatewaySim::start(&market.flags()?)?;
    let port = sim.port();
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let watch = daemon.ktrdr_started("data watch AAPL -t 5s")?;
    has_printed(&watch, 2)?;
    sim.kill()?;
    gateway_is(&daemon, "disconnected")?;
    market.from = market.from.checked_add(SignedDuration::from_mins(10))?;
    let rule = "[[fault]]\nkind = \"nan_price\"\non = \"historical_data\"\ntimes = 100\n";
    let sim = GatewaySim::with_faults_on(port, rule, &market.flags()?)?;
    watch.says("A bar may be missing here")?;
    let bars = interrupted(watch)?;
    let truth = history(&daemon, "AAPL -t 5s", &bars)?;
    // of a load other bars are spoiled: what both have must agree
    let told = |bar: &&Bar| bars.iter().any(|other| other.start == bar.start);
    let both: Vec<&Bar> = truth.iter().filter(told).collect();
    assert!(both.len() > 50 && both.iter().all(|bar| bars.contains(bar)), "{truth:?} {bars:?}");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn all_who_watch_share_one_subscription_and_the_last_one_ends_it() -> Result<()> {
    let sim = GatewaySim::start(&Market::in_session(60).flags()?)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let first = daemon.ktrdr_started("data watch AAPL -t 1m")?;
    has_printed(&first, 1)?;
    let second = daemon.ktrdr_started("data watch aapl -t 1m --history 2")?;
    has_printed(&second, 4)?;
    let (first, second) = (interrupted(first)?, interrupted(second)?);
    let shared = first.iter().filter(|bar| second.contains(bar)).count();
    assert!(shared >= 2, "{first:?} {second:?}");
    nothing_is_open(&daemon)?;
    drop(daemon.terminate()?);
    let report = sim.report()?;
    assert_eq!(report.historical(), 1, "{:#}", report.document());
    assert_eq!(report.requests("cancel_historical_data"), 1, "{:#}", report.document());
    Ok(())
}

#[test]
fn what_cannot_be_watched_is_refused_with_its_reason() -> Result<()> {
    let sim = GatewaySim::start(&Market::in_session(60).flags()?)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    daemon.ktrdr("data watch AAPL -t 1s -f json")?.fails(2, "TIMEFRAME_INVALID")?;
    daemon.ktrdr("data watch EURUSD -t 1m --what trades -f json")?.fails(1, "WHAT_TO_SHOW_UNAVAILABLE")?;
    daemon.ktrdr("data watch NOSUCH -t 1m -f json")?.fails(7, "CONTRACT_NOT_FOUND")?;
    daemon.ktrdr("data watch AAPL -t 1m --keep --count 1")?.ok()?;
    wait::until_true("a stored bar", wait::LIMIT, || Ok(daemon.ktrdr("data range AAPL -t 1m")?.status == 0))?;
    daemon.ktrdr("data watch AAPL -t 1m --keep --trading-hours -f json")?.fails(1, "SESSION_MISMATCH")?;
    drop(daemon.terminate()?);
    sim.report()?;
    let daemon = TestDaemon::alone()?;
    daemon.ktrdr("data watch AAPL -t 1m -f json")?.fails(5, "GATEWAY_UNREACHABLE")?;
    Ok(())
}

#[test]
fn kept_bars_are_stored_and_not_asked_for_again() -> Result<()> {
    let sim = GatewaySim::start(&Market::in_session(60).flags()?)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let bars = series::printed(&daemon.ktrdr("data watch AAPL -t 1m --keep --count 4")?.ok()?)?;
    let last = bars.last().context("a bar")?;
    wait::until_true("the last bar to be stored", wait::LIMIT, || {
        let ran = daemon.ktrdr("data show AAPL -t 1m --all -f csv")?;
        Ok(ran.status == 0 && series::printed(&ran.stdout)?.iter().any(|bar| bar.start >= last.start))
    })?;
    let kept = stored(&daemon, "AAPL -t 1m")?;
    assert!(bars.iter().all(|bar| kept.contains(bar)), "{bars:?} {kept:?}");
    nothing_is_open(&daemon)?;
    let (first, end) = (&bars[0].start, &last.start);
    let load = format!("data load AAPL -t 1m --start {first} --end {end} -f json");
    assert_eq!(daemon.ktrdr(&load)?.json()?["requests_made"], 0, "known complete");
    assert_eq!(history(&daemon, "AAPL -t 1m", &kept)?, kept);
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

/// Meanwhile somebody stores the series with other hours.
#[test]
fn bars_that_cannot_be_kept_are_told_to_who_wanted_them_kept() -> Result<()> {
    let sim = GatewaySim::start(&Market::in_session(60).flags()?)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let watch = daemon.ktrdr_started("data watch AAPL -t 1m --keep")?;
    has_printed(&watch, 1)?;
    daemon.ktrdr("data load AAPL -t 1m --start 2025-01-06 --end 2025-01-07 --trading-hours")?.ok()?;
    // closed bars wait half a minute to be written together
    wait::until_true("what was not kept", wait::LIMIT * 2, || {
        let told = watch.stderr()?;
        Ok(told.contains("Not kept: ") && told.contains("SESSION_MISMATCH"))
    })?;
    assert!(!interrupted(watch)?.is_empty(), "watching goes on");
    let stored = stored(&daemon, "AAPL -t 1m")?;
    assert!(stored.iter().all(|bar| bar.start.starts_with("2025-01-0")), "no two kinds in one series");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}
