//! Birth and death of the daemon, as the command line sees them.

use std::{fs, os::unix::net::UnixStream, time::Instant};

use anyhow::{Context as _, Result};
use ktrdr_tests::{cli::Started, daemon::TestDaemon, gateway_sim::GatewaySim, home::Home, wait};

use crate::support::{SCALE, SLOW, detached, gateway_is, steps_done};

/// A daemon that `ktrdr daemon start` started; nobody's child, so it is stopped by hand.
struct Background(Home);

impl Background {
    fn start() -> Result<Self> {
        let background = Self(Home::new()?);
        background.0.ktrdr("daemon start")?.ok()?;
        Ok(background)
    }

    fn pid(&self) -> Result<u64> {
        self.0.ktrdr("daemon status -f json")?.json()?["pid"].as_u64().context("a pid")
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let Ok(ran) = self.0.ktrdr("daemon stop") else { return };
        assert!(ran.status == 0 || std::thread::panicking(), "{ran:?}");
    }
}

#[test]
fn start_returns_when_it_answers_and_stop_when_it_is_gone() -> Result<()> {
    let daemon = Background::start()?;
    let home = &daemon.0;
    let status = home.ktrdr("daemon status -f json")?.json()?;
    assert_eq!(status["socket"], home.socket().to_string_lossy().as_ref());
    assert_eq!(status["data_dir"], home.data().to_string_lossy().as_ref());
    assert_eq!((&status["series"], &status["operations_running"]), (&0.into(), &0.into()));
    assert_eq!(status["contract"], ktrdr_proto::CONTRACT);
    assert!(status["memory_bytes"].as_u64().is_some_and(|bytes| bytes > 0));

    let pid = daemon.pid()?;
    let again = home.ktrdr("daemon start")?;
    assert!(again.status == 0 && again.stderr.contains("running already"), "{again:?}");
    assert_eq!(daemon.pid()?, pid, "it is the same one");

    assert!(home.ktrdr("daemon logs -n 100")?.ok()?.contains("ready"));
    home.ktrdr("daemon stop")?.ok()?;
    assert!(!home.socket().exists() && fs::metadata(format!("/proc/{pid}/exe")).is_err());
    home.ktrdr("daemon status -f json")?.fails(3, "DAEMON_UNREACHABLE")?;
    let nothing = home.ktrdr("daemon stop")?;
    assert!(nothing.status == 0 && nothing.stderr.contains("not running"), "{nothing:?}");
    Ok(())
}

#[test]
fn a_killed_daemon_is_replaced_by_the_next_start() -> Result<()> {
    let daemon = Background::start()?;
    let pid = daemon.pid()?;
    let process = rustix::process::Pid::from_raw(i32::try_from(pid)?).context("a pid")?;
    rustix::process::kill_process(process, rustix::process::Signal::KILL)?;
    wait::until_true("the end of the daemon", wait::LIMIT, || Ok(daemon.0.ktrdr("daemon status")?.status == 3))?;
    assert!(daemon.0.socket().exists());
    daemon.0.ktrdr("daemon start")?.ok()?;
    assert_ne!(daemon.pid()?, pid);
    Ok(())
}

#[test]
fn a_start_that_fails_ends_with_the_daemons_last_words() -> Result<()> {
    let home = Home::new()?;
    let config = home.file("broken.toml", "[ib]\nprot = 4001\n")?;
    let error =
        home.ktrdr(&format!("daemon start --config {} -f json", config.display()))?.fails(3, "DAEMON_START_FAILED")?;
    assert!(error["message"].as_str().is_some_and(|text| text.contains("prot")), "{error}");
    Ok(())
}

#[test]
fn starting_from_many_shells_at_once_leaves_one_daemon() -> Result<()> {
    let home = Background(Home::new()?);
    let starts: Vec<_> = (0..5).map(|_| home.0.ktrdr_started("daemon start -f json")).collect::<Result<_>>()?;
    let ran: Vec<_> = starts.into_iter().map(Started::ended).collect::<Result<_>>()?;
    let pid = home.pid()?;
    for ran in ran {
        assert_eq!(ran.json()?["pid"], pid);
    }
    Ok(())
}

#[test]
fn a_stop_does_not_wait_for_a_client_that_says_nothing() -> Result<()> {
    let daemon = TestDaemon::alone()?;
    let silent = UnixStream::connect(daemon.socket())?;
    let started = Instant::now();
    drop(daemon.terminate()?);
    assert!(started.elapsed().as_secs() < 8, "{:?}", started.elapsed());
    drop(silent);
    Ok(())
}

#[test]
fn a_stop_that_a_client_asks_for_is_orderly_too() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let id = detached(&daemon, "data load AAPL -t 1m --start 2025-01-06 --end 2025-03-28")?;
    steps_done(&daemon, &id, 1)?;
    daemon.ktrdr("daemon stop")?.ok()?;
    let (status, stopped) = daemon.ended_within(wait::LIMIT)?;
    assert!(status.success(), "{status}");
    let daemon = stopped.start()?;
    assert_eq!(crate::support::operation(&daemon, &id)?["state"], "interrupted");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn a_stop_before_the_session_is_usable_leaves_the_gateway_in_order() -> Result<()> {
    let sim = GatewaySim::with_faults("[[fault]]\nkind = \"late_farms\"\nms = 60000\n", "")?;
    let daemon = TestDaemon::hurried(&sim, 1)?;
    gateway_is(&daemon, "synchronising")?;
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn ctrl_c_cancels_a_followed_load_and_says_so() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let mut load = daemon.ktrdr_started("data load AAPL -t 1m --start 2025-01-06 --end 2025-03-28 -f json")?;
    load.says("Started operation")?;
    let list = daemon.ktrdr("operations list -f json")?.json()?;
    let id = list["operations"][0]["id"].as_str().context("an id")?.to_owned();
    steps_done(&daemon, &id, 1)?;
    load.process().signal(rustix::process::Signal::INT)?;
    let ran = load.ended()?;
    assert_eq!(ran.status, 130, "{ran:?}");
    let operation = crate::support::operation(&daemon, &id)?;
    assert_eq!(operation["state"], "cancelled");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}
