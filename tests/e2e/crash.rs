//! Ends in the middle of a load, orderly and not.

use anyhow::{Context as _, Result};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim};

use crate::support::{SCALE, SLOW, detached, operation, steps_done, stored};

const LINE: &str = "data load AAPL -t 1m --start 2025-01-06 --end 2025-03-28";

#[test]
fn a_killed_load_loses_nothing_and_asks_nothing_twice() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let id = detached(&daemon, LINE)?;
    let steps = steps_done(&daemon, &id, 5)?["progress"]["total"].as_u64().context("a number")?;
    let kept = stored(&daemon, "AAPL -t 1m")?;
    let daemon = daemon.kill_9()?.start()?;
    let after = stored(&daemon, "AAPL -t 1m")?;
    assert!(after.len() >= kept.len() && after.ends_with(&kept), "what was acknowledged is still there");
    let interrupted = operation(&daemon, &id)?;
    assert_eq!((&interrupted["state"], &interrupted["reason"]), (&"interrupted".into(), &"INTERRUPTED".into()));

    let rest = daemon.ktrdr(&format!("{LINE} -f json"))?.json()?;
    assert_eq!(rest["success"], true);
    let whole = stored(&daemon, "AAPL -t 1m")?;
    assert_eq!(rest["bars_total"], whole.len());
    assert!(whole.windows(2).all(|pair| pair[0].start < pair[1].start), "no bar twice");
    drop(daemon.terminate()?);
    let asked = sim.report_after_kills()?.historical();
    assert!(asked == steps || asked == steps + 1, "{asked} requests for {steps} steps: the open one was lost at most");

    // the same in one piece
    let sim = GatewaySim::start("--time-scale 60")?;
    let other = TestDaemon::hurried(&sim, SCALE)?;
    other.ktrdr(LINE)?.ok()?;
    assert_eq!(stored(&other, "AAPL -t 1m")?, whole);
    Ok(())
}

#[test]
fn a_stop_during_a_load_is_orderly_and_the_load_is_interrupted() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let id = detached(&daemon, LINE)?;
    steps_done(&daemon, &id, 2)?;
    let daemon = daemon.terminate()?.start()?;
    let operation = operation(&daemon, &id)?;
    assert_eq!((&operation["state"], &operation["reason"]), (&"interrupted".into(), &"INTERRUPTED".into()));
    let list = daemon.ktrdr("operations list --status interrupted -f json")?.json()?;
    assert_eq!(list["operations"][0]["id"], id.as_str());

    let retried = daemon.ktrdr(&format!("operations retry {id} -f json"))?.json()?;
    assert_eq!((&retried["state"], &retried["retry_of"]), (&"completed".into(), &id.as_str().into()));
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn a_watched_load_that_a_stop_cuts_off_fails_with_a_reason() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let id = detached(&daemon, LINE)?;
    steps_done(&daemon, &id, 1)?;
    let watching = daemon.ktrdr_started(&format!("{LINE} -f json"))?;
    watching.says("Started operation")?;
    let mut stopped = daemon.terminate()?;
    let ran = watching.ended()?;
    assert_ne!(ran.status, 0, "{ran:?}");
    assert!(ran.stdout.contains("INTERRUPTED") || ran.stderr.contains("SHUTTING_DOWN"), "{ran:?}");
    assert!(!stopped.home().socket().exists());
    Ok(())
}
