//! Stopping: it has stopped, or what is known is said.

use anyhow::{Result, ensure};
use ktrdr_tests::wait;
use rustix::process::Signal;

use super::{begun, ended, epochs_done, operation_is, pair};
use crate::support::each_of;

#[test]
fn ctrl_c_stops_the_session_where_the_host_can() -> Result<()> {
    each_of(&["a", "b", "c", "worker"], |generation| {
        let (sim, daemon) = pair(&format!("--generation {generation} --epoch-ms 400"))?;
        let mut train = daemon.ktrdr_started("models train demo.yaml -f json")?;
        train.says("Started operation")?;
        let id = sim_session(&sim)?;
        epochs_done(&daemon, &id, 1)?;
        train.process().signal(Signal::INT)?;
        let ran = train.ended()?;
        ran.fails(130, "INTERRUPTED_BY_USER")?;
        let end = ended(&daemon, &id)?;
        ensure!(end["state"] == "cancelled" && end["reason"] == "CANCELLED", "{end:#}");
        ensure!(end["result"]["epochs"].as_u64() >= Some(1), "{end:#}");
        let text = end.to_string();
        ensure!(!text.contains("checkpoint_saved"), "nothing is saved, whatever the host says: {text}");
        let left = sim.report()?["sessions"].clone();
        let stopped =
            left[0].is_null() || ["stopped", "cancelled"].contains(&left[0]["status"].as_str().unwrap_or_default());
        ensure!(stopped, "{left:#}");
        Ok(())
    })
}

fn sim_session(sim: &ktrdr_tests::training_sim::TrainingSim) -> Result<String> {
    wait::until("a session", wait::LIMIT, || Ok(sim.report()?["sessions"][0]["id"].as_str().map(str::to_owned)))
}

#[test]
fn a_host_that_cannot_stop_keeps_its_slot_until_the_session_has_really_ended() -> Result<()> {
    let (sim, daemon) = pair("--generation e --epoch-ms 300")?;
    let id = begun(&daemon, "")?;
    epochs_done(&daemon, &id, 1)?;
    let end = daemon.ktrdr(&format!("operations cancel {id} --format json"))?.document()?;
    assert_eq!(end["state"], "cancelled", "{end:#}");
    let notes = end["result"]["notes"].to_string();
    assert!(notes.contains("trains on to its end"), "{notes}");
    // the next one waits for the real end, and the state of the first does not turn
    let next = begun(&daemon, "")?;
    assert_eq!(operation_is(&daemon, &next, "pending")?["progress"]["training"]["queue_position"], 1);
    assert_eq!(ended(&daemon, &next)?["state"], "completed");
    assert_eq!(operation_is(&daemon, &id, "cancelled")?["state"], "cancelled");
    assert_eq!(sim.report()?["most_running"], 1);
    Ok(())
}

#[test]
fn one_that_waits_is_cancelled_without_the_host_hearing_of_it() -> Result<()> {
    let (sim, daemon) = pair("--epoch-ms 500")?;
    let first = begun(&daemon, "")?;
    operation_is(&daemon, &first, "running")?;
    let second = begun(&daemon, "")?;
    operation_is(&daemon, &second, "pending")?;
    let end = daemon.ktrdr(&format!("operations cancel {second} --format json"))?.document()?;
    assert_eq!(end["state"], "cancelled", "{end:#}");
    assert_eq!(sim.starts(&second)?, 0);
    assert_eq!(ended(&daemon, &first)?["state"], "completed");
    Ok(())
}

