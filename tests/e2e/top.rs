//! `ktrdr top` on a terminal, with a real daemon behind it.

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::{
    cli::words, daemon::TestDaemon, gateway_sim::GatewaySim, home::Home, pty::Terminal, training_sim::TrainingSim, wait,
};
use rustix::process::Signal;

use crate::{
    autostart::daemons,
    support::{SCALE, SLOW, detached, import, operation, steps_done},
    training::home_with_hosts,
};

/// On a terminal of the usual size, with ten looks a second.
fn top(home: &Home) -> Result<Terminal> {
    let mut terminal = Terminal::start(home.ktrdr_command(words("top --every 0.1"))?, 80, 24)?;
    terminal.shows("q leave")?;
    Ok(terminal)
}

#[test]
fn it_shows_what_goes_on_and_cancels_what_is_selected_after_asking() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    import(&daemon, &["NVDA_1h.csv"])?;
    let id = detached(&daemon, "data load AAPL -t 1m --start 2025-01-06 --end 2025-03-28")?;
    steps_done(&daemon, &id, 1)?;
    let mut top = top(&daemon)?;
    let shown = top.shows_what("the load", |text| text.contains("AAPL 1m") && text.contains("1 running"))?;
    for word in ["daemon   0.1.0", "gateway  ready", "pacing", "Operations", "Series", "NVDA 1h", &id] {
        ensure!(shown.contains(word), "{word}: {shown}");
    }
    ensure!(!shown.contains("Host services"), "none is configured");
    let done = operation(&daemon, &id)?["progress"]["done"].as_u64().context("steps")?;
    steps_done(&daemon, &id, done + 2)?;

    top.press("c")?;
    top.shows("Cancel AAPL 1m?  y/n")?;
    top.press("n")?;
    top.shows(&format!("{id} goes on"))?;
    ensure!(operation(&daemon, &id)?["state"] == "running");
    top.press("cy")?;
    top.shows("none under way")?;
    top.shows("cancelled")?;
    ensure!(operation(&daemon, &id)?["state"] == "cancelled");
    top.press("c")?;
    top.shows("has ended already")?;
    top.press("e")?;
    top.shows("Nothing to show")?;

    top.press("?")?;
    top.shows("Shift-Tab")?;
    top.press("q")?;
    top.shows_what("the end of the help", |text| !text.contains("Shift-Tab"))?;
    top.press("\t")?;
    top.shows("all hours, trades")?;
    let came = |line: &str| line.starts_with("AAPL 1m") && line.contains('+');
    top.shows_what("new bars of the load", |text| text.lines().any(came))?;
    top.resize(132, 40)?;
    top.shows("FIRST BAR")?;
    top.resize(20, 4)?;
    top.shows_what("a small picture", |text| text.lines().count() <= 4 && !text.contains("FIRST"))?;
    top.press("q")?;
    ensure!(top.ended()?.success(), "{top:?}");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

/// The signal of a size and a key reach its wait together, more often than not.
#[test]
fn a_key_that_comes_with_another_size_is_heard() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let mut top = top(&daemon)?;
    for columns in 80..110 {
        top.process().freeze()?;
        top.resize(columns, 30)?;
        top.press("?")?;
        top.process().signal(Signal::CONT)?;
        top.shows("Shift-Tab")?;
        top.press("?")?;
        top.shows_what("the end of the help", |text| !text.contains("Shift-Tab"))?;
    }
    top.press("q")?;
    ensure!(top.ended()?.success());
    Ok(())
}

#[test]
fn hosts_are_shown_with_their_pools() -> Result<()> {
    let host = TrainingSim::start("--generation b")?;
    let daemon = TestDaemon::start_in(home_with_hosts(&host.host("gpu1"))?)?;
    daemon.ktrdr("services check")?.ok()?;
    let mut top = top(&daemon)?;
    let shown = top.shows("1 of 1 up")?;
    ensure!(shown.contains("gpu1") && shown.contains("BREAKER") && shown.contains("closed"), "{shown}");
    top.press("\t")?;
    top.shows("connections opened")?;
    top.press("\x1b")?;
    ensure!(top.ended()?.success());
    Ok(())
}

