//! `data export`.

use ktrdr_proto::reason;

use crate::{
    fake::{Fake, Script},
    samples,
};

fn nvda() -> Script {
    Script { header: samples::header(), chunks: samples::bars(), ..Script::default() }
}

const CSV: &str = "timestamp,open,high,low,close,volume
2025-06-06T21:00:00Z,202.0,202.5,201.125,202.3,1215812.0
2025-06-06T22:00:00Z,202.3,210.0,0.1,202.33333333333334,
";

fn names(fake: &Fake) -> Vec<String> {
    let entries = std::fs::read_dir(fake.folder()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.starts_with("socket"));
    names.sort();
    names
}

#[test]
fn stdout_is_the_default() {
    let fake = Fake::start(nvda());
    for line in ["data export NVDA -t 1h", "data export NVDA -t 1h -o -", "data export NVDA -t 1h -f csv"] {
        let ran = fake.run(line);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), CSV, ""), "{line}");
    }
    let query = fake.seen().queries.pop().unwrap();
    assert_eq!((query.window, query.range), (None, None));
    assert_eq!(fake.run("data export NVDA -f json").json()["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(fake.run("data export NVDA -f table").code, Some(2));
}

#[test]
fn a_file_appears_whole_and_is_not_replaced_unasked() {
    let fake = Fake::start(nvda());
    let ran = fake.run("data export NVDA -t 1h --output NVDA_1h.csv");
    assert_eq!(ran.all(), "exit 0\n--- stdout\n--- stderr\nWrote 2 rows to NVDA_1h.csv\n");
    assert_eq!(std::fs::read_to_string(fake.folder().join("NVDA_1h.csv")).unwrap(), CSV);
    let ran = fake.run("data export NVDA -t 1h --output NVDA_1h.csv");
    assert!(ran.code == Some(1) && ran.stderr.contains("--force"), "{ran:?}");
    assert_eq!(fake.seen().calls.len(), 1, "refused before anything was sent");
    assert_eq!(fake.run("data export NVDA -t 1h --output NVDA_1h.csv --force").code, Some(0));
    assert_eq!(names(&fake), ["NVDA_1h.csv"]);
}

#[test]
fn a_failed_export_leaves_no_file() {
    let query_end = Some(samples::status(&reason::PARTITION_DAMAGED, "bars.parquet is damaged", &[]));
    let fake = Fake::start(Script { query_end, ..nvda() });
    assert_eq!(fake.run("data export NVDA --output NVDA_1h.csv").code, Some(1));
    assert!(names(&fake).is_empty());
    let ran = Fake::start(nvda()).run("data export NVDA --output missing/NVDA_1h.csv -f csv");
    assert!(ran.code == Some(1) && ran.stderr.contains("cannot write missing/NVDA_1h.csv"), "{ran:?}");
}
