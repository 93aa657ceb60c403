//! `data watch`.

use ktrdr_proto::{
    reason,
    v1::{
        BarColumns, ClosedBars, LivePhase, LiveState, MissedBars, Source, SubscribeHeader, TradingSession, WhatToShow,
        subscribe_response::Event,
    },
};

use crate::{
    fake::{Fake, Script},
    run::{Ran, interrupt, wait_until},
    samples,
};

fn header() -> Event {
    Event::Header(SubscribeHeader {
        series: Some(samples::series()),
        session: TradingSession::AllHours.into(),
        what_to_show: WhatToShow::Trades.into(),
        source: Source::Gateway.into(),
        keep: false,
    })
}

fn state(phase: LivePhase) -> Event {
    Event::State(LiveState { phase: phase.into(), since_ns: samples::FRIDAY, reason: String::new(), messages: vec![] })
}

fn lost() -> Event {
    Event::State(LiveState {
        phase: LivePhase::Interrupted.into(),
        since_ns: samples::FRIDAY,
        reason: reason::GATEWAY_LOST.name.to_owned(),
        messages: vec!["the connection ended".to_owned()],
    })
}

fn closed(bars: BarColumns, filled: bool) -> Event {
    Event::Closed(ClosedBars { bars: Some(bars), filled, gap_before: filled })
}

/// Two closed bars, one of them after an interruption.
fn story() -> Vec<Event> {
    let [first, second]: [BarColumns; 2] = samples::bars().try_into().unwrap();
    vec![
        header(),
        state(LivePhase::Starting),
        state(LivePhase::Flowing),
        Event::Running(first.clone()),
        closed(first, false),
        lost(),
        state(LivePhase::Flowing),
        Event::Missed(MissedBars { bars: 7 }),
        closed(second, true),
    ]
}

#[test]
fn piped_it_is_a_line_for_each_bar_that_is_over() {
    let fake = Fake::start(Script { live: story(), ..Script::default() });
    insta::assert_snapshot!(fake.run("data watch nvda -t 1h --count 2").all(), @r"
    exit 0
    --- stdout
    timestamp,open,high,low,close,volume
    2025-06-06T21:00:00Z,202.0,202.5,201.125,202.3,1215812.0
    2025-06-06T22:00:00Z,202.3,210.0,0.1,202.33333333333334,
    --- stderr
    Interrupted: the connection ended (GATEWAY_LOST)
    Bars come again; what was missed is filled in
    Too slow: 7 bars were missed
    A bar may be missing here: the gateway gave no usable prices for it
    ");
    insta::assert_snapshot!(fake.run("data watch nvda -t 1h --count 2 -q -f json").all(), @r#"
    exit 0
    --- stdout
    {"timestamp":"2025-06-06T21:00:00Z","open":202.0,"high":202.5,"low":201.125,"close":202.3,"volume":1215812.0,"filled":false,"gap_before":false}
    {"timestamp":"2025-06-06T22:00:00Z","open":202.3,"high":210.0,"low":0.1,"close":202.33333333333334,"volume":null,"filled":true,"gap_before":true}
    --- stderr
    "#);
    insta::assert_snapshot!(fake.run("data watch nvda -t 1h --count 1 -q -f table").all(), @r"
    exit 0
    --- stdout
    NVDA 1h live (all hours, trades)

    Date (UTC)                   Open          High           Low         Close        Volume
    ─────────────────────────────────────────────────────────────────────────────────────────
    2025-06-06 21:00:00      202.0000      202.5000      201.1250      202.3000     1,215,812
    --- stderr
    ");
}

#[test]
fn what_is_asked_for_reaches_the_daemon() {
    let fake = Fake::start(Script { live: story(), ..Script::default() });
    fake.run("data watch NVDA -t 1h --trading-hours --what midpoint --keep --history 20 --count 1");
    let seen = fake.seen();
    let asked = &seen.subscriptions[0];
    assert_eq!(asked.series, Some(samples::series()));
    assert_eq!((asked.session(), asked.what_to_show()), (TradingSession::RegularHours, WhatToShow::Midpoint));
    assert!(asked.keep && asked.history == 20);
    drop(seen);
    assert_eq!(fake.run("data watch NVDA -t 1h --history 301").code, Some(2));
}

#[test]
fn the_end_of_a_subscription_is_told_as_any_error() {
    let refused = samples::status(&reason::NOT_SUBSCRIBED, "no subscription for these data", &[]);
    let fake = Fake::start(Script { live: vec![header()], live_end: Some(refused), ..Script::default() });
    let ran = fake.run("data watch NVDA -t 1h -f json");
    assert_eq!((ran.code, ran.error()["reason"].as_str()), (Some(1), Some("NOT_SUBSCRIBED")));
}

#[test]
fn ctrl_c_is_how_a_watch_ends() {
    let fake = Fake::start(Script { live: story(), ..Script::default() });
    for (line, code) in [("data watch NVDA -t 1h -q", 0), ("data watch NVDA -t 1h -q --count 3", 130)] {
        let calls = fake.seen().calls.len();
        let child = fake.spawn(line);
        wait_until(|| fake.seen().calls.len() > calls, || "no call".to_owned());
        interrupt(&child);
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(code), "{ran:?}");
    }
}