#[test]
fn a_daemon_that_goes_away_is_waited_for_and_not_started() -> Result<()> {
    let mut daemon = TestDaemon::alone()?;
    // it could start one
    daemon.unset("KTRDR_AUTOSTART");
    let mut top = top(&daemon)?;
    let first = format!("pid {}", daemon.process().id());
    top.shows(&first)?;
    let mut stopped = daemon.kill_9()?;
    top.shows("no answer for 1s")?;
    top.press("jpp?")?;
    top.shows("Shift-Tab")?;
    top.press(" ")?;
    assert_eq!(daemons(stopped.home())?, 0);
    let mut daemon = stopped.start()?;
    let second = format!("pid {}", daemon.process().id());
    ensure!(first != second);
    top.shows_what(&second, |text| text.contains(&second) && !text.contains("no answer"))?;

    // one that hangs is told from one that is gone, and the keys are heard
    daemon.process().freeze()?;
    top.shows("has not answered for")?;
    top.press("?")?;
    top.shows("Shift-Tab")?;
    top.press("?")?;
    daemon.process().signal(Signal::CONT)?;
    top.shows_what("an answer", |text| !text.contains("answer"))?;
    top.press("\x03")?;
    ensure!(top.ended()?.success());
    Ok(())
}

#[test]
fn every_end_gives_the_terminal_back() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    for (keys, code) in [("q", 0), ("\x1b", 0), ("\x03", 0)] {
        let mut top = top(&daemon)?;
        top.press(keys)?;
        assert_eq!(top.ended()?.code(), Some(code), "{keys:?}");
    }
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut top = top(&daemon)?;
        top.process().signal(signal)?;
        assert_eq!(top.ended()?.code(), Some(130), "{signal:?}");
        ensure!(top.text().contains("ended by a signal"), "{top:?}");
    }
    // where Ctrl-Z stops nobody, it takes the terminal again
    let mut suspended = top(&daemon)?;
    suspended.press("\x1a?")?;
    suspended.shows("Shift-Tab")?;
    suspended.press("?q")?;
    ensure!(suspended.ended()?.success());
    let mut left = top(&daemon)?.hang_up();
    left.ended_within(wait::LIMIT)?;
    Ok(())
}

#[test]
fn colours_are_where_they_are_wanted() -> Result<()> {
    let mut daemon = TestDaemon::alone()?;
    let colored = |daemon: &Home, line: &str| {
        let mut terminal = Terminal::start(daemon.ktrdr_command(words(line))?, 80, 24)?;
        terminal.shows("q leave")?;
        let colored = terminal.is_colored();
        terminal.press("q")?;
        ensure!(terminal.ended()?.success());
        Ok(colored)
    };
    ensure!(colored(&daemon, "top")?);
    ensure!(!colored(&daemon, "top --color never")?);
    daemon.set("NO_COLOR", "1");
    ensure!(!colored(&daemon, "top")?);
    ensure!(colored(&daemon, "top --color always")?);
    Ok(())
}

#[test]
fn it_needs_a_daemon_and_a_terminal_or_a_flag_that_says_what_else() -> Result<()> {
    let home = Home::new()?;
    // its failure is seen on the screen from before
    let mut alone = Terminal::start(home.ktrdr_command(["top"])?, 80, 24)?;
    assert_eq!(alone.ended()?.code(), Some(3));
    ensure!(alone.text().contains("no answer from ktrdrd"), "{alone:?}");
    let daemon = TestDaemon::start_in(home)?;
    import(&daemon, &["AAPL_1d.csv"])?;
    daemon.ktrdr("top -f json --every 9")?.json()?;
    let refused = daemon.ktrdr("top")?;
    ensure!(refused.status == 2 && refused.stderr.contains("ktrdr top --once"), "{refused:?}");
    let picture = daemon.ktrdr("top --once")?.ok()?;
    ensure!(picture.contains("AAPL 1d") && !picture.contains('\x1b'), "{picture}");
    let document = daemon.ktrdr("top --format json")?.json()?;
    let bars = document["series"][0]["bars"].as_u64().context("bars")?;
    assert_eq!(bars, daemon.ktrdr("data list -f json")?.json()?["series"][0]["bars"].as_u64().context("bars")?);
    Ok(())
}
