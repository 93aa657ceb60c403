//! Loading bars from the gateway.

use anyhow::Result;
use ktrdr_tests::{
    daemon::TestDaemon,
    gateway_sim::GatewaySim,
    series::{self, between},
};

#[test]
fn a_load_stores_exactly_the_bars_of_its_range_and_the_second_fetches_nothing() -> Result<()> {
    let sim = GatewaySim::replaying("")?;
    let daemon = TestDaemon::start(&sim)?;
    let line = "data load NVDA --timeframe 1h --start 2024-01-01 --end 2025-06-01 --format json";
    let first = daemon.ktrdr(line)?.json()?;

    let stored = series::printed(&daemon.ktrdr("data show NVDA -t 1h --all -f csv")?.ok()?)?;
    let file = series::file("NVDA_1h.csv")?;
    let wanted = between(&file, "2024-01-01", "2025-06-02");
    assert_eq!(stored.iter().collect::<Vec<_>>(), wanted);
    assert_eq!(first["bars_loaded"], wanted.len());
    assert_eq!(first["status"], "completed");

    let second = daemon.ktrdr(line)?.json()?;
    assert_eq!(
        (&second["requests_made"], &second["bars_loaded"]),
        (&0.into(), &0.into())
    );
    assert_eq!(second["bars_total"], wanted.len());
    drop(daemon.terminate()?);
    let report = sim.report()?;
    assert_eq!(first["requests_made"], report.made(), "{:#}", report.document());
    Ok(())
}
