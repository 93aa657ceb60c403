//! `data check` and `data gaps`.

use ktrdr_proto::v1::{
    CheckFinding, CheckResponse, CheckedDays, Gap, GapClass, Severity, TimeRange, TradingSession, WhatToShow,
};

use crate::{
    fake::{Fake, Script},
    samples::{self, FRIDAY, HOUR},
};

fn finding(code: &str, severity: Severity, count: u64) -> CheckFinding {
    CheckFinding {
        code: code.to_owned(),
        severity: severity.into(),
        says: "something is so".to_owned(),
        helps: if severity == Severity::Info { String::new() } else { "load the range".to_owned() },
        count,
        first_ns: FRIDAY - 5 * HOUR,
        last_ns: FRIDAY,
        examples_ns: vec![FRIDAY - 5 * HOUR, FRIDAY],
        ..CheckFinding::default()
    }
}

fn checked(findings: Vec<CheckFinding>) -> CheckResponse {
    let range = TimeRange { start_ns: Some(FRIDAY - 5 * HOUR), end_ns: Some(FRIDAY) };
    let gap = |class: GapClass| Gap { range: Some(range), bars: 5, sessions: 0, class: class.into() };
    CheckResponse {
        series: Some(samples::series()),
        session: TradingSession::AllHours.into(),
        what_to_show: WhatToShow::Trades.into(),
        calendar: "XNYS".to_owned(),
        bars: 1_689,
        first_ns: FRIDAY - 9 * HOUR,
        last_ns: FRIDAY,
        findings,
        gaps: vec![gap(GapClass::NeverAsked), gap(GapClass::AskedAndEmpty)],
        gaps_total: 3,
        // 2025-06-02 to 2025-06-06
        days: Some(CheckedDays { date: (20_241..20_246).collect(), due: vec![16; 5], present: vec![16, 15, 13, 1, 0] }),
    }
}

fn fake(findings: Vec<CheckFinding>) -> Fake {
    Fake::start(Script { series: vec![samples::summary()], checked: vec![checked(findings)], ..Script::default() })
}

#[test]
fn a_check_is_a_table_and_a_picture() {
    let fake = fake(vec![finding("MISSING_BARS", Severity::Warning, 5), finding("PRICE_JUMP", Severity::Info, 1)]);
    insta::assert_snapshot!(fake.run("data check nvda -t 1h").all(), @r#"
    exit 0
    --- stdout
    NVDA 1h: 1,689 bars, 2025-06-06T13:00:00Z to 2025-06-06T22:00:00Z (all hours, trades, XNYS)

    Severity  Code          Count  First                 Last                  What
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────
    warning   MISSING_BARS      5  2025-06-06T17:00:00Z  2025-06-06T22:00:00Z  something is so; load the range
    info      PRICE_JUMP        1  2025-06-06T17:00:00Z  2025-06-06T22:00:00Z  something is so

              1        10        20        30
    2025-06    █▒▒░·
              █ complete  ▓ 95 %  ▒ 75 %  ░ less  · none
    --- stderr
    "#);
}

#[test]
fn what_is_wrong_makes_the_exit_code() {
    let fake = fake(vec![finding("OFF_GRID", Severity::Error, 2)]);
    let ran = fake.run("data check -f json");
    assert_eq!((ran.code, ran.error()["reason"].as_str()), (Some(1), Some("CHECK_FAILED")), "{ran:?}");
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["series"][0]["findings"][0]["code"], "OFF_GRID");
    assert_eq!(document["series"][0]["days"][0]["date"], "2025-06-02");
}

#[test]
fn gaps_come_with_what_to_type() {
    let fake = fake(vec![]);
    insta::assert_snapshot!(fake.run("data gaps NVDA").all(), @r#"
    exit 0
    --- stdout
    Series   From                  To                    Bars  Sessions  Why              What to type
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    NVDA 1h  2025-06-06T17:00:00Z  2025-06-06T22:00:00Z     5         0  never asked      ktrdr data load NVDA -t 1h --start 2025-06-06T17:00:00Z --end 2025-06-06T22:00:00Z
    NVDA 1h  2025-06-06T17:00:00Z  2025-06-06T22:00:00Z     5         0  asked and empty  –
    --- stderr
    NVDA 1h: 1 more
    "#);
    let empty = Fake::start(Script::default());
    assert_eq!(
        empty.run("data check").all(),
        "exit 0\n--- stdout\n--- stderr\nNothing is stored yet: ktrdr data load AAPL\n"
    );
}
