//! `data calendar`.

use ktrdr_proto::v1::{Calendar, CalendarDay, GetCalendarResponse, TimeRange};

use crate::fake::{Fake, Script};

const HOUR: i64 = 3_600_000_000_000;
/// 2025-12-24 05:00 UTC, midnight in New York.
const MIDNIGHT: i64 = 1_766_552_400_000_000_000;

fn script() -> Script {
    let range =
        |from: i64, to: i64| TimeRange { start_ns: Some(MIDNIGHT + from * HOUR), end_ns: Some(MIDNIGHT + to * HOUR) };
    let calendar = Calendar {
        code: "XNYS".to_owned(),
        names: vec!["NYSE".to_owned(), "NASDAQ".to_owned()],
        time_zone: "America/New_York".to_owned(),
        known_from: "2000-01-01".to_owned(),
        known_until: "2025-12-26".to_owned(),
    };
    let day = |date: &str, regular: Vec<TimeRange>, all: Vec<TimeRange>, special| CalendarDay {
        date: date.to_owned(),
        regular,
        all,
        special,
    };
    let days = vec![
        day("2025-12-24", vec![range(10, 13)], vec![range(4, 17)], true),
        day("2025-12-25", vec![], vec![], true),
        day("2025-12-26", vec![range(41, 47), range(58, 64)], vec![range(41, 64)], false),
    ];
    Script { calendar: GetCalendarResponse { calendar: Some(calendar), days }, ..Script::default() }
}

#[test]
fn days_are_told_on_the_clock_of_the_market() {
    let fake = Fake::start(script());
    insta::assert_snapshot!(fake.run("data calendar nyse --from 2025-12-24 --to 2025-12-31").all(), @r#"
    exit 0
    --- stdout
    XNYS (America/New_York)
    Date        Day  Regular                           All hours        Note
    ───────────────────────────────────────────────────────────────────────────────
    2025-12-24  Wed  10:00-13:00                       04:00-17:00      other hours
    2025-12-25  Thu  –                                 –                closed
    2025-12-26  Fri  Thu 17:00-Thu 23:00, 10:00-16:00  Thu 17:00-16:00  usual
    --- stderr
    Nothing is known beyond 2025-12-26
    "#);
    insta::assert_snapshot!(fake.run("data calendar nyse --from 2025-12-24 --to 2025-12-25 --special -f json").stdout, @r#"
    {
      "calendar": {
        "code": "XNYS",
        "names": [
          "NYSE",
          "NASDAQ"
        ],
        "time_zone": "America/New_York",
        "known_from": "2000-01-01",
        "known_until": "2025-12-26"
      },
      "days": [
        {
          "date": "2025-12-24",
          "open": true,
          "special": true,
          "regular": [
            {
              "start": "2025-12-24T15:00:00Z",
              "end": "2025-12-24T18:00:00Z"
            }
          ],
          "all": [
            {
              "start": "2025-12-24T09:00:00Z",
              "end": "2025-12-24T22:00:00Z"
            }
          ]
        },
        {
          "date": "2025-12-25",
          "open": false,
          "special": true,
          "regular": [],
          "all": []
        }
      ]
    }
    "#);
}

#[test]
fn without_a_market_all_are_listed() {
    let fake = Fake::start(script());
    insta::assert_snapshot!(fake.run("data calendar").all(), @r#"
    exit 0
    --- stdout
    Code  Names        Clock             Known until
    ────────────────────────────────────────────────
    XNYS  NYSE NASDAQ  America/New_York  2025-12-26
    --- stderr
    "#);
    assert_eq!(fake.run("data calendar nyse --from christmas").code, Some(2));
    assert_eq!(fake.run("data calendar --from 2025-12-24").code, Some(2));
}
