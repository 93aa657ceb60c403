//! Gateways that are away, that refuse, that die.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use ktrdr_tests::{
    daemon::{TestDaemon, home_with},
    gateway_sim::GatewaySim,
    home::Home,
    wait,
};

use crate::support::{SCALE, SLOW, detached, gateway_is, import, operation, steps_done, stored};

const LOAD: &str = "data load AAPL -t 1h --start 2025-03-03 --end 2025-03-07 -f json";

#[test]
fn without_a_gateway_stored_bars_are_served_and_loads_say_why_not() -> Result<()> {
    let mut home = Home::new()?;
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    let daemon = TestDaemon::start_in(home)?;
    import(&daemon, &["GOOGL_1d.csv"])?;
    assert_eq!(stored(&daemon, "GOOGL")?.len(), 359);

    let error = daemon.ktrdr(LOAD)?.fails(5, "GATEWAY_UNREACHABLE")?;
    assert!(error["message"].as_str().context("a text")?.contains("127.0.0.1:1"), "{error}");
    let status = gateway_is(&daemon, "disconnected")?;
    assert!(status["reason"].as_str().is_some_and(|reason| reason.contains("not reachable")), "{status}");
    daemon.ktrdr("ib test -f json")?.fails(5, "GATEWAY_UNREACHABLE")?;
    Ok(())
}

#[test]
fn a_gateway_that_is_switched_off_is_never_called() -> Result<()> {
    let sim = GatewaySim::start("")?;
    let mut home = home_with(&sim)?;
    home.set("KTRDR_IB_ENABLED", "false");
    let daemon = TestDaemon::start_in(home)?;
    gateway_is(&daemon, "disabled")?;
    daemon.ktrdr(LOAD)?.fails(5, "GATEWAY_DISABLED")?;
    daemon.ktrdr("ib test -f json")?.fails(5, "GATEWAY_DISABLED")?;
    drop(daemon.terminate()?);
    assert_eq!(sim.report()?.connections(), 0);
    Ok(())
}

#[test]
fn a_gateway_that_is_too_old_is_told() -> Result<()> {
    let sim = GatewaySim::start("--server-version 187 --time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    daemon.ktrdr(LOAD)?.fails(5, "GATEWAY_TOO_OLD")?;
    daemon.ktrdr("ib test -f json")?.fails(5, "GATEWAY_TOO_OLD")?;
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn a_gateway_that_closes_in_the_handshake_is_unavailable() -> Result<()> {
    let sim = GatewaySim::start("--close-in-handshake --time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let ran = daemon.ktrdr(LOAD)?;
    assert_eq!(ran.status, 5, "{ran:?}");
    let reason = ran.document()?["error"]["reason"].clone();
    assert!(reason == "GATEWAY_UNREACHABLE" || reason == "GATEWAY_NOT_READY", "{reason}");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

/// The ids that the daemon tried, from its log.
fn client_ids(daemon: &TestDaemon) -> Result<Vec<i32>> {
    let log = std::fs::read_to_string(daemon.daemon_log())?;
    let ids = log.lines().filter_map(|line| {
        let (_, id) = line.split_once("as client ")?;
        id.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    });
    Ok(ids.collect())
}

#[test]
fn a_client_id_that_is_taken_gives_way_to_the_next() -> Result<()> {
    let sim = GatewaySim::start("--client-ids-taken 1 --time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let status = gateway_is(&daemon, "ready")?;
    assert_eq!(status["client_id"], 2);
    assert_eq!(client_ids(&daemon)?, [1, 2]);
    daemon.ktrdr("ib test")?.ok()?;
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn at_most_three_client_ids_are_tried() -> Result<()> {
    let sim = GatewaySim::start("--client-ids-taken 5 --time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    gateway_is(&daemon, "ready")?;
    let tried = client_ids(&daemon)?;
    assert_eq!(tried.iter().collect::<BTreeSet<_>>().len(), 3, "{tried:?}");
    drop(daemon.terminate()?);
    let report = sim.report()?;
    assert_eq!(report.connections(), 6, "{:#}", report.document());
    Ok(())
}

#[test]
fn the_daemon_comes_back_by_itself_when_its_gateway_does() -> Result<()> {
    let sim = GatewaySim::start("--time-scale 60")?;
    let port = sim.port();
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    gateway_is(&daemon, "ready")?;
    sim.kill()?;
    gateway_is(&daemon, "disconnected")?;
    let sim = GatewaySim::start_on(port, "--time-scale 60")?;
    let status = gateway_is(&daemon, "ready")?;
    assert_eq!(status["reconnects"], 1);
    daemon.ktrdr(LOAD)?.ok()?;
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

#[test]
fn a_load_outlives_its_gateway_and_asks_nothing_again_that_is_stored() -> Result<()> {
    let sim = GatewaySim::start(SLOW)?;
    let port = sim.port();
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let id = detached(&daemon, "data load AAPL -t 1m --start 2025-01-06 --end 2025-03-28")?;
    let steps = steps_done(&daemon, &id, 3)?["progress"]["total"].as_u64().context("a number")?;
    let first = sim.report()?.historical();
    gateway_is(&daemon, "disconnected")?;
    let sim = GatewaySim::start_on(port, "--time-scale 60")?;
    let ran = daemon.ktrdr(&format!("operations watch {id}"))?;
    assert_eq!(ran.status, 0, "{ran:?}");
    let result = operation(&daemon, &id)?["result"].clone();
    assert_eq!(result["bars_total"], stored(&daemon, "AAPL -t 1m")?.len());
    drop(daemon.terminate()?);
    let asked = first + sim.report()?.historical();
    assert!(asked == steps || asked == steps + 1, "{asked} requests for {steps} steps");
    Ok(())
}

#[test]
fn a_reconnect_that_was_asked_for_is_polite_and_alone() -> Result<()> {
    let sim = GatewaySim::start("--time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    gateway_is(&daemon, "ready")?;
    daemon.ktrdr("ib reconnect")?.ok()?;
    wait::until_true("the second session", wait::LIMIT, || {
        let status = daemon.ktrdr("ib status -f json")?.json()?;
        Ok(status["state"] == "ready" && status["reconnects"] == 1)
    })?;
    drop(daemon.terminate()?);
    assert_eq!(sim.report()?.connections(), 2);
    Ok(())
}
