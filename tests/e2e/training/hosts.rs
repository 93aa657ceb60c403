//! The base of host services: pool, repeats, breaker, health.

use anyhow::Result;
use ktrdr_tests::{training_sim::TrainingSim, wait};

use super::{begun, daemon_with, ended, pair};
use crate::support::each_of;

#[test]
fn nothing_is_asked_before_somebody_wants_something() -> Result<()> {
    let (sim, daemon) = pair("")?;
    let told = daemon.ktrdr("services list -f json")?.json()?["services"][0].clone();
    assert_eq!(
        (&told["state"], &told["pool"]["opened"], &told["breaker"]),
        (&"unknown".into(), &0.into(), &"closed".into())
    );
    assert_eq!(sim.report()?["connections"]["total"], 0);
    Ok(())
}

#[test]
fn a_check_asks_says_what_it_found_and_exits_so() -> Result<()> {
    let sim = TrainingSim::start("")?;
    let other = TrainingSim::start("")?;
    let daemon = daemon_with(&format!("{},dead=http://127.0.0.1:1,{}", sim.host("alive"), other.host("strange")))?;
    other.fault("openapi", "wrong-shape", 0, 0)?;
    other.fault("root", "html", 0, 0)?;
    assert_eq!(daemon.ktrdr("services check alive")?.status, 0);
    let ran = daemon.ktrdr("services check -f json")?;
    ran.fails(5, "HOST_UNREACHABLE")?;
    let told = ran.document()?["services"].clone();
    let states: Vec<_> = (0..3).map(|at| told[at]["state"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(states, ["up", "down", "incompatible"], "{told:#}");
    assert_eq!(daemon.ktrdr("services list")?.status, 0, "a report exits 0 whatever it reports");
    Ok(())
}

#[test]
fn connections_are_few_whatever_the_traffic() -> Result<()> {
    let sim = TrainingSim::start("--generation e --slots 8 --epoch-ms 200")?;
    let daemon = daemon_with(&format!("{};slots=8", sim.host("gpu")))?;
    let ids: Vec<String> = (0..8).map(|_| begun(&daemon, "")).collect::<Result<_>>()?;
    for id in &ids {
        assert_eq!(ended(&daemon, id)?["state"], "completed");
    }
    let report = sim.report()?;
    let told = daemon.ktrdr("services list -f json")?.json()?["services"][0].clone();
    assert!(
        report["connections"]["most_at_once"].as_u64() <= Some(5),
        "four of the pool and the one that asks: {report:#}"
    );
    assert!(told["pool"]["opened"].as_u64() <= Some(4), "{told:#}");
    assert!(told["pool"]["reused"].as_u64() > Some(50), "{told:#}");
    Ok(())
}

#[test]
fn a_service_that_hangs_up_on_idle_connections_causes_no_errors() -> Result<()> {
    // shorter than the pause between two polls: every connection is closed before it is used again
    let sim = TrainingSim::start("--keep-alive-ms 60 --epoch-ms 300")?;
    let daemon = daemon_with(&sim.host("gpu"))?;
    let id = begun(&daemon, "")?;
    assert_eq!(ended(&daemon, &id)?["state"], "completed");
    let told = daemon.ktrdr("services list -f json")?.json()?["services"][0].clone();
    assert!(told["last_error"].is_null() && told["breaker"] == "closed", "{told:#}");
    Ok(())
}

#[test]
fn a_service_that_fails_again_and_again_is_left_alone_and_found_again() -> Result<()> {
    let sim = TrainingSim::start("")?;
    let port = sim.port();
    let daemon = daemon_with(&sim.host("gpu"))?;
    daemon.ktrdr("services check")?.ok()?;
    sim.kill()?;
    wait::until_true("the breaker to open", wait::LIMIT, || {
        let refused = daemon.ktrdr("services check")?.status == 5;
        Ok(refused && daemon.ktrdr("services list -f json")?.json()?["services"][0]["breaker"] == "open")
    })?;
    // who wants something of it now, has it asked now
    daemon.ktrdr("models train demo.yaml -f json")?.fails(5, "HOST_UNREACHABLE")?;
    let _back = TrainingSim::start_on(port, "--epoch-ms 30")?;
    daemon.ktrdr("models train demo.yaml --wait")?.ok()?;
    Ok(())
}

#[test]
fn an_address_of_something_else_is_told_as_that() -> Result<()> {
    // the gateway's simulator speaks another language altogether
    let gateway = ktrdr_tests::gateway_sim::GatewaySim::start("")?;
    let daemon = daemon_with(&format!("gpu=http://127.0.0.1:{}", gateway.port()))?;
    let ran = daemon.ktrdr("models train demo.yaml -f json")?;
    assert_eq!(ran.status, 5, "{ran:#?}");
    Ok(())
}

#[test]
fn https_is_not_spoken_to_a_service_without_it() -> Result<()> {
    let sim = TrainingSim::start("")?;
    let daemon = daemon_with(&format!("gpu=https://localhost:{}", sim.port()))?;
    let ran = daemon.ktrdr("models train demo.yaml -f json")?;
    ran.fails(5, "HOST_CERTIFICATE")?;
    Ok(())
}

#[test]
fn configurations_that_cannot_be_meant_keep_the_daemon_from_starting() -> Result<()> {
    each_of(
        &[
            "gpu",
            "gpu=ftp://x",
            "gpu=http://u:p@h",
            "a=http://h,a=http://h2",
            "gpu=http://h;slots=0",
            "gpu=http://h;x=1",
        ],
        |hosts| {
            let home = super::home_with_hosts(hosts)?;
            let mut process = ktrdr_tests::daemon::spawn(&home)?;
            let status = process.ended_within(wait::LIMIT)?;
            anyhow::ensure!(status.code() == Some(2), "{status}");
            Ok(())
        },
    )
}
