//! Loads of minutes from the simulated gateway: what the daemon takes for a request, and that its memory does not grow with them.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::{
    daemon::{TestDaemon, home_with},
    gateway_sim::GatewaySim,
    home::Home,
    perf::{
        Run,
        figure::ms,
        machine::{MIB, memory},
        report::Row,
    },
    wait,
};

const PEAK_MAX: f64 = 150.0;

struct Loaded {
    requests: f64,
    took: f64,
    peak: f64,
}

fn one(range: &str) -> Result<Loaded> {
    const SCALE: u32 = 600;
    let sim = GatewaySim::start(&format!("--time-scale {SCALE}"))?;
    let mut home: Home = home_with(&sim)?.quiet();
    home.set("KTRDR_TEST_TIME_SCALE", SCALE.to_string());
    let mut daemon = TestDaemon::start_in(home)?;
    wait::until_true("the gateway", wait::LIMIT, || Ok(daemon.ktrdr("ib test")?.status == 0))?;
    let begun = Instant::now();
    let load = daemon.ktrdr(&format!("data load AAPL -t 1m {range} -f json"))?.json()?;
    let took = begun.elapsed().as_secs_f64();
    ensure!(load["success"] == true, "{load:#}");
    let requests = load["requests_made"].as_f64().context("requests")?;
    Ok(Loaded { requests, took, peak: memory(daemon.process().id(), "VmHWM")? / MIB })
}

pub(super) fn measure(_run: &Run) -> Result<Vec<Row>> {
    let month = one("--start 2024-03-01 --end 2024-03-31")?;
    let year = one("--start 2024-01-01 --end 2024-12-31")?;
    let here =
        |load: &Loaded| format!("{} requests, {} each, pacing included", load.requests, ms(load.took / load.requests));
    Ok(vec![
        Row::counted("peak memory of a month of minutes", month.peak, "MiB").at_most(PEAK_MAX).here(here(&month)),
        Row::counted("peak memory of a year of minutes", year.peak, "MiB").at_most(PEAK_MAX).here(here(&year)),
    ])
}
