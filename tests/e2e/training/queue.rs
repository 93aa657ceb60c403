//! Many trainings, few slots.

use anyhow::{Context as _, Result};
use ktrdr_tests::training_sim::TrainingSim;

use super::{begun, daemon_with, ended, home_with_hosts, operation_is};

#[test]
fn ten_processes_with_ten_slots_all_run_and_with_fewer_the_rest_wait_in_order() -> Result<()> {
    let sims: Vec<TrainingSim> =
        (0..2).map(|_| TrainingSim::start("--generation e --slots 5 --epoch-ms 300")).collect::<Result<_>>()?;
    let hosts: Vec<String> =
        sims.iter().enumerate().map(|(at, sim)| format!("{};slots=5", sim.host(&format!("gpu{at}")))).collect();
    let daemon = daemon_with(&hosts.join(","))?;
    let processes: Vec<_> =
        (0..10).map(|_| daemon.ktrdr_started("models train demo.yaml --wait")).collect::<Result<_>>()?;
    for process in processes {
        process.ended()?.ok()?;
    }
    for sim in &sims {
        let report = sim.report()?;
        assert_eq!(
            (report["most_running"].as_u64(), report["starts"].as_object().map(serde_json::Map::len)),
            (Some(5), Some(5)),
            "the load is even: {report:#}"
        );
    }
    Ok(())
}

#[test]
fn who_waits_is_told_where_and_goes_by_priority_then_in_turn() -> Result<()> {
    let sim = TrainingSim::start("--epoch-ms 60")?;
    let mut home = home_with_hosts(&sim.host("gpu"))?;
    home.file("other.yaml", super::STRATEGY.replace("name: demo", "name: other"))?;
    home.set("KTRDR_TRAINING_POLL_MS", "50");
    let daemon = ktrdr_tests::daemon::TestDaemon::start_in(home)?;
    let first = begun(&daemon, "")?;
    operation_is(&daemon, &first, "running")?;
    sim.speed(400)?;
    let second = begun(&daemon, "")?;
    let third = begun(&daemon, "")?;
    let other = daemon.ktrdr("models train other.yaml --detach")?.ok()?.trim().to_owned();
    let urgent = begun(&daemon, "--priority 9")?;
    let position = |id: &str| -> Result<u64> {
        let operation = crate::support::operation(&daemon, id)?;
        operation["progress"]["training"]["queue_position"].as_u64().context("no position")
    };
    // the strategy that runs already stands behind the one that does not
    assert_eq!([position(&urgent)?, position(&other)?, position(&second)?, position(&third)?], [1, 2, 3, 4]);
    sim.speed(20)?;
    let mut ends = Vec::new();
    for id in [&urgent, &other, &second, &third] {
        let end = ended(&daemon, id)?;
        assert_eq!(end["state"], "completed");
        ends.push(end["started_at"].as_str().unwrap_or_default().to_owned());
    }
    assert!(ends.is_sorted(), "{ends:?}");
    assert_eq!(sim.report()?["most_running"], 1);
    Ok(())
}

#[test]
fn a_host_that_is_down_gets_nothing_and_the_queue_moves_on() -> Result<()> {
    let sim = TrainingSim::start("--epoch-ms 40")?;
    let daemon = daemon_with(&format!("dead=http://127.0.0.1:1,{}", sim.host("alive")))?;
    for _ in 0..3 {
        let done = daemon.ktrdr("models train demo.yaml --wait -f json")?.json()?;
        assert_eq!(done["result"]["host"], "alive", "{done:#}");
    }
    Ok(())
}

#[test]
fn a_host_where_somebody_elses_session_runs_is_asked_again_later() -> Result<()> {
    let sim = TrainingSim::start("--epoch-ms 150")?;
    let (ours, theirs) = (daemon_with(&sim.host("gpu"))?, daemon_with(&sim.host("gpu"))?);
    let first = begun(&theirs, "")?;
    operation_is(&theirs, &first, "running")?;
    let second = begun(&ours, "")?;
    assert_eq!(ended(&ours, &second)?["state"], "completed");
    assert_eq!(ended(&theirs, &first)?["state"], "completed");
    let report = sim.report()?;
    assert_eq!((report["most_running"].as_u64(), sim.starts(&first)?, sim.starts(&second)?), (Some(1), 1, 1));
    Ok(())
}

#[test]
fn labels_and_names_choose_the_host() -> Result<()> {
    let (one, two) = (TrainingSim::start("--epoch-ms 30")?, TrainingSim::start("--epoch-ms 30")?);
    let daemon = daemon_with(&format!("{};label=small,{};label=a100", one.host("one"), two.host("two")))?;
    let host = |flags: &str| -> Result<String> {
        let done = daemon.ktrdr(&format!("models train demo.yaml --wait -f json {flags}"))?.json()?;
        Ok(done["result"]["host"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!([host("--label a100")?, host("--host one")?, host("--label small")?], ["two", "one", "one"]);
    daemon.ktrdr("models train demo.yaml --host three -f json")?.fails(7, "HOST_NOT_FOUND")?;
    daemon.ktrdr("models train demo.yaml --label h100 -f json")?.fails(7, "HOST_NOT_FOUND")?;
    Ok(())
}

#[test]
fn the_queue_survives_a_restart() -> Result<()> {
    let sim = TrainingSim::start("--epoch-ms 150")?;
    let daemon = daemon_with(&sim.host("gpu"))?;
    let ids: Vec<String> = (0..4).map(|_| begun(&daemon, "")).collect::<Result<_>>()?;
    operation_is(&daemon, &ids[0], "running")?;
    let daemon = daemon.kill_9()?.start()?;
    for id in &ids {
        assert_eq!(ended(&daemon, id)?["state"], "completed");
        assert_eq!(sim.starts(id)?, 1);
    }
    Ok(())
}

#[test]
fn a_host_that_hangs_gets_nothing_while_another_is_well() -> Result<()> {
    let (hung, good) = (TrainingSim::start("")?, TrainingSim::start("--epoch-ms 40")?);
    hung.fault("any", "hang", 0, 0)?;
    let daemon = daemon_with(&format!("{},{}", hung.host("hung"), good.host("good")))?;
    for _ in 0..3 {
        let done = daemon.ktrdr("models train demo.yaml --wait -f json")?.json()?;
        assert_eq!(done["result"]["host"], "good", "{done:#}");
    }
    Ok(())
}

#[test]
fn who_waited_goes_on_waiting_when_the_hosts_are_away_at_a_restart() -> Result<()> {
    let sim = TrainingSim::start("--epoch-ms 400")?;
    let port = sim.port();
    let daemon = daemon_with(&sim.host("gpu"))?;
    let ids: Vec<String> = (0..3).map(|_| begun(&daemon, "")).collect::<Result<_>>()?;
    operation_is(&daemon, &ids[0], "running")?;
    let stopped = daemon.kill_9()?;
    sim.kill()?;
    let daemon = stopped.start()?;
    operation_is(&daemon, &ids[1], "pending")?;
    let _back = TrainingSim::start_on(port, "--epoch-ms 40")?;
    assert_eq!(ended(&daemon, &ids[0])?["reason"], "SESSION_LOST");
    let started = |id: &String| Ok(ended(&daemon, id)?["started_at"].as_str().unwrap_or_default().to_owned());
    let times: Vec<String> = ids[1..].iter().map(started).collect::<Result<_>>()?;
    assert!(times.is_sorted() && !times[0].is_empty(), "in their order: {times:?}");
    Ok(())
}
