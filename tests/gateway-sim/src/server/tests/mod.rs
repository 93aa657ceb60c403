//! Conversations frame by frame, with what no well-behaved client would send.

mod faults;
mod live;
mod raw;

use std::time::Duration;

use prost::Message;
use raw::{HISTORICAL, LIMIT, Raw, hourly, reply, simulator};
use tokio::io::AsyncWriteExt;

use crate::config::{Config, Knobs};
use crate::protocol::messages::{ContractDataRequest, HistoricalData, HistoricalDataRequest, RequestId, StartApi};
use crate::simulator::Simulator;

fn rules(simulator: &Simulator) -> Vec<String> {
    simulator.report().violations.into_iter().map(|violation| violation.rule).collect()
}

#[tokio::test]
async fn nothing_is_answered_before_the_start() {
    let simulator = simulator(Knobs::default()).await;
    let mut raw = Raw::connect(&simulator).await;
    raw.send(HISTORICAL, &hourly(1)).await;
    raw.send(71, &StartApi { client_id: Some(0), optional_capabilities: None }).await;
    assert_eq!(raw.receive().await.id, reply::MANAGED_ACCOUNTS);
    assert_eq!(rules(&simulator), ["request_before_start", "client_id_zero"]);
    assert_eq!(simulator.report().received("historical_data"), 1);
}

#[tokio::test]
async fn ill_formed_requests_are_refused_with_their_codes() {
    let simulator = simulator(Knobs::default()).await;
    let mut raw = Raw::start(&simulator, 5).await;
    let text = |text: &str| Some(text.to_owned());
    let broken = [
        (HistoricalDataRequest { bar_size: text("1 sec"), ..hourly(1) }, 321),
        (HistoricalDataRequest { duration: text("8 H"), ..hourly(2) }, 321),
        (HistoricalDataRequest { duration: None, ..hourly(3) }, 321),
        (HistoricalDataRequest { what_to_show: text("PRICES"), ..hourly(4) }, 321),
        (HistoricalDataRequest { contract: None, ..hourly(5) }, 321),
        (HistoricalDataRequest { end: text("20250606 15:00:00 GMT"), ..hourly(6) }, 10314),
        (HistoricalDataRequest { what_to_show: text("SCHEDULE"), ..hourly(7) }, 321),
        (HistoricalDataRequest { bar_size: text("1 secs"), duration: text("2001 S"), ..hourly(8) }, 162),
        (
            HistoricalDataRequest { what_to_show: text("ADJUSTED_LAST"), end: text("20250606-15:00:00"), ..hourly(9) },
            321,
        ),
    ];
    for (request, code) in broken {
        raw.send(HISTORICAL, &request).await;
        assert_eq!(raw.refusal().await, (request.id.unwrap(), code));
    }
    let nowhere = ContractDataRequest { id: Some(20), contract: None };
    raw.send(9, &nowhere).await;
    assert_eq!(raw.refusal().await, (20, 321));
    assert_eq!(rules(&simulator), ["invalid_duration_or_bar_size"; 4]);
    assert_eq!(simulator.report().open_requests, 0);
}

#[tokio::test]
async fn a_date_without_a_zone_is_warned_about_and_answered() {
    let simulator = simulator(Knobs::default()).await;
    let mut raw = Raw::start(&simulator, 5).await;
    let end = Some("20250606 10:00:00".to_owned());
    raw.send(HISTORICAL, &HistoricalDataRequest { end, ..hourly(1) }).await;
    assert_eq!(raw.refusal().await, (1, 2174));
    assert_eq!(raw.receive().await.id, reply::HISTORICAL_DATA);
    assert_eq!(raw.receive().await.id, reply::HISTORICAL_DATA_END);
    assert_eq!(rules(&simulator), ["end_without_zone"]);
}

#[tokio::test]
async fn the_running_bar_comes_last_and_nothing_after_it() {
    let simulator = simulator(Knobs::default()).await;
    let mut raw = Raw::start(&simulator, 5).await;
    raw.send(HISTORICAL, &hourly(1)).await;
    let bars = HistoricalData::decode(&*raw.receive().await.payload).unwrap().bars;
    raw.receive().await;
    // 04:00 to 11:20 New York.
    assert_eq!((bars.len(), bars[7].date.as_deref()), (8, Some("1749222000")));
    let minutes = HistoricalDataRequest { bar_size: Some("1 min".to_owned()), ..hourly(2) };
    raw.send(HISTORICAL, &minutes).await;
    let minutes = HistoricalData::decode(&*raw.receive().await.payload).unwrap().bars;
    assert_eq!((minutes.len(), minutes.last().unwrap().close), (7 * 60 + 21, bars[7].close));
}

