//! `data import`.

use ktrdr_proto::{
    reason,
    v1::{ImportResult, ImportedFile, Operation, OperationState, RowFinding, Timeframe, TradingSession, operation},
};

use crate::{
    fake::{Fake, Script, files},
    run::{Ran, interrupt},
    samples,
};

fn finding(reason: &str, count: u64, lines: &[u64]) -> RowFinding {
    RowFinding { reason: reason.to_owned(), count, lines: lines.to_vec() }
}

fn imported(state: OperationState, rejected: Vec<RowFinding>) -> Script {
    let flawed = !rejected.is_empty();
    let good = ImportedFile {
        label: "NVDA_1h.csv".to_owned(),
        series: Some(samples::series()),
        rows: 1_003,
        added: 1_000,
        rejected,
        notes: vec![finding("TIMESTAMP_SHIFTED", 1, &[7])],
        ..ImportedFile::default()
    };
    let bad = ImportedFile {
        label: "notes.csv".to_owned(),
        failure: Some(samples::failure(&reason::FILE_NAME_UNRECOGNISED, &["notes.csv says no symbol"])),
        ..ImportedFile::default()
    };
    let result =
        Some(operation::Result::Import(ImportResult { files: if flawed { vec![good, bad] } else { vec![good] } }));
    let end = Operation { result, kind: "import".to_owned(), ..samples::ended(state, None) };
    Script { operation: vec![samples::operation(OperationState::Running), end], ..Script::default() }
}

