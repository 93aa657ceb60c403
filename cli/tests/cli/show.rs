//! `data show`, `data range` and `data list`.

use std::{io::Read as _, process::Stdio};

use ktrdr_proto::{
    reason,
    v1::{BarColumns, QueryHeader, TimeRange, query_request::Window},
};

use crate::{
    fake::{Fake, Script},
    samples::{self, FRIDAY, HOUR},
};

fn nvda() -> Fake {
    Fake::start(Script { header: samples::header(), chunks: samples::bars(), ..Script::default() })
}

#[test]
fn only_the_columns_that_are_wanted() {
    let fake = Fake::start(Script { header: samples::header(), chunks: samples::bars(), ..Script::default() });
    let csv = fake.run("data show NVDA -t 1h --columns volume,close -f csv").stdout;
    assert_eq!(csv.lines().next(), Some(",Close,Volume"), "in the usual order: {csv}");
    assert_eq!(csv.lines().nth(1).map(|line| line.split(',').count()), Some(3), "{csv}");
    let document = fake.run("data show NVDA -t 1h --columns close,volume -f json").json();
    let row = document["data"][1].as_object().unwrap();
    assert_eq!(row.keys().collect::<Vec<_>>(), ["Close", "Volume", "index"]);
    assert!(row["Volume"].is_null(), "asked for, and the source has none");
    let table = fake.run("data show NVDA -t 1h --columns close").stdout;
    assert!(table.contains("Date (UTC)") && table.contains("Close") && !table.contains("Open"), "{table}");
    assert_eq!(fake.run("data show NVDA --columns prices").code, Some(2));
}

#[test]
fn a_table_has_titles_and_aligned_columns() {
    insta::assert_snapshot!(nvda().run("data show nvda -t 1h").all(), @r#"
    exit 0
    --- stdout
    NVDA 1h (all hours, trades, from import)
    Total rows: 240 | Showing: 2
    Date range: 2025-05-27 23:00:00 to 2025-06-06 22:00:00

    Date (UTC)               Open      High       Low     Close     Volume
    ──────────────────────────────────────────────────────────────────────
    2025-06-06 21:00:00  202.0000  202.5000  201.1250  202.3000  1,215,812
    2025-06-06 22:00:00  202.3000  210.0000    0.1000  202.3333          -
    --- stderr
    "#);
}

#[test]
fn csv_keeps_its_header_and_has_no_line_too_many() {
    insta::assert_snapshot!(nvda().run("data show nvda -t 1h -f csv").all(), @r#"
    exit 0
    --- stdout
    ,Open,High,Low,Close,Volume
    2025-06-06T21:00:00Z,202.0,202.5,201.125,202.3,1215812.0
    2025-06-06T22:00:00Z,202.3,210.0,0.1,202.33333333333334,
    --- stderr
    "#);
}

#[test]
fn json_is_one_document_with_the_old_keys() {
    let ran = nvda().run("data show nvda -t 1h --format json");
    assert_eq!(ran.json()["data"][1]["Volume"], serde_json::Value::Null);
    insta::assert_snapshot!(ran.all(), @r#"
    exit 0
    --- stdout
    {
      "symbol": "NVDA",
      "timeframe": "1h",
      "total_rows": 240,
      "displayed_rows": 2,
      "source": "import",
      "session": "all",
      "what_to_show": "trades",
      "metadata": {
        "symbol": "NVDA",
        "timeframe": "1h",
        "start_date": "2025-05-27T23:00:00Z",
        "end_date": "2025-06-06T22:00:00Z",
        "point_count": 240
      },
      "data": [
        {"index":"2025-06-06T21:00:00Z","Open":202.0,"High":202.5,"Low":201.125,"Close":202.3,"Volume":1215812.0},
        {"index":"2025-06-06T22:00:00Z","Open":202.3,"High":210.0,"Low":0.1,"Close":202.33333333333334,"Volume":null}
      ]
    }
    --- stderr
    "#);
}

#[test]
fn an_empty_range_is_the_same_document_without_rows() {
    let header = QueryHeader { rows_in_range: 0, rows_sent: 0, first_ns: None, last_ns: None, ..samples::header() };
    let fake = Fake::start(Script { header, ..Script::default() });
    let ran = fake.run("data show NVDA -f json");
    assert_eq!((ran.code, ran.json()["data"].as_array().map(Vec::len)), (Some(0), Some(0)));
    assert_eq!(ran.json()["metadata"]["start_date"], serde_json::Value::Null);
    assert_eq!(fake.run("data show NVDA -f csv").stdout, ",Open,High,Low,Close,Volume\n");
    insta::assert_snapshot!(fake.run("data show NVDA").all(), @r#"
    exit 0
    --- stdout
    NVDA 1h (all hours, trades, from import)
    Total rows: 0 | Showing: 0
    Date range: nothing stored in it
    --- stderr
    "#);
}

#[test]
fn the_window_and_the_range_are_what_was_asked_for() {
    let fake = nvda();
    for (flags, window) in [
        ("", Some(Window::Tail(10))),
        ("-r 3", Some(Window::Tail(3))),
        ("--rows 3", Some(Window::Tail(3))),
        ("--tail 4", Some(Window::Tail(4))),
        ("--head 5", Some(Window::Head(5))),
        ("--all", None),
    ] {
        assert_eq!(fake.run(&format!("data show NVDA {flags}")).code, Some(0), "{flags}");
        let asked = fake.seen().queries.pop().unwrap();
        assert_eq!((asked.window, asked.range), (window, None), "{flags}");
    }
    assert_eq!(fake.run("data show NVDA --start 2025-06-06 --end 2025-06-06").code, Some(0));
    let midnight = FRIDAY - 22 * HOUR;
    let day = TimeRange { start_ns: Some(midnight), end_ns: Some(midnight + 24 * HOUR) };
    assert_eq!(fake.seen().queries.pop().unwrap().range, Some(day));
    assert_eq!(fake.run("data show NVDA --rows 1 --all").code, Some(2));
}

/// Rows go out while others still come, so that a reader may leave when it has enough.
#[test]
fn a_closed_pipe_is_no_error() {
    let starts: Vec<i64> = (0..20_000).map(|n| FRIDAY + n * HOUR).collect();
    let prices = vec![1.5; starts.len()];
    let chunk = BarColumns::new(&starts, [&prices; 4].map(Vec::as_slice), prices.iter().copied());
    let header = QueryHeader { rows_in_range: 200_000, rows_sent: 200_000, ..samples::header() };
    let fake = Fake::start(Script { header, chunks: vec![chunk; 10], ..Script::default() });
    for format in ["csv", "json", "table"] {
        let mut child = fake.spawn(&format!("data show NVDA --all -f {format}"));
        let mut start = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut start).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), ended.stderr), (Some(0), vec![]), "{format}");
    }
    let all = fake.run("data show NVDA --all -f json");
    assert_eq!(all.json()["data"].as_array().map(Vec::len), Some(200_000));
    assert_eq!(fake.run("data show NVDA --all").stdout.lines().count(), 200_006);
}

