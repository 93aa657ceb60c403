//! A gateway that talks nonsense: whatever it says, nothing hangs, nothing wrong is stored, and what it says only once is
//! got over without a hand on the keyboard.

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::{
    daemon::TestDaemon,
    gateway_sim::GatewaySim,
    series::{self, Bar},
};

use crate::support::{SCALE, each_of, stored};

const SERIES: &str = "AAPL -t 1h";
/// Three requests.
const LOAD: &str = "data load AAPL -t 1h --start 2024-01-02 --end 2025-01-01 -f json";
/// More often than anybody asks.
const ALWAYS: u32 = 10_000;

/// With simulated time as quick as the daemon's.
fn flags() -> String {
    format!("--time-scale {SCALE}")
}

/// What an honest gateway has.
fn truth() -> Result<Vec<Bar>> {
    let sim = GatewaySim::start(&flags())?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    daemon.ktrdr(LOAD)?.ok()?;
    let bars = stored(&daemon, SERIES)?;
    ensure!(bars.len() > 3_000, "{} bars", bars.len());
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(bars)
}

/// What is said once, in the middle of a load.
const ONCE: &[&str] = &[
    // frames
    "garbage_length",
    "oversized_frame",
    "cut_mid_frame",
    "bad_proto",
    "unknown_id",
    "text_frame",
    "fin",
    "rst",
    "minus_two",
    // nothing, or too slowly
    "freeze",
    "stop_reading",
    "slow_drip",
    "drop_response",
    "late",
    // ends and ids
    "no_end",
    "end_first",
    "dup_end",
    "foreign_end",
    "wrong_req_id",
    "echo_cancel",
    "data_then_error",
    // bars
    "unsorted",
    "dup_bars",
    "duplicate_timestamps",
    "running_last_bar",
    "nan_price",
    "impossible_price",
    "huge",
    // dates
    "zoned_dates",
    "utc_end",
    "zoneless_end",
    "unknown_zone_end",
];

#[test]
fn nonsense_that_is_told_once_is_got_over() -> Result<()> {
    let truth = truth()?;
    each_of(ONCE, |kind| {
        let rule = format!("[[fault]]\nkind = \"{kind}\"\non = \"historical_data\"\nnth = 2\n");
        let sim = GatewaySim::with_faults(&rule, &flags())?;
        let daemon = TestDaemon::hurried(&sim, SCALE)?;
        let document = daemon.ktrdr(LOAD)?.json()?;
        ensure!(document["status"] == "completed", "{document}");
        let bars = stored(&daemon, SERIES)?;
        ensure!(bars == truth, "{} bars instead of {}", bars.len(), truth.len());
        let ended = daemon.terminate()?;
        ensure!(sim.report()?.document()["faults"][kind] == 1, "it was played");
        drop(ended);
        Ok(())
    })
}

/// What is said again and again: on what request, what the user reads in the end. Of a load whose requests all failed for
/// reasons that may pass, it is that it is not complete; the message tells why.
const ALWAYS_SO: &[(&str, &str, &str)] = &[
    ("garbage_length", "historical_data", "GATEWAY_LOST"),
    ("cut_mid_frame", "historical_data", "GATEWAY_LOST"),
    ("end_first", "historical_data", "PROTOCOL_ERROR"),
    ("zoneless_end", "historical_data", "PROTOCOL_ERROR"),
    ("unknown_zone_end", "historical_data", "PROTOCOL_ERROR"),
    ("drop_response", "historical_data", "LOAD_INCOMPLETE"),
    ("late", "historical_data", "LOAD_INCOMPLETE"),
    ("no_end", "historical_data", "LOAD_INCOMPLETE"),
    ("wrong_req_id", "historical_data", "LOAD_INCOMPLETE"),
    ("data_then_error", "historical_data", "LOAD_INCOMPLETE"),
    ("drop_response", "contract_details", "REQUEST_TIMED_OUT"),
    ("no_end", "contract_details", "REQUEST_TIMED_OUT"),
    ("wrong_req_id", "contract_details", "REQUEST_TIMED_OUT"),
];

