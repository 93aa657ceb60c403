//! A training from its start to its result.

use anyhow::{Context as _, Result, ensure};
use ktrdr_tests::training_sim::TrainingSim;
use serde_json::Value;

use super::{begun, daemon_with, ended, epochs_done, operation_is, pair};
use crate::support::each_of;

#[test]
fn every_generation_is_told_apart_trains_once_and_gives_what_it_has() -> Result<()> {
    each_of(&["a", "b", "c", "d", "e", "worker"], |generation| {
        let (sim, daemon) = pair(&format!("--generation {generation} --epoch-ms 60"))?;
        let done = daemon.ktrdr("models train demo.yaml --wait -f json")?.json()?;
        let id = done["id"].as_str().context("no id")?;
        ensure!(done["state"] == "completed" && done["progress"]["percent"] == 100.0, "{done:#}");
        let result = &done["result"];
        ensure!(result["session_id"] == id && result["host"] == "gpu", "{result:#}");
        let keeps_model = *generation != "a";
        ensure!(result["model_path"].is_null() != keeps_model, "{result:#}");
        ensure!(result["metrics"].as_object().is_some_and(|metrics| metrics.len() > 1), "{result:#}");
        ensure!(sim.starts(id)? == 1, "{:#}", sim.report()?);
        // what has ended is taken out of the host, where the host can do that
        let route = "DELETE /training/sessions/{id}";
        if *generation != "worker" {
            ktrdr_tests::wait::until_true("the cleaning up", ktrdr_tests::wait::LIMIT, || {
                Ok(sim.requests(route)? == 1)
            })?;
        }
        let spoken = daemon.ktrdr("services list -f json")?.json()?["services"][0].clone();
        ensure!(spoken["version"].as_str().map(str::to_lowercase).as_deref() == Some(generation), "{spoken:#}");
        ensure!(spoken["last_error"].is_null() && spoken["state"] == "up", "{spoken:#}");
        Ok(())
    })
}

#[test]
fn progress_is_told_in_lines_that_never_go_back() -> Result<()> {
    let (_sim, daemon) = pair("--epoch-ms 150")?;
    let id = begun(&daemon, "")?;
    let lines = daemon.ktrdr(&format!("operations watch {id} -f json"))?.ok()?;
    let states: Vec<Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let percent = |state: &Value| state["progress"]["percent"].as_f64().unwrap_or(0.0);
    assert!(states.windows(2).all(|pair| percent(&pair[0]) <= percent(&pair[1])), "{lines}");
    let (last, before) = states.split_last().context("no states")?;
    assert_eq!((last["state"].clone(), percent(last)), ("completed".into(), 100.0));
    assert!(before.iter().all(|state| percent(state) < 100.0), "{lines}");
    let within: Vec<f64> = before.iter().map(percent).filter(|percent| *percent > 0.0 && *percent < 20.0).collect();
    assert!(!within.is_empty(), "it moves within the first epoch: {lines}");
    assert!(before.iter().any(|state| state["progress"]["training"]["seconds_left"].is_number()), "{lines}");
    Ok(())
}

#[test]
fn the_expensive_look_is_taken_once_and_the_list_serves_all() -> Result<()> {
    let sim = TrainingSim::start("--epoch-ms 100 --slots 3")?;
    let daemon = daemon_with(&format!("{};slots=3", sim.host("gpu")))?;
    let ids: Vec<String> = (0..3).map(|_| begun(&daemon, "")).collect::<Result<_>>()?;
    // everybody watches, and nobody asks the host for it
    let watching: Vec<_> =
        ids.iter().map(|id| daemon.ktrdr_started(&format!("operations watch {id}"))).collect::<Result<_>>()?;
    for watch in watching {
        watch.ended()?.ok()?;
    }
    let report = sim.report()?;
    assert_eq!(report["requests"]["GET /training/status/{id}"], 3, "{report:#}");
    assert_eq!(report["most_running"], 3, "{report:#}");
    // three sessions of half a second, polled every tenth: one list for all of them
    let lists = report["requests"]["GET /training/sessions"].as_u64().context("no lists")?;
    assert!(lists <= 30, "{report:#}");
    let headers = &report["request_headers"];
    assert_eq!(headers["x-request-id"], headers["traceparent"], "{report:#}");
    assert!(headers["x-request-id"].as_u64() >= Some(lists), "{report:#}");
    Ok(())
}

#[test]
fn a_failed_training_says_what_the_host_said() -> Result<()> {
    let (sim, daemon) = pair("--epoch-ms 60")?;
    let ran = daemon.ktrdr("models train demo.yaml NODATA 1h -f json")?;
    let error = ran.fails(1, "TRAINING_FAILED")?;
    assert!(error["message"].as_str().is_some_and(|text| text.contains("No training data")), "{error:#}");
    assert_eq!(ran.document()?["result"]["host"], "gpu");
    let id = ran.document()?["id"].as_str().unwrap_or_default().to_owned();
    // and it can be tried again, as a new session
    let again = daemon.ktrdr(&format!("operations retry {id} -f json"))?.document()?;
    assert_eq!((&again["retry_of"], &again["state"]), (&id.as_str().into(), &"failed".into()), "{again:#}");
    assert_eq!((sim.starts(&id)?, sim.starts(again["id"].as_str().unwrap_or_default())?), (1, 1));
    Ok(())
}