#[tokio::test]
async fn ids_are_watched() {
    let simulator = simulator(Knobs { answer_delay: Duration::from_hours(1), ..Knobs::default() }).await;
    let mut raw = Raw::start(&simulator, 5).await;
    for unknown in [25, 90, 106] {
        raw.send(unknown, &RequestId { id: Some(77) }).await;
        assert_eq!(raw.refusal().await, (77, 366));
    }
    raw.send(HISTORICAL, &hourly(1)).await;
    raw.send(HISTORICAL, &hourly(1)).await;
    assert_eq!(raw.refusal().await, (1, 322));
    assert_eq!(simulator.report().open_requests, 1);
    assert_eq!(simulator.report().open_requests, 1);
    raw.send(25, &RequestId { id: Some(1) }).await;
    raw.send(25, &RequestId { id: Some(1) }).await;
    let all_heard = simulator.wait_for(|report| report.received("cancel_historical_data") == 3);
    let report = tokio::time::timeout(LIMIT, all_heard).await.unwrap();
    assert_eq!((report.open_requests, report.received("cancel_head_timestamp")), (0, 1));
    let unknown = "cancel_of_unknown_id";
    assert_eq!(rules(&simulator), [unknown, unknown, unknown, "reused_request_id"]);
}

#[tokio::test]
async fn small_bars_are_paced_by_the_simulated_clock() {
    for (time_scale, expected) in [(1.0, "identical_within_15s"), (1e9, "")] {
        let simulator = Simulator::start(Config { time_scale, ..Config::default() }).await.unwrap();
        let mut raw = Raw::start(&simulator, 5).await;
        for id in [1, 2] {
            let small = HistoricalDataRequest { bar_size: Some("30 secs".to_owned()), ..hourly(id) };
            raw.send(HISTORICAL, &small).await;
            while raw.receive().await.id != reply::HISTORICAL_DATA_END {}
        }
        assert_eq!(rules(&simulator).join(" "), expected);
    }
}

#[tokio::test]
async fn garbage_is_counted_and_survived() {
    let simulator = simulator(Knobs::default()).await;
    let mut raw = Raw::start(&simulator, 5).await;
    raw.stream.write_all(b"\0\0\0\x09\0\0\0\x47\x32\0\x35\0\0").await.unwrap();
    assert_eq!(raw.refusal().await, (-1, 320));
    raw.stream.write_all(b"\0\0\0\x06\0\0\x00\xdc\xff\xff").await.unwrap();
    assert_eq!(raw.refusal().await, (-1, 320));
    raw.send(63, &RequestId { id: None }).await;
    raw.send(8, &RequestId { id: Some(1) }).await;
    assert_eq!(raw.receive().await.id, reply::NEXT_VALID_ID);
    assert_eq!(simulator.report().received("unknown"), 2);
    assert_eq!(rules(&simulator), ["malformed_frame", "malformed_frame"]);
    raw.send(3, &RequestId { id: None }).await;
    raw.stream.write_all(b"\0\0").await.unwrap();
    drop(raw);
    let settled = simulator.wait_for(|report| report.broke("order_message") && report.broke("abrupt_close"));
    tokio::time::timeout(LIMIT, settled).await.unwrap();
}

#[tokio::test]
async fn a_client_that_leaves_cancels_first() {
    for cancels in [true, false] {
        let simulator = simulator(Knobs { answer_delay: Duration::from_hours(1), ..Knobs::default() }).await;
        let mut raw = Raw::start(&simulator, 5).await;
        raw.send(HISTORICAL, &hourly(1)).await;
        if cancels {
            raw.send(25, &RequestId { id: Some(1) }).await;
        }
        drop(raw);
        // The next is let in when the first is gone.
        Raw::start(&simulator, 6).await;
        let broken: &[&str] = if cancels { &[] } else { &["uncancelled_at_disconnect"] };
        assert_eq!(rules(&simulator), broken);
    }
}

#[tokio::test]
async fn an_answer_that_fits_no_frame_is_refused() {
    let simulator = simulator(Knobs::default()).await;
    let mut raw = Raw::start(&simulator, 5).await;
    let (bar_size, duration) = (Some("1 min".to_owned()), Some("5 Y".to_owned()));
    raw.send(HISTORICAL, &HistoricalDataRequest { bar_size, duration, ..hourly(1) }).await;
    assert_eq!(raw.refusal().await, (1, 162));
}

#[tokio::test]
async fn a_report_names_the_requests_that_were_open_at_the_end() {
    // A simulated hour takes an hour, or no time at all.
    for (time_scale, open) in [(1.0, 1), (1e9, 0)] {
        let knobs = Knobs { answer_delay: Duration::from_hours(1), ..Knobs::default() };
        let simulator = Simulator::start(Config { time_scale, knobs, ..Config::default() }).await.unwrap();
        let mut raw = Raw::start(&simulator, 5).await;
        raw.send(HISTORICAL, &hourly(1)).await;
        let settled =
            simulator.wait_for(|report| report.received("historical_data") == 1 && report.open_requests == open);
        tokio::time::timeout(LIMIT, settled).await.unwrap();
        assert_eq!(simulator.stop().await.open_requests, open);
    }
}
