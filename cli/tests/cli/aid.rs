//! What helps without a daemon, or tells what is wrong with one: `explain`, `doctor`, `completions`.

use ktrdr_proto::v1::OperationState;

use crate::{
    fake::{Fake, Script},
    run::{ktrdr, run},
    samples,
};

#[test]
fn an_error_is_explained_offline() {
    let ran = run(["explain", "gateway-wedged"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stdout.starts_with("GATEWAY_WEDGED\n\n") && ran.stdout.contains("What to do: restart IB Gateway"),
        "{ran:?}"
    );
    let one = run(["explain", "LOAD_INCOMPLETE", "-f", "json"]).json();
    assert_eq!((&one["reason"], &one["exit"]), (&"LOAD_INCOMPLETE".into(), &1.into()));
    let all = run(["explain", "-f", "json"]).json();
    assert_eq!(all.as_array().map(Vec::len), Some(ktrdr_proto::reason::ALL.len()));
    let ran = run(["explain", "WEDGED", "-f", "json"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.error()["hint"].as_str().is_some_and(|hint| hint.contains("GATEWAY_WEDGED")), "{ran:?}");
}

#[test]
fn the_doctor_tells_every_finding_and_what_to_do() {
    let fake = Fake::start(Script::default());
    let ran = fake.run("doctor --format json");
    let document = ran.json();
    let check = |name: &str| {
        let checks = document["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name} in {document:#}")).clone()
    };
    assert_eq!(check("ktrdr")["state"], "ok");
    assert_eq!(check("socket")["state"], "ok");
    // the fake is of another build, and its bucket has trouble
    assert_eq!(
        (check("daemon")["state"].as_str(), check("bucket")["state"].as_str()),
        (Some("warning"), Some("warning"))
    );
    for one in document["checks"].as_array().unwrap() {
        assert_eq!(one["state"] == "ok", one["fix"].is_null(), "{one}");
    }
    let errors = document["checks"].as_array().unwrap().iter().any(|check| check["state"] == "error");
    assert_eq!((document["ok"].as_bool(), ran.code), (Some(!errors), Some(i32::from(errors))));
}

#[test]
fn the_doctor_comes_without_a_daemon_too() {
    let ran = run(["doctor", "--socket", "/nowhere/k.sock", "-f", "json"]);
    assert_eq!((ran.code, ran.json()["ok"].as_bool()), (Some(1), Some(false)));
    assert_eq!(ran.error()["reason"], "UNHEALTHY");
    let checks = ran.json()["checks"].clone();
    assert_eq!((&checks[1]["name"], &checks[2]["name"]), (&"socket".into(), &"daemon".into()), "{checks:#}");
}

#[test]
fn every_shell_gets_its_completions() {
    for (shell, words) in [("bash", "complete "), ("zsh", "#compdef ktrdr"), ("fish", "complete ")] {
        let ran = run(["completions", shell]);
        assert!(ran.code == Some(0) && ran.stdout.contains(words), "{shell}: {ran:?}");
    }
}

/// What bash would be told for the last of the words.
fn completed(fake: &Fake, words: &[&str]) -> Vec<String> {
    let mut command = fake.command("");
    command.arg("--").arg("ktrdr").args(words);
    command.env("COMPLETE", "bash").env("_CLAP_IFS", "\n").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    command.env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "true");
    let output = command.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn symbols_and_operations_are_completed_and_nothing_is_said_without_a_daemon() {
    let script = Script {
        series: vec![samples::summary()],
        operations: vec![samples::operation(OperationState::Running)],
        ..Script::default()
    };
    let fake = Fake::start(script);
    assert!(completed(&fake, &["da"]).contains(&"data".to_owned()));
    assert!(completed(&fake, &["data", "show", "AAPL", "--time"]).contains(&"--timeframe".to_owned()));
    let symbols = completed(&fake, &["data", "show", ""]);
    assert!(symbols.iter().any(|word| word.chars().all(|c| c.is_ascii_uppercase())), "{symbols:?}");
    let operations = completed(&fake, &["operations", "status", "op_"]);
    assert!(!operations.is_empty() && operations.iter().all(|word| word.starts_with("op_")), "{operations:?}");

    let gone = fake.socket().with_extension("gone");
    let mut command = ktrdr(["--", "ktrdr", "data", "show", ""]);
    command.env("KTRDR_SOCKET", gone).env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", "3").env("_CLAP_IFS", "\n");
    let output = command.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}
