//! One request is one session, whatever happens to the start.

use std::time::Duration;

use anyhow::{Result, ensure};
use ktrdr_tests::daemon::TestDaemon;

use super::{begun, ended, pair};
use crate::support::each_of;

/// What comes of a start that something happens to: the final state, and its reason.
const STARTS: [(&str, &str, Option<&str>); 23] = [
    ("reset", "completed", None),
    ("reset-after", "completed", None),
    ("eof-after", "completed", None),
    ("hang", "completed", None),
    ("hang-after", "completed", None),
    ("late", "completed", None),
    ("slow-headers", "completed", None),
    ("slow-body", "completed", None),
    ("cut-body", "completed", None),
    ("too-large", "completed", None),
    ("lying-length", "completed", None),
    ("html", "completed", None),
    ("not-json", "completed", None),
    ("wrong-shape", "completed", None),
    ("empty", "completed", None),
    ("e500", "completed", None),
    ("executed-500", "completed", None),
    ("e502", "completed", None),
    ("e503-retry", "completed", None),
    ("e504", "completed", None),
    ("redirect", "completed", None),
    ("conflict", "completed", None),
    ("e422", "failed", Some("HOST_REFUSED")),
];

#[test]
fn whatever_happens_to_a_start_there_is_one_session_or_none_and_the_state_is_true() -> Result<()> {
    each_of(&STARTS, |(kind, state, reason)| {
        for generation in ["a", "e"] {
            let (sim, daemon) = pair(&format!("--generation {generation} --epoch-ms 200"))?;
            sim.fault("start", kind, 1, 4_000)?;
            let id = begun(&daemon, "")?;
            let end = ended(&daemon, &id)?;
            ensure!(end["state"] == *state, "{generation}: {end:#}");
            ensure!(end["reason"].as_str() == *reason, "{generation}: {end:#}");
            let expected = u64::from(*state == "completed");
            ensure!(sim.starts(&id)? == expected, "{generation}: {:#}", sim.report()?);
        }
        Ok(())
    })
}

/// Kills at moments that walk through the whole start: entered, sent, answered, seen.
#[test]
fn a_daemon_killed_during_a_start_neither_doubles_nor_loses_it() -> Result<()> {
    let moments: Vec<u64> = (0..12).map(|step| step * 25).collect();
    each_of(&moments, |moment| {
        for generation in ["a", "e", "worker"] {
            let (sim, daemon) = pair(&format!("--generation {generation} --epoch-ms 150"))?;
            // the answer takes a while, so that there is something to kill in the middle of
            sim.fault("start", "slow-headers", 1, 150)?;
            let id = begun(&daemon, "")?;
            std::thread::sleep(Duration::from_millis(*moment));
            let daemon: TestDaemon = daemon.kill_9()?.start()?;
            let end = ended(&daemon, &id)?;
            ensure!(end["state"] == "completed", "{generation} {moment} ms: {end:#}");
            ensure!(sim.starts(&id)? == 1, "{generation} {moment} ms: {:#}", sim.report()?);
            let all = daemon.ktrdr("operations list -f json")?.json()?;
            ensure!(all["total"] == 1, "{generation} {moment} ms: {all:#}");
        }
        Ok(())
    })
}

#[test]
fn a_start_that_is_carried_out_long_after_it_was_given_up_is_the_one_session() -> Result<()> {
    let (sim, daemon) = pair("--epoch-ms 100")?;
    daemon.ktrdr("services check")?.ok()?;
    // the port accepts, is silent, and carries out afterwards what came meanwhile
    sim.restart(3_500)?;
    let id = begun(&daemon, "")?;
    let end = ended(&daemon, &id)?;
    assert_eq!((&end["state"], sim.starts(&id)?), (&"completed".into(), 1), "{end:#}");
    Ok(())
}

#[test]
fn the_same_request_twice_is_one_training() -> Result<()> {
    use ktrdr_proto::v1::{StartTrainingRequest, StrategyFile, training_client::TrainingClient};
    let (sim, daemon) = pair("--epoch-ms 50 --slots 3")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let channel = runtime.block_on(async { daemon.channel() })?;
    let strategy = Some(StrategyFile { label: "demo.yaml".into(), content: super::STRATEGY.into() });
    let request = StartTrainingRequest { request_id: "one".into(), strategy, priority: Some(5), ..Default::default() };
    let start = || {
        let (channel, request) = (channel.clone(), request.clone());
        async move { TrainingClient::new(channel).start(request).await }
    };
    let ids = runtime.block_on(async {
        let (first, second) = tokio::join!(start(), start());
        let third = start().await;
        let id = |answer: Result<tonic::Response<ktrdr_proto::v1::StartTrainingResponse>, tonic::Status>| {
            Ok::<_, tonic::Status>(answer?.into_inner().operation.unwrap_or_default().id)
        };
        Ok::<_, tonic::Status>([id(first)?, id(second)?, id(third)?])
    })?;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(ended(&daemon, &ids[0])?["state"], "completed");
    assert_eq!(sim.report()?["starts"].as_object().map(serde_json::Map::len), Some(1));
    Ok(())
}

/// A proxy's document is read leniently, and must not pass for a session of ours.
#[test]
fn an_answer_that_names_another_session_or_none_proves_nothing() -> Result<()> {
    each_of(&["b", "e", "worker"], |generation| {
        let (sim, daemon) = pair(&format!("--generation {generation}"))?;
        sim.fault("start", "e500", 2, 0)?;
        for list in ["list", "operations"] {
            sim.fault(list, "e500", 3, 0)?;
        }
        for look in ["status", "operation"] {
            sim.fault(look, "wrong-shape", 3, 0)?;
        }
        let id = begun(&daemon, "")?;
        let end = ended(&daemon, &id)?;
        ensure!(end["reason"] == "START_UNCONFIRMED" && sim.starts(&id)? == 0, "{end:#}");
        Ok(())
    })
}
