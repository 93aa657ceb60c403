//! Prices as they come, against what history says of them later.

use prost::Message;

use super::raw::{HISTORICAL, Raw, hourly, reply};
use crate::config::{Config, Knobs};
use crate::protocol::messages::{
    Contract, HistoricalBar, HistoricalData, HistoricalDataRequest, HistoricalDataUpdate, HistoricalSchedule,
    MarketDataRequest, MarketDataType, MarketDataTypeRequest, MarketRule, MarketRuleRequest, RealTimeBarTick,
    RealTimeBarsRequest, RequestId,
};
use crate::simulator::Simulator;

/// Market time that runs ten times as fast as real time, from a Friday in New York on, and updates every 50 ms.
async fn fast(now: &str, always_open: bool) -> Simulator {
    let knobs = Knobs { now: Some(now.parse().unwrap()), market_speed: Some(10.0), always_open, ..Knobs::default() };
    Simulator::start(Config { knobs, time_scale: 100.0, ..Config::default() }).await.unwrap()
}

fn kept(id: i32, bar_size: &str) -> HistoricalDataRequest {
    HistoricalDataRequest {
        bar_size: Some(bar_size.to_owned()),
        duration: Some("600 S".to_owned()),
        keep_up_to_date: Some(true),
        ..hourly(id)
    }
}

fn five_seconds(id: i32) -> RealTimeBarsRequest {
    let HistoricalDataRequest { contract, what_to_show, .. } = hourly(id);
    RealTimeBarsRequest { id: Some(id), contract, bar_size: Some(0), what_to_show, regular_hours: Some(false) }
}

async fn history(raw: &mut Raw, id: i32, bar_size: &str) -> Vec<HistoricalBar> {
    let request =
        HistoricalDataRequest { bar_size: Some(bar_size.to_owned()), duration: Some("1 D".to_owned()), ..hourly(id) };
    raw.send(HISTORICAL, &request).await;
    loop {
        let frame = raw.receive().await;
        if frame.id == reply::HISTORICAL_DATA {
            return HistoricalData::decode(&*frame.payload).unwrap().bars;
        }
    }
}

#[tokio::test]
async fn a_bar_that_is_kept_up_to_date_ends_as_history_has_it() {
    let simulator = fast("2025-06-06T15:20:30Z", false).await;
    let mut raw = Raw::start(&simulator, 5).await;
    raw.send(HISTORICAL, &kept(1, "10 secs")).await;
    assert_eq!(raw.receive().await.id, reply::HISTORICAL_DATA);
    assert_eq!(raw.receive().await.id, reply::HISTORICAL_DATA_END);
    let mut told: Vec<HistoricalBar> = Vec::new();
    let mut repeats = 0;
    while told.len() < 4 {
        let frame = raw.receive().await;
        assert_eq!(frame.id, reply::UPDATE);
        let update = HistoricalDataUpdate::decode(&*frame.payload).unwrap();
        assert_eq!(update.id, Some(1));
        let bar = update.bar.unwrap();
        match told.last_mut().filter(|last| last.date == bar.date) {
            Some(last) => {
                repeats += 1;
                *last = bar;
            }
            None => told.push(bar),
        }
    }
    assert!(repeats > 4, "each is told more than once");
    assert_eq!(simulator.report().open_requests, 1);
    raw.send(25, &RequestId { id: Some(1) }).await;
    simulator.wait_for(|report| report.open_requests == 0).await;
    let later = history(&mut raw, 2, "10 secs").await;
    for bar in &told[..3] {
        assert!(later.contains(bar), "{bar:?}");
    }
    assert_eq!(simulator.report().violations, []);
}

#[tokio::test]
async fn five_second_bars_come_one_after_the_other_until_they_are_cancelled() {
    // A Saturday: open all the same.
    let simulator = fast("2025-06-07T15:20:31Z", true).await;
    let mut raw = Raw::start(&simulator, 5).await;
    raw.send(50, &five_seconds(7)).await;
    let mut told = Vec::new();
    while told.len() < 3 {
        let frame = raw.receive().await;
        assert_eq!(frame.id, reply::REAL_TIME_BAR);
        told.push(RealTimeBarTick::decode(&*frame.payload).unwrap());
    }
    let times: Vec<_> = told.iter().map(|bar| bar.time.unwrap()).collect();
    assert_eq!(times, [1_749_309_630, 1_749_309_635, 1_749_309_640]);
    raw.send(50, &five_seconds(7)).await;
    loop {
        // Bars may come before the refusal.
        let frame = raw.receive().await;
        if frame.id == reply::ERROR {
            break;
        }
    }
    raw.send(51, &RequestId { id: Some(7) }).await;
    simulator.wait_for(|report| report.open_requests == 0).await;
    let later = history(&mut raw, 8, "5 secs").await;
    for bar in told {
        let same = later.iter().find(|other| other.date == bar.time.map(|time| time.to_string())).unwrap();
        assert_eq!((same.open, same.high, same.low, same.close), (bar.open, bar.high, bar.low, bar.close));
        assert_eq!((&same.volume, &same.average, same.count), (&bar.volume, &bar.average, bar.count));
    }
    assert_eq!(super::rules(&simulator), ["reused_request_id"]);
}