#[test]
fn models_are_listed_shown_and_compared() -> Result<()> {
    let a = TrainingSim::start("--epoch-ms 40")?;
    let e = TrainingSim::start("--generation e --epoch-ms 40")?;
    let mut home = super::home_with_hosts(&format!("{},{}", a.host("old"), e.host("new")))?;
    home.set("MODELS_DIR", home.path().join("models").to_string_lossy());
    let folder = home.path().join("models/demo/EURUSD_1h_v3");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(
        folder.join("metadata.json"),
        r#"{"strategy_name": "demo", "symbol": "EURUSD", "timeframe": "1h", "created_at": "2025-08-01T10:00:00"}"#,
    )?;
    std::fs::write(
        folder.join("metrics.json"),
        r#"{"final_val_accuracy": 0.61, "history": {"train_loss": [2.0, 1.0]}}"#,
    )?;
    let daemon = ktrdr_tests::daemon::TestDaemon::start_in(home)?;
    let mut ids = Vec::new();
    for host in ["old", "new"] {
        let done = daemon.ktrdr(&format!("models train demo.yaml --host {host} --wait -f json"))?.json()?;
        ids.push(done["id"].as_str().context("no id")?.to_owned());
    }
    let models = daemon.ktrdr("models list -f json")?.json()?["models"].clone();
    let names: Vec<_> =
        models.as_array().context("no list")?.iter().map(|model| model["id"].as_str().unwrap_or_default()).collect();
    assert_eq!(names, [ids[1].as_str(), &ids[0], "demo/EURUSD_1h_v3"], "newest first");
    let shown = daemon.ktrdr(&format!("models show {} -f json", ids[1]))?.json()?;
    assert!(shown["path"].as_str().is_some_and(|path| path.starts_with("new:/")), "{shown:#}");
    assert!(shown["curves"]["val_loss"].as_array().is_some_and(|curve| curve.len() > 2), "{shown:#}");
    let text = daemon.ktrdr(&format!("models compare demo/EUR {} {}", ids[0], ids[1]))?.ok()?;
    assert!(text.contains("final_train_loss") && text.contains("train_loss\n"), "{text}");
    daemon.ktrdr("models show nothing -f json")?.fails(7, "MODEL_NOT_FOUND")?;
    daemon.ktrdr("models show op_training -f json")?.fails(2, "MODEL_AMBIGUOUS")?;
    Ok(())
}

#[test]
fn everybody_is_answered_while_a_host_is_silent() -> Result<()> {
    let (sim, daemon) = pair("--epoch-ms 400")?;
    let id = begun(&daemon, "")?;
    operation_is(&daemon, &id, "running")?;
    sim.fault("any", "hang", 0, 0)?;
    epochs_done(&daemon, &id, 0)?;
    for _ in 0..5 {
        let told = daemon.ktrdr("operations list --active -f json --timeout 1")?.json()?;
        assert_eq!(told["operations"][0]["id"], id.as_str());
    }
    let told = ktrdr_tests::wait::until("the silence to be told", ktrdr_tests::wait::LIMIT, || {
        let operation = crate::support::operation(&daemon, &id)?;
        let message = operation["progress"]["message"].as_str().unwrap_or_default().to_owned();
        Ok(message.contains("no answer since").then_some(operation))
    })?;
    assert_eq!(told["state"], "running", "silence is not death");
    sim.ask("DELETE", "/_sim/fault", None)?;
    assert_eq!(ended(&daemon, &id)?["state"], "completed");
    assert_eq!(sim.starts(&id)?, 1);
    Ok(())
}

#[test]
fn data_is_checked_and_loaded_first_where_that_is_asked() -> Result<()> {
    let gateway = ktrdr_tests::gateway_sim::GatewaySim::start("--time-scale 60")?;
    let sim = TrainingSim::start("--epoch-ms 40")?;
    let mut home = super::home_with_hosts(&sim.host("gpu"))?;
    home.set("KTRDR_IB_ENABLED", "true");
    home.set("KTRDR_IB_PORT", gateway.port().to_string());
    home.set("KTRDR_TEST_TIME_SCALE", "60");
    let daemon = ktrdr_tests::daemon::TestDaemon::start_in(home)?;
    let plan = daemon.ktrdr("models train demo.yaml --dry-run -f json")?.json()?;
    assert_eq!(plan["series"][0]["bars"], 0, "{plan:#}");
    let line = "models train demo.yaml --start-date 2025-01-06 --end-date 2025-01-31 --load-missing --wait -f json";
    let done = daemon.ktrdr(line)?.json()?;
    assert_eq!(done["state"], "completed", "{done:#}");
    let plan = daemon.ktrdr("models train demo.yaml --dry-run -f json")?.json()?;
    assert!(plan["series"][0]["bars"].as_u64() > Some(400), "{plan:#}");
    Ok(())
}

#[test]
fn a_host_may_be_named_by_the_variables_of_the_old_system() -> Result<()> {
    let sim = TrainingSim::start("--epoch-ms 40")?;
    let mut home = super::home_with_hosts("unused=http://127.0.0.1:1")?;
    home.set("KTRDR_TRAINING_HOSTS", "");
    home.set("TRAINING_HOST_SERVICE_URL", format!("http://127.0.0.1:{}", sim.port()));
    home.set("USE_TRAINING_HOST_SERVICE", "true");
    let daemon = ktrdr_tests::daemon::TestDaemon::start_in(home)?;
    daemon.ktrdr("models train demo.yaml --wait")?.ok()?;
    let told = daemon.ktrdr("services list -f json")?.json()?;
    assert_eq!(told["services"][0]["name"], "training", "{told:#}");
    drop(daemon_with("")?.ktrdr("models train demo.yaml -f json")?.fails(1, "TRAINING_NOT_CONFIGURED")?);
    Ok(())
}
