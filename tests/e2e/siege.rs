//! The siege, small: each fault by itself, a crowd of a hundred, some kills, some seconds of a soak. `cargo siege` runs it whole.

use std::time::Duration;

use anyhow::{Result, ensure};
use ktrdr_tests::siege::{
    crowd,
    faults::{FAULTS, Seen},
    kills, soak,
};

use crate::support::skipped;

/// A stop that outlives any time-out of the daemon's at the time scale of the test.
const STOP: Duration = Duration::from_secs(4);

fn fault(key: &str) -> Result<()> {
    let fault = FAULTS.iter().find(|fault| fault.key == key);
    let Some(fault) = fault else { anyhow::bail!("there is no fault {key}") };
    if let Seen::Skipped(why) = (fault.run)(STOP)? {
        skipped(fault.name, why);
    }
    Ok(())
}

#[test]
fn who_is_out_of_descriptors_serves_those_who_speak() -> Result<()> {
    fault("descriptors")
}

#[test]
fn sixty_four_descriptors_are_enough() -> Result<()> {
    fault("few_descriptors")
}

#[test]
fn a_clock_that_steps_back_a_day_loses_nothing_and_holds_nothing_up() -> Result<()> {
    fault("clock")
}

#[test]
fn a_daemon_that_stood_still_goes_on_and_its_clients_were_told() -> Result<()> {
    fault("stopped")
}

#[test]
fn a_ledger_that_another_program_has_locked_is_told_and_loses_nothing() -> Result<()> {
    fault("ledger")
}

#[test]
fn a_ledger_that_is_locked_at_the_start_is_told_and_the_next_start_succeeds() -> Result<()> {
    fault("ledger_start")
}

#[test]
fn a_socket_whose_file_is_deleted_comes_back() -> Result<()> {
    fault("socket")
}

#[test]
fn a_runtime_folder_that_is_deleted_comes_back() -> Result<()> {
    fault("folder")
}

#[test]
fn a_service_managers_socket_that_is_deleted_is_told() -> Result<()> {
    fault("passed_socket")
}

#[test]
fn a_crowd_and_bad_clients_keep_nobody_from_being_served() -> Result<()> {
    let outcome = crowd::run(crowd::Size::SMALL, |_| ())?;
    ensure!(outcome.complaints().is_empty(), "{outcome}");
    Ok(())
}

#[test]
fn kills_under_load_lose_nothing_and_leave_nothing_to_clean_up() -> Result<()> {
    let outcome = kills::run(kills::Options { seed: 7, rounds: 15 }, |_| ())?;
    ensure!(outcome.complaints().is_empty(), "{outcome}");
    let document = outcome.document();
    let counted = |key: &str| document[key].as_u64().unwrap_or(0);
    ensure!(counted("loads") > 0 && counted("imports") > 0 && counted("trainings") > 0, "{outcome}");
    Ok(())
}

/// Too short for the slope of memory to be judged; all else is.
#[test]
fn some_seconds_of_a_soak_meet_no_surprise() -> Result<()> {
    let outcome = soak::run(&soak::Options { seed: 7, time: Duration::from_secs(12), chart: None }, |_| ())?;
    let document = outcome.document();
    ensure!(outcome.complaints().is_empty(), "{outcome}");
    ensure!(document["live"].as_u64() > Some(0) && document["operations"].as_u64() > Some(0), "{outcome}");
    Ok(())
}
