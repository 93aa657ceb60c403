//! What time does to what is remembered: contracts are looked up again, operations are forgotten.
//!
//! Time is made to pass in the ledger of a daemon that is down.

use anyhow::{Result, ensure};
use ktrdr_tests::{
    daemon::{Stopped, TestDaemon},
    gateway_sim::GatewaySim,
    home::Home,
    wait,
};

use crate::support::{SCALE, import, stored};

const DAY: i64 = 86_400_000_000_000;

/// Lets the ledger of a daemon that is down say that something happened so many days earlier.
fn aged(stopped: &mut Stopped, statement: &str, days: i64) -> Result<()> {
    let ledger = stopped.home().data().join("ktrdr.sqlite");
    let changed = rusqlite::Connection::open(ledger)?.execute(statement, [days * DAY])?;
    ensure!(changed > 0, "nothing to age");
    Ok(())
}

fn load(home: &Home, month: &str) -> Result<()> {
    home.ktrdr(&format!("data load AAPL -t 1d --start 2025-{month}-01 --end 2025-{month}-20 -f json"))?.ok()?;
    Ok(())
}

#[test]
fn a_contract_is_looked_up_again_after_a_week_and_an_old_one_is_better_than_none() -> Result<()> {
    const AGE: &str = "UPDATE contract SET as_of_ns = as_of_ns - ?1";
    // the third look is not answered
    let rule = "[[fault]]\nkind = \"drop_response\"\non = \"contract_details\"\nnth = 3\n";
    let sim = GatewaySim::with_faults(rule, &format!("--time-scale {SCALE}"))?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    load(&daemon, "02")?;
    let mut stopped = daemon.terminate()?;
    aged(&mut stopped, AGE, 6)?;
    let daemon = stopped.start()?;
    load(&daemon, "03")?;
    let mut stopped = daemon.terminate()?;
    aged(&mut stopped, AGE, 2)?;
    let daemon = stopped.start()?;
    load(&daemon, "04")?;
    let mut stopped = daemon.terminate()?;
    aged(&mut stopped, AGE, 30)?;
    let daemon = stopped.start()?;
    load(&daemon, "05")?;
    ensure!(stored(&daemon, "AAPL -t 1d")?.len() > 50);
    drop(daemon.terminate()?);
    let report = sim.report()?;
    ensure!(report.requests("contract_details") == 3, "first, after eight days, after thirty: {:#}", report.document());
    Ok(())
}

#[test]
fn a_contract_that_the_gateway_does_not_know_any_more_is_looked_up_again_once() -> Result<()> {
    let rule = "[[fault]]\nkind = \"error\"\ncode = 200\ntext = \"No security definition has been found for the request\"\n\
                on = \"historical_data\"\n";
    let sim = GatewaySim::with_faults(rule, &format!("--time-scale {SCALE}"))?;
    let daemon = TestDaemon::hurried(&sim, SCALE)?;
    load(&daemon, "02")?;
    drop(daemon.terminate()?);
    let report = sim.report()?;
    ensure!(report.requests("contract_details") == 2 && report.historical() == 2, "{:#}", report.document());
    Ok(())
}

#[test]
fn ended_operations_are_forgotten_by_age_but_never_the_newest_hundred() -> Result<()> {
    const STARTED: usize = 103;
    let listed = |home: &Home| -> Result<Vec<String>> {
        let document = home.ktrdr("operations list --limit 1000 -f json")?.json()?;
        let all = document["operations"].as_array().into_iter().flatten();
        Ok(all.filter_map(|operation| operation["id"].as_str().map(str::to_owned)).collect())
    };
    let daemon = TestDaemon::alone()?;
    import(&daemon, &["AAPL_1d.csv"])?;
    for _ in 1..STARTED {
        daemon.ktrdr("data load AAPL -t 1d --mode local")?.ok()?;
    }
    let before = listed(&daemon)?;
    ensure!(before.len() == STARTED, "{} operations", before.len());
    let mut stopped = daemon.terminate()?;
    aged(&mut stopped, "UPDATE operation SET created_ns = created_ns - ?1, ended_ns = ended_ns - ?1", 91)?;
    let daemon = stopped.start()?;
    wait::until_true("the oldest to be forgotten", wait::LIMIT, || Ok(listed(&daemon)?.len() == 100))?;
    let mut kept = before.clone();
    kept.sort();
    let gone = kept.drain(..3).collect::<Vec<_>>();
    let mut after = listed(&daemon)?;
    after.sort();
    ensure!(after == kept, "the newest hundred stay");
    daemon.ktrdr(&format!("operations status {} -f json", gone[0]))?.fails(7, "OPERATION_NOT_FOUND")?;
    drop(daemon.terminate()?);
    Ok(())
}

#[test]
fn what_was_replaced_is_given_up_after_the_days_of_the_configuration_and_not_before() -> Result<()> {
    const AGE: &str = "UPDATE kept SET at_ns = at_ns - ?1";
    let mut home = Home::new()?;
    home.set("KTRDR_DATA_KEEP_REPLACED_DAYS", "30");
    let daemon = TestDaemon::start_in(home)?;
    import(&daemon, &["AAPL_1d.csv"])?;
    let bars = stored(&daemon, "AAPL -t 1d")?;
    let delete = |daemon: &TestDaemon| daemon.ktrdr("data delete AAPL -t 1d --yes")?.ok().map(drop);
    delete(&daemon)?;
    let mut stopped = daemon.terminate()?;
    aged(&mut stopped, AGE, 29)?;
    let daemon = stopped.start()?;
    daemon.ktrdr("data restore AAPL -t 1d --yes")?.ok()?;
    ensure!(stored(&daemon, "AAPL -t 1d")? == bars, "what is kept can be brought back");
    delete(&daemon)?;
    let mut stopped = daemon.terminate()?;
    aged(&mut stopped, AGE, 31)?;
    let daemon = stopped.start()?;
    let kept = daemon.data().join("kept");
    wait::until_true("the kept files to be gone", wait::LIMIT, || Ok(std::fs::read_dir(&kept)?.count() == 0))?;
    daemon.ktrdr("data restore AAPL -t 1d --yes -f json")?.fails(7, "NOTHING_KEPT")?;
    Ok(())
}
