//! What the old system got wrong, each trap a test with its number in its name. Those that other tests cover already are
//! listed in `covered`, which sees to it that they are still there.

mod covered;
mod fetching;
mod missing;
mod storing;

use anyhow::{Context as _, Result};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim, home::Home};
use serde_json::Value;

use crate::support::{SCALE, document};

/// A gateway with generated prices, and a daemon.
fn pair() -> Result<(GatewaySim, TestDaemon)> {
    let sim = GatewaySim::start("--time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    Ok((sim, daemon))
}

fn ended(sim: GatewaySim, daemon: TestDaemon) -> Result<()> {
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}

/// Imports text under the name of a file.
fn imported(daemon: &TestDaemon, name: &str, text: &str, flags: &str) -> Result<Value> {
    let file = daemon.file(name, text)?;
    document(daemon, &format!("data import {} {flags}", file.display()))
}

/// Absent bars that a load would ask for, and how many ranges they are.
fn gaps(home: &Home, series: &str) -> Result<(u64, usize)> {
    let told = document(home, &format!("data gaps {series}"))?;
    let gaps = told["series"][0]["gaps"].as_array().context("gaps")?;
    let asked = gaps.iter().filter(|gap| gap["class"] == "never_asked");
    Ok((asked.clone().filter_map(|gap| gap["bars"].as_u64()).sum(), asked.count()))
}

/// Daily bars of these dates.
fn daily(dates: impl IntoIterator<Item = jiff::civil::Date>) -> String {
    let rows = dates.into_iter().map(|date| format!("{date},10,11,9,10.5,1000\n"));
    std::iter::once("date,open,high,low,close,volume\n".to_owned()).chain(rows).collect()
}
