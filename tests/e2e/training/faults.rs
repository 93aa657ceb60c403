//! Faults while a session runs: the list, the status, the result.

use anyhow::{Result, ensure};
use serde_json::json;

use super::{begun, ended, epochs_done, pair};
use crate::support::each_of;

/// Whatever happens to single polls, the session is followed to its end.
#[test]
fn faulty_polls_change_no_state() -> Result<()> {
    const KINDS: [&str; 20] = [
        "reset",
        "reset-after",
        "eof-after",
        "hang",
        "slow-headers",
        "slow-body",
        "cut-body",
        "too-large",
        "lying-length",
        "html",
        "not-json",
        "wrong-shape",
        "empty",
        "e400",
        "e500",
        "e502",
        "e503-retry",
        "e504",
        "redirect",
        "skewed-clock",
    ];
    each_of(&KINDS, |kind| {
        for (generation, route) in [("a", "list"), ("worker", "operations")] {
            let (sim, daemon) = pair(&format!("--generation {generation} --epoch-ms 150"))?;
            let id = begun(&daemon, "")?;
            epochs_done(&daemon, &id, 1)?;
            sim.fault(route, kind, 3, 300)?;
            let end = ended(&daemon, &id)?;
            ensure!(end["state"] == "completed", "{generation}: {end:#}");
            ensure!(sim.starts(&id)? == 1, "{generation}");
        }
        Ok(())
    })
}

/// The end is known without the expensive look; its figures are poorer then.
#[test]
fn a_result_that_cannot_be_fetched_changes_no_state() -> Result<()> {
    const KINDS: [&str; 7] = ["hang", "not-json", "e500", "e500-not-found", "reset", "too-large", "e404-plain"];
    each_of(&KINDS, |kind| {
        for (generation, route) in [("a", "status"), ("e", "result"), ("e", "operation")] {
            let (sim, daemon) = pair(&format!("--generation {generation} --epoch-ms 60"))?;
            sim.fault(route, kind, 0, 300)?;
            let id = begun(&daemon, "")?;
            let end = ended(&daemon, &id)?;
            ensure!(end["state"] == "completed" && end["result"]["host"] == "gpu", "{generation} {route}: {end:#}");
            // whoever has the only copy keeps it; of e, the one of the two routes that works is enough
            let fetched = !["e500-not-found", "e404-plain"].contains(kind) && route != "result";
            let deleted = sim.requests("DELETE /training/sessions/{id}")?;
            ensure!(deleted == 0 || !fetched, "{generation} {route}: {deleted} deleted");
        }
        Ok(())
    })
}

#[test]
fn one_malformed_session_of_somebody_else_blinds_nobody() -> Result<()> {
    let (sim, daemon) = pair("--slots 2 --epoch-ms 300")?;
    // it runs, and the list answers 500 for everybody until it is taken out
    let theirs = json!({"session_id": "theirs", "model_configuration": {}, "data_configuration": {"symbols": ["AAPL"], "timeframes": ["1h"]},
        "training_configuration": {"epochs": "ten"}});
    ensure!(sim.ask("POST", "/training/start", Some(&theirs)).is_err(), "the service says that it failed");
    ensure!(sim.starts("theirs")? == 1, "and it runs");
    let id = begun(&daemon, "")?;
    let end = ended(&daemon, &id)?;
    ensure!(end["state"] == "completed", "{end:#}");
    ensure!(sim.requests("GET /training/status/{id}")? > 2, "each is asked for by itself");
    Ok(())
}

#[test]
fn unknown_words_progress_backwards_and_stuck_are_shown_as_they_are() -> Result<()> {
    let (sim, daemon) = pair("--epoch-ms 400")?;
    let id = begun(&daemon, "")?;
    let before = epochs_done(&daemon, &id, 2)?["progress"]["percent"].as_f64();
    sim.show(&id, &json!({"status": "hibernating", "epoch": 0, "batch": 1}))?;
    let told = ktrdr_tests::wait::until("the word", ktrdr_tests::wait::LIMIT, || {
        let operation = crate::support::operation(&daemon, &id)?;
        Ok((operation["progress"]["training"]["host_state"] == "hibernating").then_some(operation))
    })?;
    assert_eq!(told["state"], "running");
    assert!(told["progress"]["percent"].as_f64() >= before, "{told:#}");
    assert!(told["progress"]["message"].as_str().is_some_and(|text| text.contains("hibernating")), "{told:#}");
    sim.show(&id, &json!({"release": true}))?;
    assert_eq!(ended(&daemon, &id)?["state"], "completed");
    Ok(())
}

#[test]
fn losses_that_are_no_numbers_are_no_error() -> Result<()> {
    let (_sim, daemon) = pair("--epoch-ms 50")?;
    let done = daemon.ktrdr("models train demo.yaml NANUSD 1h --wait -f json")?.json()?;
    assert_eq!(done["state"], "completed");
    let losses = done["result"]["curves"]["train_loss"].as_array().cloned().unwrap_or_default();
    assert!(losses.iter().all(serde_json::Value::is_null), "{done:#}");
    Ok(())
}