#[test]
fn nonsense_without_end_ends_the_load_with_its_reason_and_stores_nothing() -> Result<()> {
    each_of(ALWAYS_SO, |(kind, on, reason)| {
        let rule = format!("[[fault]]\nkind = \"{kind}\"\non = \"{on}\"\ntimes = {ALWAYS}\n");
        let sim = GatewaySim::with_faults(&rule, &flags())?;
        let daemon = TestDaemon::hurried(&sim, SCALE)?;
        let ran = daemon.ktrdr(LOAD)?;
        let error = ran.document()?["error"].clone();
        ensure!(ran.status != 0 && error["reason"] == *reason, "{ran:?}");
        let shown = daemon.ktrdr("data show AAPL -t 1h --all -f csv")?;
        ensure!(shown.status != 0 || series::printed(&shown.stdout)?.is_empty(), "{shown:?}");
        drop(daemon.terminate()?);
        sim.report()?;
        Ok(())
    })
}

#[test]
fn bars_that_cannot_be_are_left_out_and_told_as_gaps() -> Result<()> {
    let truth = truth()?;
    each_of(&["nan_price", "impossible_price"], |kind| {
        let rule = format!("[[fault]]\nkind = \"{kind}\"\non = \"historical_data\"\ntimes = {ALWAYS}\n");
        let sim = GatewaySim::with_faults(&rule, &flags())?;
        let daemon = TestDaemon::hurried(&sim, SCALE)?;
        let document = daemon.ktrdr(LOAD)?.json()?;
        let gaps = document["gaps_left"].as_array().context("no gaps")?.len();
        let bars = stored(&daemon, SERIES)?;
        ensure!(gaps > 0 && !bars.is_empty() && bars.len() < truth.len(), "{document}");
        ensure!(bars.iter().all(|bar| truth.contains(bar)), "a bar that is not true");
        drop(daemon.terminate()?);
        sim.report()?;
        Ok(())
    })
}

#[test]
fn a_gateway_that_closes_over_too_many_bars_is_asked_for_fewer() -> Result<()> {
    let truth = truth()?;
    let rule = format!("[[fault]]\nkind = \"kick_on_huge\"\nbars = 1500\non = \"historical_data\"\ntimes = {ALWAYS}\n");
    let sim = GatewaySim::with_faults(&rule, &flags())?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    let document = daemon.ktrdr(LOAD)?.json()?;
    ensure!(document["status"] == "completed" && document["gaps_left"] == serde_json::json!([]), "{document}");
    ensure!(stored(&daemon, SERIES)? == truth, "the same bars");
    drop(daemon.terminate()?);
    let connections = sim.report()?.connections();
    ensure!(connections == 5, "each half of a year is given up after two: {connections}");
    Ok(())
}

#[test]
fn a_gateway_that_answers_a_byte_a_second_keeps_nobody_waiting() -> Result<()> {
    each_of(&["historical_data", "contract_details"], |on| {
        let rule = format!("[[fault]]\nkind = \"slow_drip\"\non = \"{on}\"\nseconds = 1000000\ntimes = {ALWAYS}\n");
        let sim = GatewaySim::with_faults(&rule, &flags())?;
        let daemon = TestDaemon::hurried(&sim, SCALE)?;
        let ran = daemon.ktrdr(LOAD)?;
        let reason = ran.document()?["error"]["reason"].clone();
        let told = ["REQUEST_TIMED_OUT", "GATEWAY_LOST", "LOAD_INCOMPLETE"];
        ensure!(ran.status != 0 && told.iter().any(|told| reason == *told), "{ran:?}");
        drop(daemon.terminate()?);
        sim.report()?;
        Ok(())
    })
}

#[test]
fn a_gateway_that_accepts_and_never_answers_keeps_nobody_waiting() -> Result<()> {
    let rules = ["silent_after_accept", "silent_after_start", "omit_managed_accounts"];
    each_of(&rules, |kind| {
        let rule = format!("[[fault]]\nkind = \"{kind}\"\nseconds = 10000\ntimes = {ALWAYS}\n");
        let sim = GatewaySim::with_faults(&rule, &flags())?;
        let daemon = TestDaemon::hurried(&sim, SCALE)?;
        let ran = daemon.ktrdr(LOAD)?;
        let reason = ran.document()?["error"]["reason"].clone();
        let told = ["GATEWAY_UNREACHABLE", "GATEWAY_WEDGED", "GATEWAY_NOT_READY"];
        ensure!(ran.status == 5 && told.iter().any(|told| reason == *told), "{ran:?}");
        drop(daemon.terminate()?);
        sim.report()?;
        Ok(())
    })
}
