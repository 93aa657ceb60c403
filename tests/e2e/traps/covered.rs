//! Traps that other tests cover: which, and where. A test that goes away, or gets another name, is missed here.

use std::{collections::BTreeSet, fs};

use anyhow::{Context as _, Result, ensure};

/// The trap's number, the file from the root of the project, the test in it.
const COVERED: &[(u32, &str, &str)] = &[
    (7, "daemon/src/market_data/calendar/tests.rs", "closed_hours_are_taken_out_and_what_nobody_knows_stays"),
    (8, "tests/e2e/load.rs", "a_series_has_one_session_and_another_changes_nothing"),
    (10, "tests/e2e/check.rs", "the_seven_real_series_have_the_faults_that_are_known"),
    (16, "tests/e2e/load.rs", "what_the_gateway_does_not_know_is_not_found"),
    (17, "daemon/src/market_data/calendar/tests.rs", "hours_follow_the_clock_of_the_exchange"),
    (18, "tests/e2e/check.rs", "the_seven_real_series_have_the_faults_that_are_known"),
    (19, "daemon/src/market_data/load/scope.rs", "the_day_of_the_listing_is_wanted"),
    (22, "daemon/src/market_data/load/wanted.rs", "modes_choose_the_range_when_no_dates_do"),
    (23, "tests/e2e/contracts.rs", "a_symbol_is_validated_with_its_contract_hours_and_history"),
    (24, "daemon/src/market_data/plan.rs", "every_missing_instant_is_asked_for_once_and_no_request_is_too_long"),
    (26, "daemon/src/market_data/load/answer.rs", "the_running_bar_is_neither_kept_nor_known"),
    (29, "tests/e2e/session.rs", "a_restarted_daemon_remembers_what_ib_still_counts"),
    (30, "tests/e2e/session.rs", "a_load_outlives_a_gateway_that_freezes_and_dies"),
    (32, "tests/e2e/wire.rs", "an_error_carries_its_reason"),
    (35, "tests/e2e/contracts.rs", "an_index_has_trades_only_and_a_zone_that_nobody_knows_harms_nothing_else"),
    (39, "tests/e2e/store.rs", "a_damaged_partition_is_told_and_not_served_until_it_is_imported_again"),
    (43, "tests/e2e/crash.rs", "a_killed_load_loses_nothing_and_asks_nothing_twice"),
    (46, "tests/e2e/loads.rs", "a_cancelled_operation_of_many_keeps_what_came_and_says_of_each_how_far_it_was"),
    (49, "tests/e2e/views.rs", "hours_and_clocks_are_those_of_the_exchange"),
    (51, "daemon/src/market_data/merge.rs", "disjoint_answers_may_come_in_any_order"),
    (53, "daemon/src/market_data/check/tests.rs", "a_jump_is_told_and_one_over_a_hole_is_told_apart"),
    (54, "tests/e2e/housekeeping.rs", "a_repair_says_what_it_will_do_does_it_and_can_be_undone"),
    (57, "daemon/src/model/symbol.rs", "what_a_symbol_means_is_in_its_spelling"),
    (58, "tests/e2e/load.rs", "a_currency_pair_has_midpoints_and_one_spelling"),
    (60, "tests/e2e/store.rs", "the_list_names_every_series_with_its_range_also_after_a_restart"),
    (61, "tests/e2e/merge.rs", "prices_of_another_scale_are_never_added_and_a_refetch_replaces_all_of_them"),
    (63, "tests/e2e/address.rs", "one_daemon_an_address_and_one_a_store"),
];

/// Of the old system's dead code alone: there is nothing to hold against it.
const NOTHING_TO_TEST: [u32; 1] = [41];

#[test]
fn every_trap_has_a_test() -> Result<()> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| fs::read_to_string(root.join(path)).with_context(|| path.to_owned());
    for (number, path, test) in COVERED {
        ensure!(read(path)?.contains(&format!("fn {test}(")), "trap {number}: no {test} in {path}");
    }
    let mut numbers: BTreeSet<u32> = COVERED.iter().map(|(number, ..)| *number).chain(NOTHING_TO_TEST).collect();
    for file in ["fetching", "missing", "storing"] {
        let text = read(&format!("tests/e2e/traps/{file}.rs"))?;
        let named = text.match_indices("fn trap_").filter_map(|(at, _)| text.get(at + 8..at + 10)?.parse::<u32>().ok());
        numbers.extend(named);
    }
    let missing: Vec<u32> = (1..=65).filter(|number| !numbers.contains(number)).collect();
    ensure!(missing.is_empty(), "traps without a test: {missing:?}");
    Ok(())
}