#[test]
fn a_stop_that_takes_long_is_waited_for_and_one_that_never_ends_is_told() -> Result<()> {
    let (sim, daemon) = pair("--epoch-ms 2000 --stop-ms 2500")?;
    let id = begun(&daemon, "")?;
    operation_is(&daemon, &id, "running")?;
    let end = daemon.ktrdr(&format!("operations cancel {id} --format json --timeout 60"))?.document()?;
    assert_eq!(end["state"], "cancelled", "{end:#}");
    drop((sim, daemon));
    let (sim, daemon) = pair("--epoch-ms 5000")?;
    let id = begun(&daemon, "")?;
    operation_is(&daemon, &id, "running")?;
    sim.fault("stop", "hang", 0, 0)?;
    let end = daemon.ktrdr(&format!("operations cancel {id} --format json --timeout 60"))?.document()?;
    assert_eq!(end["state"], "cancelled", "{end:#}");
    let notes = end["result"]["notes"].to_string();
    assert!(notes.contains("still runs"), "{notes}");
    Ok(())
}

#[test]
fn a_training_that_ends_before_the_stop_arrives_is_completed() -> Result<()> {
    let (sim, daemon) = pair("--epoch-ms 60")?;
    let id = begun(&daemon, "")?;
    operation_is(&daemon, &id, "running")?;
    // the stop is answered with "it is not running", because it is over
    sim.fault("stop", "late", 1, 1_000)?;
    let end = daemon.ktrdr(&format!("operations cancel {id} --format json --timeout 60"))?.document()?;
    assert_eq!(end["state"], "completed", "{end:#}");
    Ok(())
}

/// What the host still runs of ours.
fn running_there(sim: &ktrdr_tests::training_sim::TrainingSim) -> Result<u64> {
    let sessions = sim.report()?["sessions"].as_array().cloned().unwrap_or_default();
    Ok(sessions.iter().filter(|session| session["status"] == "running").count() as u64)
}

#[test]
fn a_start_that_is_on_its_way_when_somebody_stops_it_leaves_no_session_behind() -> Result<()> {
    each_of(&[("a", "late"), ("a", "slow-headers"), ("worker", "late"), ("b", "reset-after")], |(generation, kind)| {
        let (sim, daemon) = pair(&format!("--generation {generation} --epoch-ms 3000"))?;
        daemon.ktrdr("services check")?.ok()?;
        sim.fault("start", kind, 1, 1_200)?;
        let id = begun(&daemon, "")?;
        wait::until_true("the start to leave", wait::LIMIT, || Ok(sim.requests("POST /training/start")? == 1))?;
        let end = daemon.ktrdr(&format!("operations cancel {id} --format json"))?.document()?;
        ensure!(end["state"] == "cancelled", "{end:#}");
        ensure!(running_there(&sim)? == 0 && sim.starts(&id)? <= 1, "{:#}", sim.report()?);
        Ok(())
    })
}

#[test]
fn a_daemon_that_is_stopped_while_a_session_is_being_stopped_goes_on_with_that() -> Result<()> {
    let (sim, daemon) = pair("--epoch-ms 5000 --stop-ms 2500")?;
    let id = begun(&daemon, "")?;
    operation_is(&daemon, &id, "running")?;
    let cancel = daemon.ktrdr_started(&format!("operations cancel {id}"))?;
    wait::until_true("the stop to leave", wait::LIMIT, || Ok(sim.requests("POST /training/stop")? == 1))?;
    let daemon = daemon.terminate()?.start()?;
    drop(cancel);
    let end = ended(&daemon, &id)?;
    assert_eq!((&end["state"], &end["reason"]), (&"cancelled".into(), &"CANCELLED".into()), "{end:#}");
    assert_eq!(running_there(&sim)?, 0);
    Ok(())
}

#[test]
fn a_stop_that_did_not_get_through_is_sent_again_when_the_host_is_back() -> Result<()> {
    let (sim, daemon) = pair("--epoch-ms 5000")?;
    let id = begun(&daemon, "")?;
    operation_is(&daemon, &id, "running")?;
    sim.fault("any", "reset", 6, 0)?;
    let end = daemon.ktrdr(&format!("operations cancel {id} --format json"))?.document()?;
    assert_eq!(end["state"], "cancelled", "{end:#}");
    assert_eq!(running_there(&sim)?, 0, "{end:#}");
    Ok(())
}
