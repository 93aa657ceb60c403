//! Bars through the IB host service of the old system: the second source, held against the first.

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim, home::Home, ib_host_sim::IbHostSim, wait};
use serde_json::Value;

use crate::support::{SCALE, detached, document, each_of, gateway_is, operation, stored};

/// Both at the same simulated speed, so that their markets agree.
const FLAGS: &str = "--time-scale 60";

/// The two sources by name.
const SOURCES: [&str; 2] = ["gateway", "host service"];

/// What a source stands on.
enum Peer {
    Gateway(GatewaySim),
    Host(IbHostSim),
}

fn with(source: &str) -> Result<(Peer, TestDaemon)> {
    let mut home = Home::new()?;
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    let peer = if source == "gateway" {
        let sim = GatewaySim::start(FLAGS)?;
        home.set("KTRDR_IB_PORT", sim.port().to_string());
        Peer::Gateway(sim)
    } else {
        let sim = IbHostSim::start(FLAGS)?;
        home.set("USE_IB_HOST_SERVICE", "true");
        home.set("IB_HOST_SERVICE_URL", sim.url());
        Peer::Host(sim)
    };
    Ok((peer, TestDaemon::start_in(home)?))
}

/// Nobody misbehaved.
fn ended(peer: Peer, daemon: TestDaemon) -> Result<()> {
    drop(daemon.terminate()?);
    if let Peer::Gateway(sim) = peer {
        sim.report()?;
    }
    Ok(())
}

#[test]
fn both_sources_bring_the_same_bars() -> Result<()> {
    let loads = [
        ("AAPL -t 1h", "--start 2024-01-01 --end 2024-12-31"),
        ("AAPL -t 1d", "--start 2023-01-01 --end 2024-12-31"),
        ("EURUSD -t 1h", "--start 2024-10-01 --end 2024-12-31"),
        ("MSFT -t 5m", "--start 2024-03-01 --end 2024-03-15"),
    ];
    let mut bars = Vec::new();
    for source in SOURCES {
        let (peer, daemon) = with(source)?;
        for (series, range) in loads {
            let loaded = document(&daemon, &format!("data load {series} {range}"))?;
            ensure!(loaded["success"] == true, "{source}: {loaded:#}");
            bars.push((series, stored(&daemon, series)?));
        }
        ended(peer, daemon)?;
    }
    let (of_gateway, of_host) = bars.split_at(loads.len());
    for ((series, one), (_, other)) in of_gateway.iter().zip(of_host) {
        ensure!(one.len() > 300, "{series}: {} bars", one.len());
        ensure!(one == other, "{series} differs: {} and {} bars", one.len(), other.len());
    }
    Ok(())
}

/// The promises of loads, whoever answers.
#[test]
fn loads_keep_their_promises_with_either_source() -> Result<()> {
    each_of(&SOURCES, |source| {
        let (peer, daemon) = with(source)?;
        let line = "data load AAPL -t 1h --mode full --start 2023-01-01 --end 2024-12-31";
        let first = document(&daemon, line)?;
        ensure!(first["success"] == true && first["gaps_left"] == serde_json::json!([]), "{first:#}");
        // exactly the sessions of the calendar: no gap, and nothing is asked twice
        let gaps = document(&daemon, "data gaps AAPL -t 1h")?;
        ensure!(gaps["series"][0]["gaps"] == serde_json::json!([]), "{gaps:#}");
        let second = document(&daemon, line)?;
        ensure!((&second["bars_loaded"], &second["requests_made"]) == (&0.into(), &0.into()), "{second:#}");
        let later = document(&daemon, "data load AAPL -t 1h --start 2025-01-01 --end 2025-01-31")?;
        ensure!(later["bars_loaded"].as_u64() > Some(100), "{later:#}");
        let unknown = daemon.ktrdr("data load NOSUCHTHING -t 1h -f json")?;
        unknown.fails(7, "CONTRACT_NOT_FOUND")?;
        // stopped halfway, it keeps what it has; a restart goes on with the rest
        let id = detached(&daemon, "data load MSFT -t 1m --start 2025-01-06 --end 2025-01-31")?;
        crate::support::steps_done(&daemon, &id, 1)?;
        let daemon = daemon.kill_9()?.start()?;
        ensure!(operation(&daemon, &id)?["state"] == "interrupted");
        let rest = document(&daemon, "data load MSFT -t 1m --start 2025-01-06 --end 2025-01-31")?;
        ensure!(rest["success"] == true && rest["bars_total"].as_u64() > Some(10_000), "{rest:#}");
        drop(daemon.terminate()?);
        drop(peer);
        Ok(())
    })
}

