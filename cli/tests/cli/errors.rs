//! What goes wrong: texts, documents, exit codes.

use std::{os::unix::net::UnixListener, path::Path};

use ktrdr_proto::{CONTRACT, reason};
use tonic::Status;

use crate::{
    fake::{Fake, Script},
    run::run,
    samples::{self, status},
};

fn refusing(status: Status) -> Fake {
    Fake::start(Script { refuse: Some(status), ..Script::default() })
}

#[test]
fn an_error_says_what_why_and_what_to_type() {
    let fake = refusing(status(
        &reason::SERIES_NOT_FOUND,
        "nothing is stored for NVDA 1h\nthe store is empty\nthe store is empty",
        &[("symbol", "NVDA"), ("timeframe", "1h")],
    ));
    insta::assert_snapshot!(fake.run("data show nvda -t 1h").all(), @r#"
    exit 7
    --- stdout
    --- stderr
    error: nothing is stored for NVDA 1h
    caused by: the store is empty
    hint: ktrdr data load NVDA --timeframe 1h
    "#);
    insta::assert_snapshot!(fake.run("data show nvda -t 1h --color always").all(), @r#"
    exit 7
    --- stdout
    --- stderr
    [1;31merror:[0m nothing is stored for NVDA 1h
    [31mcaused by:[0m the store is empty
    [36mhint:[0m ktrdr data load NVDA --timeframe 1h
    "#);
}

#[test]
fn an_error_in_json_is_one_object() {
    let metadata = [("symbol", "NVDA"), ("timeframe", "1h")];
    let fake = refusing(status(&reason::SERIES_NOT_FOUND, "nothing is stored for NVDA 1h", &metadata));
    let ran = fake.run("data show nvda -t 1h -f json");
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.lines().count()), (Some(7), "", 1));
    let id = fake.seen().request_ids[0].clone();
    assert_eq!(id.len(), 26, "a ULID");
    let expected = serde_json::json!({
        "reason": "SERIES_NOT_FOUND",
        "message": "nothing is stored for NVDA 1h",
        "hint": "ktrdr data load NVDA --timeframe 1h",
        "retry_after_seconds": null,
        "request_id": id,
    });
    assert_eq!(ran.error(), expected);
}

#[test]
fn every_reason_has_its_exit_code() {
    for reason in reason::ALL {
        let ran = refusing(status(reason, "it is so", &[])).run("ib status -f json");
        assert_eq!(ran.code, Some(i32::from(reason.exit)), "{}", reason.name);
        assert_eq!(ran.error()["reason"], reason.name);
    }
}

#[test]
fn a_retry_delay_is_told() {
    use tonic_types::{ErrorDetails, StatusExt as _};
    let mut details = ErrorDetails::new();
    details.set_error_info("PACING_VIOLATION", reason::DOMAIN, std::collections::HashMap::<String, String>::new());
    details.set_retry_info(Some(std::time::Duration::from_millis(1500)));
    let ran = refusing(Status::with_error_details(reason::PACING_VIOLATION.code, "slow down", details))
        .run("ib test -f json");
    assert_eq!((ran.code, ran.error()["retry_after_seconds"].as_f64()), (Some(5), Some(1.5)));
}

#[test]
fn another_contract_is_refused_in_answers_and_in_errors() {
    for (contract, update) in
        [(CONTRACT + 1, "update ktrdr "), (CONTRACT - 1, "update ktrdrd, then: ktrdr daemon restart")]
    {
        let other = Script {
            contract: Some(contract),
            header: samples::header(),
            chunks: samples::bars(),
            ..Script::default()
        };
        let refuse = Some(status(&reason::SERIES_NOT_FOUND, "nothing", &[]));
        for script in [other.clone(), Script { refuse, ..other }] {
            let fake = Fake::start(script);
            for line in ["data show NVDA", "data list", "ops watch op_1"] {
                let ran = fake.run(&format!("{line} -f json"));
                assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), ""), "{line}");
                assert_eq!(ran.error()["reason"], "CONTRACT_MISMATCH");
                let hint = ran.error()["hint"].to_string();
                assert!(hint.contains(update), "{hint}");
            }
            assert_eq!(fake.seen().calls.len(), 3, "no call of its own is spent on the contract");
        }
    }
}

#[test]
fn a_call_that_the_daemon_does_not_know_yet_asks_for_an_update() {
    let ran = refusing(Status::unimplemented("")).run("data list -f json");
    assert_eq!((ran.code, ran.error()["reason"].as_str()), (Some(4), Some("CONTRACT_MISMATCH")));
}

#[test]
fn no_daemon_is_exit_3() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.sock");
    let dead = folder.path().join("dead.sock");
    drop(UnixListener::bind(&dead).unwrap());
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "").unwrap();
    for (path, cause) in [(&missing, "No such file"), (&dead, "Connection refused"), (&plain, "Connection refused")] {
        for line in [&["data", "show", "NVDA"][..], &["daemon", "status"], &["ib", "status"], &["ops", "list"]] {
            let ran = run([&["--socket", path.to_str().unwrap()], line].concat());
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{line:?}");
            let lines: Vec<_> = ran.stderr.lines().collect();
            assert_eq!(lines[0], format!("error: no answer from ktrdrd at {}", path.display()));
            assert!(lines[1].starts_with(&format!("caused by: {cause}")), "{lines:?}");
            assert_eq!(lines[2..], ["hint: ktrdr daemon start"]);
        }
    }
}

#[test]
fn a_socket_path_that_does_not_fit_is_told_before_anything_is_tried() {
    let path = format!("/tmp/{}.sock", "x".repeat(200));
    let ran = run(["data", "list", "-f", "json", "--socket", &path]);
    assert_eq!((ran.code, ran.error()["reason"].as_str()), (Some(3), Some("SOCKET_PATH_TOO_LONG")));
}

#[test]
fn a_daemon_that_never_answers_is_exit_6() {
    let fake = Fake::start(Script { silent: true, ..Script::default() });
    for line in
        ["data show NVDA", "data list", "data load NVDA", "ops watch op_1", "ops cancel op_1", "ib status --watch"]
    {
        let ran = fake.run(&format!("{line} --timeout 0.2 --format json"));
        assert_eq!((ran.code, ran.error()["reason"].as_str()), (Some(6), Some("TIMED_OUT")), "{line}");
    }
    // A peer that accepts and says nothing at all, not even in HTTP/2.
    let folder = tempfile::tempdir().unwrap();
    let mute = folder.path().join("mute.sock");
    let _listener = UnixListener::bind(&mute).unwrap();
    let ran = run(["data", "list", "--timeout", "0.2", "--socket", mute.to_str().unwrap()]);
    assert_eq!(ran.code, Some(6), "{ran:?}");
}

#[test]
fn wrong_usage_is_exit_2_and_names_the_text() {
    let nowhere = Path::new("/nonexistent/ktrdr.sock");
    for (line, told) in [
        ("data show NVDA --start yesterday", "yesterday"),
        ("data show NVDA --end 2025-02-30", "2025-02-30"),
        ("data show NVDA -t 7m", "1s 5s 10s"),
        ("data load NVDA -t 1H", "1H"),
        ("data load NVDA --mode newest", "newest"),
        ("data show NVDA --rows 0", "0"),
        ("data nope", "nope"),
        ("data show", "<SYMBOL>"),
        ("data list --timeout 0", "positive number of seconds"),
        ("data list -f csv", "not csv"),
        ("ops list -s sleeping", "sleeping"),
    ] {
        let mut words: Vec<_> = line.split_whitespace().collect();
        words.extend(["--socket", nowhere.to_str().unwrap()]);
        let ran = run(&words);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{line}: {ran:?}");
        assert!(ran.stderr.contains(told), "{line}: {}", ran.stderr);
    }
    let ran = run(["data", "show", "NVDA", "-t", "7m", "-f", "json"]);
    assert_eq!((ran.code, ran.error()["reason"].as_str()), (Some(2), Some("REQUEST_INVALID")));
}