#[test]
fn an_output_that_cannot_be_written_is_told() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = nvda().command("data show NVDA -f csv").stdout(Stdio::from(full)).output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("cannot write the output"));
}

/// A series that is cut short is never passed off as whole.
#[test]
fn a_stream_that_breaks_off_is_an_error() {
    let damaged = samples::status(&reason::PARTITION_DAMAGED, "bars.parquet is damaged", &[]);
    let script = Script { header: samples::header(), chunks: samples::bars(), ..Script::default() };
    let fake = Fake::start(Script { query_end: Some(damaged), ..script.clone() });
    let ran = fake.run("data show NVDA -f csv");
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(1), 3));
    let fake = Fake::start(Script { chunks: samples::bars()[..1].to_vec(), ..script });
    let ran = fake.run("data show NVDA -f csv");
    assert!(ran.code == Some(1) && ran.stderr.contains("1 of 2 rows arrived"), "{ran:?}");
}

#[test]
fn range_and_list_tell_what_is_stored() {
    let fake = Fake::start(Script { series: vec![samples::summary()], ..Script::default() });
    insta::assert_snapshot!(fake.run("data range nvda -t 1h").all(), @r#"
    exit 0
    --- stdout
    Property     Value
    ─────────────────────────────────
    Symbol       NVDA
    Timeframe    1h
    Start Date   2025-05-27T23:00:00Z
    End Date     2025-06-06T22:00:00Z
    Data Points  12,240
    --- stderr
    "#);
    insta::assert_snapshot!(fake.run("data range nvda -t 1h -f json").stdout, @r#"
    {
      "symbol": "NVDA",
      "timeframe": "1h",
      "range": {
        "symbol": "NVDA",
        "timeframe": "1h",
        "start_date": "2025-05-27T23:00:00Z",
        "end_date": "2025-06-06T22:00:00Z",
        "point_count": 12240
      }
    }
    "#);
    insta::assert_snapshot!(fake.run("data list").all(), @r#"
    exit 0
    --- stdout
    Symbol  Timeframe  Start                 End                     Bars       Size  Source
    ─────────────────────────────────────────────────────────────────────────────────────────
    NVDA    1h         2025-05-27T23:00:00Z  2025-06-06T22:00:00Z  12,240  337.6 KiB  gateway
    --- stderr
    "#);
    insta::assert_snapshot!(fake.run("data list -f json").stdout, @r#"
    {
      "series": [
        {
          "symbol": "NVDA",
          "timeframe": "1h",
          "start": "2025-05-27T23:00:00Z",
          "end": "2025-06-06T22:00:00Z",
          "bars": 12240,
          "bytes": 345678,
          "source": "gateway",
          "session": "all",
          "what_to_show": "trades",
          "assumed": false
        }
      ]
    }
    "#);
    let empty = Fake::start(Script::default());
    assert_eq!(empty.run("data list -f json").json(), serde_json::json!({"series": []}));
    assert_eq!(empty.run("data list -q").all(), "exit 0\n--- stdout\n--- stderr\n");
}