#[test]
fn what_the_service_does_not_have_is_refused_before_anything_leaves() -> Result<()> {
    let (Peer::Host(sim), daemon) = with("host service")? else { return Ok(()) };
    for line in
        ["data load ES-202503 -t 1h", "data load AAPL -t 1h --trading-hours", "data load EURUSD -t 1h --what bid"]
    {
        daemon.ktrdr(&format!("{line} -f json"))?.fails(1, "SOURCE_CANNOT")?;
    }
    assert_eq!(sim.requests("POST /data/historical")?, 0);
    let status = daemon.ktrdr("ib status -f json")?.json()?;
    assert_eq!((&status["state"], &status["address"]), (&"ready".into(), &sim.url().into()), "{status:#}");
    let services = daemon.ktrdr("services list -f json")?.json()?;
    assert_eq!((&services["services"][0]["kind"], &services["services"][0]["version"]), (&"ib".into(), &"IB".into()));
    Ok(())
}

#[test]
fn a_gateway_that_is_away_behind_the_service_is_told_and_nothing_negative_is_remembered() -> Result<()> {
    let (Peer::Host(sim), daemon) = with("host service")? else { return Ok(()) };
    gateway_is(&daemon, "ready")?;
    sim.gateway_down(true)?;
    let refused = daemon.ktrdr("data load AAPL -t 1h --start 2025-01-06 --end 2025-01-10 -f json")?;
    ensure!(refused.status != 0, "{refused:#?}");
    sim.gateway_down(false)?;
    let loaded = wait::until("the load", wait::LIMIT, || {
        let loaded = document(&daemon, "data load AAPL -t 1h --start 2025-01-06 --end 2025-01-10")?;
        Ok((loaded["success"] == true).then_some(loaded))
    })?;
    ensure!(loaded["bars_loaded"].as_u64() > Some(40), "{loaded:#}");
    Ok(())
}

#[test]
fn faults_of_the_service_store_nothing_wrong() -> Result<()> {
    const KINDS: [&str; 13] = [
        "reset",
        "eof-after",
        "late",
        "slow-body",
        "cut-body",
        "html",
        "not-json",
        "wrong-shape",
        "e500",
        "e503-retry",
        "rows-lie",
        "not-twice",
        "doubled",
    ];
    let good = {
        let (peer, daemon) = with("host service")?;
        document(&daemon, "data load AAPL -t 1h --start 2025-01-06 --end 2025-01-10")?;
        let bars = stored(&daemon, "AAPL -t 1h")?;
        drop(peer);
        bars
    };
    each_of(&KINDS, |kind| {
        let (Peer::Host(sim), daemon) = with("host service")? else { return Ok(()) };
        gateway_is(&daemon, "ready")?;
        sim.fault("historical", kind, 1, 60_000)?;
        let line = "data load AAPL -t 1h --start 2025-01-06 --end 2025-01-10";
        let first: Value = document(&daemon, line)?;
        if first["success"] != true {
            let again = document(&daemon, line)?;
            ensure!(again["success"] == true, "{again:#}");
        }
        ensure!(stored(&daemon, "AAPL -t 1h")? == good, "{kind}: other bars");
        Ok(())
    })
}

#[test]
fn the_service_is_found_again_after_it_was_away() -> Result<()> {
    let (Peer::Host(sim), daemon) = with("host service")? else { return Ok(()) };
    gateway_is(&daemon, "ready")?;
    let port = sim.port();
    sim.kill()?;
    daemon.ktrdr("ib test -f json")?.fails(5, "HOST_UNREACHABLE").context("while it is away")?;
    let _back = IbHostSim::start_on(port, FLAGS)?;
    let loaded = wait::until("the load", wait::LIMIT, || {
        let loaded = document(&daemon, "data load AAPL -t 1d --start 2025-01-06 --end 2025-01-31")?;
        Ok((loaded["success"] == true).then_some(loaded))
    })?;
    assert!(loaded["bars_loaded"].as_u64() > Some(15), "{loaded:#}");
    Ok(())
}
