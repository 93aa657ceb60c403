//! Every code of the handbook's table, sent by the gateway; what the user sees of it.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use ktrdr_tests::{daemon::TestDaemon, gateway_sim::GatewaySim};
use serde_json::Value;

use crate::support::{detached, each_of, gateway_is};

const LOAD: &str = "data load AAPL -t 1h --start 2025-06-02 --end 2025-06-04";

/// One code with one text.
#[derive(Debug, Clone)]
struct Case {
    code: i32,
    text: String,
    class: String,
    reason: String,
    /// It says something of IB's side, or of nothing we do, rather than of a request.
    unasked: bool,
}

/// From `docs/GATEWAY.md`, which a test of the daemon keeps equal to the table it goes by. Where many codes share many
/// texts, each text is tried with one of the codes in turn.
fn cases() -> Result<Vec<Case>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/GATEWAY.md");
    let handbook = fs::read_to_string(path)?;
    let (_, table) = handbook.split_once("<!-- codes -->\n").context("no table")?;
    let (table, _) = table.split_once("<!-- /codes -->").context("no end")?;
    let mut cases = Vec::new();
    for (number, line) in table.lines().skip(2).enumerate() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [codes, text, scope, class, reason, _] = cells[..] else { bail!("not a row: {line}") };
        let codes: Vec<i32> = codes
            .split([',', '–'])
            .map(|code| code.trim().parse())
            .collect::<Result<_, _>>()
            .context(line.to_owned())?;
        let shared = text != "any" && codes.len() > 1;
        let codes = if shared { vec![codes[number % codes.len()]] } else { codes };
        cases.extend(codes.into_iter().map(|code| Case {
            code,
            text: if text == "any" { format!("Nr. {code}:ushmds") } else { text.trim_matches('`').to_owned() },
            class: class.to_owned(),
            reason: reason.trim_matches('`').to_owned(),
            unasked: matches!(scope, "IB" | "orders") || matches!(class, "info" | "warning") || code == 1300,
        }));
    }
    Ok(cases)
}

/// Plays it, and looks.
fn seen(case: &Case) -> Result<()> {
    let Case { code, text, class, reason, unasked } = case;
    let (id, times) = match class.as_str() {
        _ if *unasked => ("-1", 1),
        // one refusal is waited out
        "pacing" => ("request", 1),
        _ => ("request", 100),
    };
    let rule = format!(
        "[[fault]]\nkind = \"error\"\non = \"historical_data\"\ncode = {code}\ntext = {text:?}\nid = \"{id}\"\ntimes = {times}\n"
    );
    let sim = GatewaySim::with_faults(&rule, "--time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, 60)?;
    if *unasked {
        heard(&daemon, *code)?;
    } else {
        let ran = daemon.ktrdr(&format!("{LOAD} -f json"))?;
        match class.as_str() {
            "pacing" => {
                let slow = reason == "PACING_VIOLATION";
                ensure!(ran.json()?["status"] == "completed");
                ensure!(status(&daemon)?["pacing"]["slow"] == slow);
            }
            "no data" => {
                let document = ran.json()?;
                ensure!(
                    (&document["status"], &document["bars_loaded"]) == (&"completed".into(), &0.into()),
                    "{document}"
                );
            }
            _ => {
                let error = ran.document()?["error"].clone();
                ensure!(ran.status != 0 && error["reason"] == reason.as_str(), "{ran:?}");
                let told = error.to_string();
                ensure!(told.contains(text.as_str()) || reason != "GATEWAY_ERROR", "the text is shown: {told}");
            }
        }
    }
    daemon.terminate()?;
    sim.report()?;
    Ok(())
}

fn status(daemon: &TestDaemon) -> Result<Value> {
    daemon.ktrdr("ib status -f json")?.json()
}

/// Said beside an answer: it ends nothing, and shows where it means something.
fn heard(daemon: &TestDaemon, code: i32) -> Result<()> {
    let state = match code {
        438 => "login_needed",
        1100 | 2110 | 2105 | 2157 | 10197 => "degraded",
        _ => {
            let document = daemon.ktrdr(&format!("{LOAD} -f json"))?.json()?;
            ensure!(document["status"] == "completed", "{document}");
            let status = status(daemon)?;
            ensure!(status["state"] == "ready" && status["unknown_codes"] == serde_json::json!([]), "{status}");
            return Ok(());
        }
    };
    detached(daemon, LOAD)?;
    let status = gateway_is(daemon, state)?;
    ensure!(status["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{status}");
    Ok(())
}

#[test]
fn every_code_of_the_handbook_is_seen_as_it_says() -> Result<()> {
    let cases = cases()?;
    ensure!(cases.len() > 90, "{} cases", cases.len());
    each_of(&cases, seen)
}

#[test]
fn a_code_that_nobody_knows_ends_its_request_and_is_counted() -> Result<()> {
    let rules = "[[fault]]\nkind = \"error\"\non = \"historical_data\"\ncode = 9999\ntext = \"Something new\"\n\
                 [[fault]]\nkind = \"error\"\non = \"historical_data\"\ncode = 9998\ntext = \"By the way\"\nid = \"-1\"\n";
    let sim = GatewaySim::with_faults(rules, "--time-scale 60")?;
    let daemon = TestDaemon::hurried(&sim, 60)?;
    let error = daemon.ktrdr(&format!("{LOAD} -f json"))?.fails(1, "GATEWAY_ERROR")?;
    ensure!(error.to_string().contains("Something new") && error.to_string().contains("9999"), "{error}");
    daemon.ktrdr(LOAD)?.ok()?;
    let counted = status(&daemon)?["unknown_codes"].clone();
    ensure!(counted == serde_json::json!([{ "code": 9998, "count": 1 }]), "{counted}");
    drop(daemon.terminate()?);
    sim.report()?;
    Ok(())
}