#[tokio::test]
async fn a_closed_market_says_nothing_while_another_is_open() {
    // Monday, 21:00 New York: shares rest, currencies do not.
    let simulator = fast("2025-06-10T01:00:00Z", false).await;
    let mut raw = Raw::start(&simulator, 5).await;
    raw.send(50, &five_seconds(7)).await;
    raw.send(HISTORICAL, &kept(8, "10 secs")).await;
    let text = |text: &str| Some(text.to_owned());
    let euro = Contract {
        symbol: text("EUR"),
        sec_type: text("CASH"),
        exchange: text("IDEALPRO"),
        currency: text("USD"),
        ..Contract::default()
    };
    let euro = RealTimeBarsRequest { contract: Some(euro), what_to_show: text("MIDPOINT"), ..five_seconds(9) };
    raw.send(50, &euro).await;
    assert_eq!(raw.receive().await.id, reply::HISTORICAL_DATA);
    assert_eq!(raw.receive().await.id, reply::HISTORICAL_DATA_END);
    for _ in 0..3 {
        let frame = raw.receive().await;
        assert_eq!(frame.id, reply::REAL_TIME_BAR);
        assert_eq!(RealTimeBarTick::decode(&*frame.payload).unwrap().id, Some(9));
    }
    assert_eq!(simulator.report().open_requests, 3);
    drop(raw);
    simulator.wait_for(|report| report.open_requests == 0).await;
}

#[tokio::test]
async fn streams_are_refused_as_the_gateway_does() {
    let simulator = super::simulator(Knobs::default()).await;
    let mut raw = Raw::start(&simulator, 5).await;
    raw.send(50, &RealTimeBarsRequest { contract: None, ..five_seconds(1) }).await;
    assert_eq!(raw.refusal().await, (1, 321));
    raw.send(50, &RealTimeBarsRequest { what_to_show: Some("PRICES".to_owned()), ..five_seconds(2) }).await;
    assert_eq!(raw.refusal().await, (2, 420));
    raw.send(51, &RequestId { id: Some(3) }).await;
    assert_eq!(raw.refusal().await, (3, 300));
    raw.send(HISTORICAL, &HistoricalDataRequest { end: Some("20250606-15:00:00".to_owned()), ..kept(4, "1 min") })
        .await;
    assert_eq!(raw.refusal().await, (4, 321));
    raw.send(HISTORICAL, &kept(5, "1 secs")).await;
    assert_eq!(raw.refusal().await, (5, 321));
    assert_eq!(simulator.report().open_requests, 0);
}

#[tokio::test]
async fn schedules_rules_and_types_are_told() {
    let simulator = super::simulator(Knobs::default()).await;
    let mut raw = Raw::start(&simulator, 5).await;
    let schedule = HistoricalDataRequest {
        bar_size: Some("1 day".to_owned()),
        duration: Some("3 D".to_owned()),
        what_to_show: Some("SCHEDULE".to_owned()),
        regular_hours: Some(true),
        ..hourly(1)
    };
    raw.send(HISTORICAL, &schedule).await;
    let frame = raw.receive().await;
    assert_eq!(frame.id, reply::SCHEDULE);
    let told = HistoricalSchedule::decode(&*frame.payload).unwrap();
    assert_eq!((told.id, told.zone.as_deref(), told.sessions.len()), (Some(1), Some("US/Eastern"), 3));
    assert_eq!(told.start.as_deref(), Some("20250604-09:30:00"));
    assert_eq!(told.sessions[2].end.as_deref(), Some("20250606-16:00:00"));
    assert_eq!(told.sessions[2].date.as_deref(), Some("20250606"));

    raw.send(91, &MarketRuleRequest { rule: Some(26) }).await;
    let frame = raw.receive().await;
    assert_eq!(frame.id, reply::MARKET_RULE);
    assert_eq!(MarketRule::decode(&*frame.payload).unwrap().increments[0].increment, Some(0.01));
    raw.send(91, &MarketRuleRequest { rule: Some(-3) }).await;
    assert_eq!(raw.refusal().await, (-1, 321));

    raw.send(59, &MarketDataTypeRequest { data_type: Some(3) }).await;
    raw.send(1, &MarketDataRequest { id: Some(9), contract: hourly(9).contract, snapshot: Some(false) }).await;
    let frame = raw.receive().await;
    assert_eq!(frame.id, reply::MARKET_DATA_TYPE);
    assert_eq!(MarketDataType::decode(&*frame.payload).unwrap().data_type, Some(3));
    assert_eq!(simulator.report().violations, []);
}
