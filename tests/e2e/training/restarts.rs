//! The daemon restarts, the host restarts, the network goes away: what runs is followed again, what is gone is told.

use anyhow::{Result, ensure};
use ktrdr_tests::{training_sim::TrainingSim, wait};
use serde_json::json;

use super::{begun, daemon_with, ended, epochs_done, operation_is, pair};
use crate::support::each_of;

#[test]
fn a_restarted_daemon_follows_on_what_still_runs() -> Result<()> {
    each_of(&[("a", false), ("e", true), ("worker", true)], |(generation, killed)| {
        let (sim, daemon) = pair(&format!("--generation {generation} --epoch-ms 300"))?;
        let id = begun(&daemon, "")?;
        epochs_done(&daemon, &id, 1)?;
        let stopped = if *killed { daemon.kill_9()? } else { daemon.terminate()? };
        let daemon = stopped.start()?;
        ensure!(operation_is(&daemon, &id, "running")?["ended_at"].is_null());
        let end = ended(&daemon, &id)?;
        ensure!(end["state"] == "completed" && sim.starts(&id)? == 1, "{end:#}");
        Ok(())
    })
}

/// Its database still has the session, as one that waits to begin.
#[test]
fn a_worker_that_died_together_with_the_daemon_never_takes_its_session_up_again() -> Result<()> {
    let (sim, daemon) = pair("--generation worker --epoch-ms 300")?;
    let id = begun(&daemon, "")?;
    epochs_done(&daemon, &id, 1)?;
    let stopped = daemon.kill_9()?;
    sim.restart(0)?;
    let daemon = stopped.start()?;
    let end = ended(&daemon, &id)?;
    ensure!(end["state"] == "interrupted" && end["reason"] == "SESSION_LOST", "{end:#}");
    ensure!(sim.starts(&id)? == 1, "a new one is the user's to start");
    Ok(())
}

#[test]
fn what_ended_while_the_daemon_was_away_is_settled_when_it_is_back() -> Result<()> {
    let (sim, daemon) = pair("--epoch-ms 60")?;
    let id = begun(&daemon, "")?;
    operation_is(&daemon, &id, "running")?;
    let stopped = daemon.kill_9()?;
    wait::until_true("the end at the host", wait::LIMIT, || Ok(sim.report()?["sessions"][0]["status"] == "completed"))?;
    let daemon = stopped.start()?;
    let end = ended(&daemon, &id)?;
    assert_eq!((&end["state"], &end["result"]["session_id"]), (&"completed".into(), &id.as_str().into()), "{end:#}");
    Ok(())
}

#[test]
fn a_host_that_forgets_its_sessions_interrupts_them_and_says_how_far_they_were() -> Result<()> {
    each_of(&["a", "e", "worker"], |generation| {
        let (sim, daemon) = pair(&format!("--generation {generation} --epoch-ms 250"))?;
        let id = begun(&daemon, "")?;
        epochs_done(&daemon, &id, 2)?;
        sim.restart(0)?;
        let end = ended(&daemon, &id)?;
        ensure!(end["state"] == "interrupted" && end["reason"] == "SESSION_LOST", "{end:#}");
        ensure!(end["result"]["epochs"].as_u64() >= Some(2), "{end:#}");
        ensure!(end["error"]["message"].as_str().is_some_and(|text| text.contains("epochs done")), "{end:#}");
        // a new try is a new session: the old id may be taken for ever
        let again = daemon.ktrdr(&format!("operations retry {id} -f json"))?.json()?;
        ensure!(again["state"] == "completed", "{again:#}");
        Ok(())
    })
}

#[test]
fn a_host_that_is_away_for_a_while_loses_nothing() -> Result<()> {
    let (sim, daemon) = pair("--epoch-ms 200")?;
    let id = begun(&daemon, "")?;
    epochs_done(&daemon, &id, 1)?;
    // refused for as long as the breaker is open, and then as before
    sim.fault("any", "reset", 12, 0)?;
    let end = ended(&daemon, &id)?;
    assert_eq!(end["state"], "completed", "{end:#}");
    Ok(())
}

#[test]
fn a_session_that_somebody_else_stops_or_takes_out_is_told() -> Result<()> {
    let (sim, daemon) = pair("--epoch-ms 400")?;
    let id = begun(&daemon, "")?;
    epochs_done(&daemon, &id, 1)?;
    sim.show(&id, &json!({"status": "stopped"}))?;
    let end = ended(&daemon, &id)?;
    assert_eq!((&end["state"], &end["reason"]), (&"failed".into(), &"SESSION_STOPPED".into()), "{end:#}");
    let (sim, daemon) = pair("--epoch-ms 400")?;
    let id = begun(&daemon, "")?;
    epochs_done(&daemon, &id, 1)?;
    sim.show(&id, &json!({"vanish": true}))?;
    assert_eq!(ended(&daemon, &id)?["reason"], "SESSION_LOST");
    Ok(())
}

#[test]
fn another_version_that_comes_up_behind_the_same_address_is_noticed() -> Result<()> {
    let sim = TrainingSim::start("--generation a --epoch-ms 40")?;
    let port = sim.port();
    let daemon = daemon_with(&sim.host("gpu"))?;
    daemon.ktrdr("models train demo.yaml --wait")?.ok()?;
    sim.kill()?;
    daemon.ktrdr("models train demo.yaml --wait -f json")?.fails(5, "HOST_UNREACHABLE")?;
    let _newer = TrainingSim::start_on(port, "--generation e --epoch-ms 40")?;
    let done = daemon.ktrdr("models train demo.yaml --wait -f json")?.json()?;
    assert!(done["result"]["model_path"].is_string(), "{done:#}");
    Ok(())
}

#[test]
fn an_idle_host_that_was_replaced_is_asked_what_it_is_when_a_start_does_not_fit() -> Result<()> {
    let sim = TrainingSim::start("--generation a --epoch-ms 40")?;
    let port = sim.port();
    let daemon = daemon_with(&sim.host("gpu"))?;
    daemon.ktrdr("models train demo.yaml --wait")?.ok()?;
    sim.kill()?;
    // nobody has noticed that it was away
    let newer = TrainingSim::start_on(port, "--generation e --epoch-ms 40")?;
    let done = daemon.ktrdr("models train demo.yaml --wait -f json")?.json()?;
    assert!(done["result"]["model_path"].is_string(), "{done:#}");
    assert_eq!(newer.starts(done["id"].as_str().unwrap_or_default())?, 1);
    Ok(())
}

#[test]
fn something_else_behind_the_address_fails_every_time() -> Result<()> {
    let sim = TrainingSim::start("")?;
    sim.fault("openapi", "wrong-shape", 0, 0)?;
    let daemon = daemon_with(&sim.host("gpu"))?;
    for _ in 0..3 {
        daemon.ktrdr("models train demo.yaml -f json")?.fails(5, "HOST_UNREADABLE")?;
    }
    Ok(())
}
