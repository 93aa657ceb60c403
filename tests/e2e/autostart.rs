//! Commands that find no daemon, and a daemon that is restarted under commands.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::{home::Home, process, wait};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A home in which commands may start a daemon, which is stopped at the end.
pub(crate) struct Alone(pub(crate) Home);

impl Alone {
    pub(crate) fn new() -> Result<Self> {
        let mut home = Home::new()?;
        home.unset("KTRDR_AUTOSTART");
        Ok(Self(home))
    }

    fn status(&self) -> Result<Value> {
        self.0.ktrdr("daemon status -f json")?.json()
    }

    fn pid(&self) -> Result<Pid> {
        let pid = self.status()?["pid"].as_i64().context("a pid")?;
        Pid::from_raw(i32::try_from(pid)?).context("a pid")
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let Ok(ran) = self.0.ktrdr("daemon stop") else { return };
        assert!(ran.status == 0 || thread::panicking(), "{ran:?}");
    }
}

/// Processes whose environment has the folder of the home, and whose program is `ktrdrd`.
pub(crate) fn daemons(home: &Home) -> Result<usize> {
    let data = format!("KTRDR_DATA_DIR={}", home.data().display());
    let is_ours = |folder: &Path| {
        let named = std::fs::read_to_string(folder.join("comm")).is_ok_and(|name| name.trim() == "ktrdrd");
        named && std::fs::read(folder.join("environ")).is_ok_and(|all| String::from_utf8_lossy(&all).contains(&data))
    };
    Ok(std::fs::read_dir("/proc")?.flatten().filter(|entry| is_ours(&entry.path())).count())
}

#[test]
fn a_hundred_commands_at_once_start_one_daemon_and_all_are_answered() -> Result<()> {
    let alone = Alone::new()?;
    thread::scope(|scope| {
        let running: Vec<_> = (0..100).map(|_| scope.spawn(|| alone.0.ktrdr("data list -f json")?.json())).collect();
        for one in running {
            let answer = one.join().map_err(|_| anyhow::anyhow!("a command panicked"))??;
            assert_eq!(answer["series"], serde_json::json!([]));
        }
        Ok::<_, anyhow::Error>(())
    })?;
    assert_eq!(daemons(&alone.0)?, 1);
    Ok(())
}

#[test]
fn nothing_is_started_for_those_who_only_look_or_do_not_want_it() -> Result<()> {
    let mut alone = Alone::new()?;
    for line in ["daemon status", "daemon logs", "daemon stop", "version", "data list --no-start"] {
        alone.0.ktrdr(line)?.allow_any();
    }
    alone.0.ktrdr("data list --no-start -f json")?.fails(3, "DAEMON_UNREACHABLE")?;
    alone.0.set("KTRDR_AUTOSTART", "0");
    alone.0.ktrdr("data list -f json")?.fails(3, "DAEMON_UNREACHABLE")?;
    assert_eq!(daemons(&alone.0)?, 0);
    Ok(())
}

#[test]
fn a_daemon_that_cannot_start_says_why() -> Result<()> {
    let mut alone = Alone::new()?;
    alone.0.set("KTRDR_IB_PORT", "none");
    let error = alone.0.ktrdr("data list -f json")?.fails(3, "DAEMON_START_FAILED")?;
    assert!(error["message"].as_str().is_some_and(|text| text.contains("KTRDR_IB_PORT")), "{error}");
    Ok(())
}

#[test]
fn the_next_command_replaces_a_killed_daemon_and_waits_for_a_stopped_one() -> Result<()> {
    let alone = Alone::new()?;
    alone.0.ktrdr("data list")?.ok()?;
    let first = alone.pid()?;
    process::kill(first)?;
    alone.0.ktrdr("data list")?.ok()?;
    let second = alone.pid()?;
    assert_ne!(first, second);

    // it holds its locks, so nobody takes its place, and nobody waits for ever
    process::freeze(second)?;
    alone.0.ktrdr("data list --timeout 0.5 -f json")?.fails(6, "TIMED_OUT")?;
    assert_eq!(daemons(&alone.0)?, 1);
    kill_process(second, Signal::CONT)?;
    alone.0.ktrdr("data list")?.ok()?;
    assert_eq!(alone.pid()?, second);
    Ok(())
}

#[test]
fn a_restart_refuses_nobody() -> Result<()> {
    const RESTARTS: usize = 8;
    let alone = Alone::new()?;
    alone.0.ktrdr("data list")?.ok()?;
    let (pid, mut started) = (alone.pid()?, alone.status()?["started_at"].clone());
    let (over, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let callers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        alone.0.ktrdr("operations list --no-start -f json")?.json()?;
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok::<_, anyhow::Error>(())
                })
            })
            .collect();
        let mut restarts = || {
            for round in 0..RESTARTS {
                let before = asked.load(Ordering::Relaxed);
                alone.0.ktrdr("daemon restart")?.ok()?;
                let status = alone.status()?;
                ensure!(status["started_at"] != started, "round {round}: {status} is the one from before");
                started = status["started_at"].clone();
                wait::until_true("a command after the restart", Duration::from_secs(10), || {
                    Ok(asked.load(Ordering::Relaxed) > before)
                })?;
            }
            Ok(())
        };
        let restarted = restarts();
        over.store(true, Ordering::Relaxed);
        for caller in callers {
            caller.join().map_err(|_| anyhow::anyhow!("a caller panicked"))??;
        }
        restarted
    })?;
    assert_eq!(alone.pid()?, pid, "it is the same process");
    assert!(asked.into_inner() >= RESTARTS);
    Ok(())
}
