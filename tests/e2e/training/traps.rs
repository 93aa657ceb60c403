//! The numbered traps of the services: which test covers each. A test that goes away, or gets another name, is missed.

use std::{collections::BTreeSet, fs};

use anyhow::{Context as _, Result, ensure};

/// The trap's number, the file from the root of the project, the test in it.
const COVERED: &[(u32, &str, &str)] = &[
    (1, "tests/e2e/training/faults.rs", "a_result_that_cannot_be_fetched_changes_no_state"),
    (2, "daemon/src/host_service/reply.rs", "a_detail_is_a_text_or_a_list_or_nothing"),
    (3, "daemon/src/operations/mod.rs", "only_what_has_completed_is_whole"),
    (4, "daemon/src/training/progress.rs", "whatever_comes_it_never_goes_back_and_never_beyond"),
    (5, "tests/e2e/training/traps.rs", "trap_05_what_a_host_ignores_is_said_before"),
    (6, "tests/e2e/training/life.rs", "every_generation_is_told_apart_trains_once_and_gives_what_it_has"),
    (7, "tests/e2e/training/life.rs", "the_expensive_look_is_taken_once_and_the_list_serves_all"),
    (8, "daemon/src/training/report.rs", "whatever_stands_in_the_place_of_a_number_is_read"),
    (
        9,
        "tests/e2e/training/exactly_once.rs",
        "whatever_happens_to_a_start_there_is_one_session_or_none_and_the_state_is_true",
    ),
    (10, "tests/e2e/training/faults.rs", "one_malformed_session_of_somebody_else_blinds_nobody"),
    (11, "daemon/src/host_service/call.rs", "ids_stay_one_part_of_the_path"),
    (
        12,
        "tests/e2e/training/exactly_once.rs",
        "a_start_that_is_carried_out_long_after_it_was_given_up_is_the_one_session",
    ),
    (
        13,
        "tests/e2e/training/restarts.rs",
        "a_host_that_forgets_its_sessions_interrupts_them_and_says_how_far_they_were",
    ),
    (14, "tests/e2e/training/exactly_once.rs", "a_daemon_killed_during_a_start_neither_doubles_nor_loses_it"),
    (15, "tests/e2e/training/stops.rs", "a_stop_that_takes_long_is_waited_for_and_one_that_never_ends_is_told"),
    (16, "tests/e2e/training/stops.rs", "ctrl_c_stops_the_session_where_the_host_can"),
    (17, "daemon/src/training/report.rs", "one_table_of_states_and_unknown_words_run_on"),
    (18, "tests/e2e/training/queue.rs", "who_waits_is_told_where_and_goes_by_priority_then_in_turn"),
    (19, "daemon/src/host_service/breaker.rs", "a_service_at_work_is_given_more_time"),
    (20, "tests/e2e/training/stops.rs", "a_host_that_cannot_stop_keeps_its_slot_until_the_session_has_really_ended"),
    (21, "tests/e2e/training/stops.rs", "ctrl_c_stops_the_session_where_the_host_can"),
    (
        23,
        "tests/e2e/training/restarts.rs",
        "a_host_that_forgets_its_sessions_interrupts_them_and_says_how_far_they_were",
    ),
    (24, "daemon/src/training/progress.rs", "curves_are_kept_when_a_later_look_tells_less"),
    (26, "tests/e2e/training/hosts.rs", "a_service_that_hangs_up_on_idle_connections_causes_no_errors"),
    (27, "daemon/src/training/capabilities.rs", "a_gpu_that_is_called_none_is_none"),
    (29, "tests/e2e/training/faults.rs", "a_result_that_cannot_be_fetched_changes_no_state"),
    (30, "tests/e2e/training/queue.rs", "a_host_where_somebody_elses_session_runs_is_asked_again_later"),
    (31, "daemon/src/training/bodies.rs", "lists_are_lists_and_counts_are_always_sent"),
    (32, "tests/e2e/training/life.rs", "every_generation_is_told_apart_trains_once_and_gives_what_it_has"),
    (33, "daemon/src/training/capabilities.rs", "the_routes_tell_the_generation"),
    (
        34,
        "tests/e2e/training/exactly_once.rs",
        "whatever_happens_to_a_start_there_is_one_session_or_none_and_the_state_is_true",
    ),
    (35, "tests/e2e/training/life.rs", "everybody_is_answered_while_a_host_is_silent"),
    (36, "tests/e2e/training/restarts.rs", "another_version_that_comes_up_behind_the_same_address_is_noticed"),
    (37, "tests/e2e/training/bad_input.rs", "bad_input_is_refused_with_its_reason_and_starts_nothing"),
    (38, "tests/e2e/training/life.rs", "models_are_listed_shown_and_compared"),
    (39, "daemon/src/training/models.rs", "facts_come_from_the_metadata_and_never_from_the_folder"),
    (
        40,
        "tests/e2e/host_source.rs",
        "a_gateway_that_is_away_behind_the_service_is_told_and_nothing_negative_is_remembered",
    ),
    (41, "daemon/src/gateway/hosted_wire.rs", "bars_are_read_twice_and_counted"),
    (42, "tests/e2e/host_source.rs", "what_the_service_does_not_have_is_refused_before_anything_leaves"),
    (43, "tests/e2e/host_source.rs", "the_service_is_found_again_after_it_was_away"),
    (44, "daemon/src/host_service/address.rs", "open_networks_are_warned_of"),
    (45, "tests/e2e/training/traps.rs", "trap_45_what_only_the_host_finds_wrong_is_its_failure"),
];

/// 22: nothing can be done over HTTP. 25: no time of a training host is read. 28: `evaluate` is not offered.
const NOTHING_TO_TEST: [u32; 3] = [22, 25, 28];

#[test]
fn every_trap_of_the_services_has_a_test() -> Result<()> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (number, path, test) in COVERED {
        let text = fs::read_to_string(root.join(path)).with_context(|| (*path).to_owned())?;
        ensure!(text.contains(&format!("fn {test}(")), "trap {number}: no {test} in {path}");
    }
    let numbers: BTreeSet<u32> = COVERED.iter().map(|(number, ..)| *number).chain(NOTHING_TO_TEST).collect();
    let missing: Vec<u32> = (1..=45).filter(|number| !numbers.contains(number)).collect();
    ensure!(missing.is_empty(), "traps without a test: {missing:?}");
    Ok(())
}

#[test]
fn trap_05_what_a_host_ignores_is_said_before() -> Result<()> {
    let (_sim, daemon) = super::pair("")?;
    let plan = daemon
        .ktrdr("models train demo.yaml --start-date 2020-01-01 --end-date 2020-12-31 --dry-run -f json")?
        .json()?;
    let host = &plan["hosts"][0];
    assert_eq!(
        (&host["honours_dates"], &host["stops"], &host["gives_result"]),
        (&false.into(), &true.into(), &false.into())
    );
    assert!(plan["notes"].to_string().contains("365 days"), "{plan:#}");
    Ok(())
}

#[test]
fn trap_45_what_only_the_host_finds_wrong_is_its_failure() -> Result<()> {
    let (_sim, daemon) = super::pair("--generation e --epoch-ms 50")?;
    // valid here, and the host finds something all the same
    daemon.file("late.yaml", super::STRATEGY.replace("name: demo", "name: demo\nfail_at_epoch: 2"))?;
    daemon.ktrdr("models train late.yaml -f json")?.fails(1, "TRAINING_FAILED")?;
    Ok(())
}