#[test]
fn every_byte_arrives_and_every_file_is_reported() {
    let rejected = vec![finding("VALUE_MISSING", 3, &[2, 3])];
    let fake = Fake::start(imported(OperationState::Completed, rejected));
    let big: Vec<u8> = (0..3_000_001_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    fake.file("NVDA_1h.csv", &big);
    fake.file("notes.csv", b"");
    insta::assert_snapshot!(fake.run("data import NVDA_1h.csv ./notes.csv").all(), @r#"
    exit 0
    --- stdout
    File         Series    Rows  Added  Unchanged  Revised  Rejected
    ────────────────────────────────────────────────────────────────
    NVDA_1h.csv  NVDA 1h  1,003  1,000          0        0         3
    notes.csv    -            0      0          0        0         0

    File         Finding   Reason                  Count  First lines
    ──────────────────────────────────────────────────────────────────────────────
    NVDA_1h.csv  rejected  VALUE_MISSING               3  2, 3, …
    NVDA_1h.csv  noted     TIMESTAMP_SHIFTED           1  7
    notes.csv    refused   FILE_NAME_UNRECOGNISED         notes.csv says no symbol
    --- stderr
    Started operation: op_load_01J9ZQ4MAB3D5F7H9K2M4P6R8T
    rejected rows: 3, refused files: 1; everything else is stored
    "#);
    let files = files(&fake.seen().imported);
    assert_eq!(files.iter().map(|(file, _)| file.label.as_str()).collect::<Vec<_>>(), ["NVDA_1h.csv", "./notes.csv"]);
    assert!(files[0].1 == big && files[1].1.is_empty());
    assert_eq!(files[0].0.timeframe(), Timeframe::Unspecified);

    let ran = fake.run("data import NVDA_1h.csv -f json -q");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!(ran.stdout, @r#"
    {
      "files": [
        {
          "path": "NVDA_1h.csv",
          "symbol": "NVDA",
          "timeframe": "1h",
          "rows": 1003,
          "added": 1000,
          "unchanged": 0,
          "revised": 0,
          "rejected": [
            {
              "reason": "VALUE_MISSING",
              "count": 3,
              "lines": [
                2,
                3
              ]
            }
          ],
          "notes": [
            {
              "reason": "TIMESTAMP_SHIFTED",
              "count": 1,
              "lines": [
                7
              ]
            }
          ],
          "error": null
        },
        {
          "path": "notes.csv",
          "symbol": null,
          "timeframe": null,
          "rows": 0,
          "added": 0,
          "unchanged": 0,
          "revised": 0,
          "rejected": [],
          "notes": [],
          "error": {
            "reason": "FILE_NAME_UNRECOGNISED",
            "message": "notes.csv says no symbol",
            "hint": "name it SYMBOL_TIMEFRAME.csv, or give --symbol and --timeframe",
            "retry_after_seconds": null
          }
        }
      ],
      "details": {
        "operation_id": "op_load_01J9ZQ4MAB3D5F7H9K2M4P6R8T"
      },
      "error": null
    }
    "#);
}

#[test]
fn flags_speak_for_all_files() {
    let fake = Fake::start(imported(OperationState::Completed, vec![]));
    fake.file("a.csv", b"x");
    fake.run("data import a.csv --symbol AAPL -t 1M --timezone America/New_York --session regular --what ask");
    let (file, _) = files(&fake.seen().imported).remove(0);
    assert_eq!((file.symbol.as_deref(), file.timeframe()), (Some("AAPL"), Timeframe::Months1));
    assert_eq!((file.time_zone.as_deref(), file.session()), (Some("America/New_York"), TradingSession::RegularHours));
}

#[test]
fn strict_turns_rejected_rows_into_a_failure() {
    let fake = Fake::start(imported(OperationState::Completed, vec![finding("VALUE_MISSING", 3, &[2, 3])]));
    fake.file("NVDA_1h.csv", b"x");
    let ran = fake.run("data import NVDA_1h.csv --strict");
    assert!(ran.code == Some(1) && ran.stderr.contains("error: rejected rows: 3, refused files: 1"), "{ran:?}");
    let ran = fake.run("data import NVDA_1h.csv --strict -f json -q");
    assert_eq!((ran.code, ran.json()["error"]["reason"].as_str()), (Some(1), Some("ROWS_REJECTED")));
    assert!(ran.stderr.starts_with(r#"{"error":{"reason":"ROWS_REJECTED""#), "{ran:?}");
    let fake = Fake::start(imported(OperationState::Completed, vec![]));
    fake.file("NVDA_1h.csv", b"x");
    assert_eq!(fake.run("data import NVDA_1h.csv --strict").code, Some(0));
}

#[test]
fn an_import_that_stored_nothing_fails() {
    let mut script = imported(OperationState::Failed, vec![finding("VALUE_MISSING", 3, &[2, 3])]);
    let nothing = samples::failure(&reason::NOTHING_STORED, &["nothing could be stored"]);
    script.operation[1].failure = Some(nothing);
    let fake = Fake::start(script);
    fake.file("NVDA_1h.csv", b"x");
    let ran = fake.run("data import NVDA_1h.csv");
    assert!(ran.code == Some(1) && ran.stdout.contains("VALUE_MISSING"), "{ran:?}");
    assert!(ran.stderr.contains("error: nothing could be stored"), "{ran:?}");
}

#[test]
fn a_file_that_cannot_be_read_is_told_before_anything_is_sent() {
    let fake = Fake::start(imported(OperationState::Completed, vec![]));
    fake.file("good.csv", b"x");
    std::fs::create_dir(fake.folder().join("folder.csv")).unwrap();
    for (bad, cause) in [("missing.csv", "No such file"), ("folder.csv", "is a directory")] {
        let ran = fake.run(&format!("data import good.csv {bad} -f json"));
        assert_eq!((ran.code, ran.error()["reason"].as_str()), (Some(2), Some("FILE_UNREADABLE")));
        let message = ran.error()["message"].to_string();
        assert!(message.contains(bad) && message.contains(cause), "{message}");
    }
    assert!(fake.seen().calls.is_empty());
}

/// A file that breaks off must not be taken for a whole one.
#[test]
fn a_read_error_resets_the_upload() {
    let fake = Fake::start(imported(OperationState::Completed, vec![]));
    // more than can wait on the way: some of it was taken before the end
    fake.file("good.csv", &vec![b'x'; 8 << 20]);
    // Opens, and fails on reading.
    std::os::unix::fs::symlink("/proc/self/mem", fake.folder().join("torn.csv")).unwrap();
    let ran = fake.run("data import good.csv torn.csv -f json");
    assert_eq!((ran.code, ran.error()["reason"].as_str()), (Some(2), Some("FILE_UNREADABLE")), "{ran:?}");
    fake.wait(|seen| seen.import_broke_off);
}

#[test]
fn a_refusal_in_the_middle_of_the_upload_is_told() {
    let refuse = Some(samples::status(&reason::TIME_ZONE_NEEDED, "stamps without zone in line 2", &[]));
    let fake = Fake::start(Script { refuse, ..Script::default() });
    fake.file("NVDA_1h.csv", &vec![b'x'; 30 << 20]);
    let ran = fake.run("data import NVDA_1h.csv -f json");
    assert_eq!((ran.code, ran.error()["reason"].as_str()), (Some(2), Some("TIME_ZONE_NEEDED")), "{ran:?}");
}

#[test]
fn ctrl_c_stops_an_upload() {
    let fake = Fake::start(Script { silent: true, ..Script::default() });
    fake.file("NVDA_1h.csv", &vec![b'x'; 30 << 20]);
    let child = fake.spawn("data import NVDA_1h.csv");
    fake.wait(|seen| !seen.calls.is_empty());
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert!(ran.code == Some(130) && ran.stderr.contains("nothing was stored"), "{ran:?}");
}

#[test]
fn an_upload_that_nobody_takes_ends() {
    let fake = Fake::start(Script { silent: true, ..Script::default() });
    fake.file("NVDA_1h.csv", &vec![b'x'; 30 << 20]);
    fake.file("small_1h.csv", b"x");
    for file in ["NVDA_1h.csv", "small_1h.csv"] {
        assert_eq!(fake.run(&format!("data import {file} --timeout 0.3")).code, Some(6), "{file}");
    }
}
