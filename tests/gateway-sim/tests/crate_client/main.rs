//! The unmodified `ibapi` crate against the simulator, over a real socket.

mod faults;
mod prices;
mod refusals;
mod support;

use std::time::Duration;

use ibapi::contracts::Contract;
use ibapi::market_data::TradingHours;
use ibapi::market_data::historical::{BarSize, BarTimestamp, ToDuration, WhatToShow};
use ktrdr_gateway_sim::Knobs;
use support::{Gateway, bars, in_time, notice_code};
use time::macros::datetime;

#[tokio::test]
async fn connects_hears_the_farms_and_the_clock() {
    let gateway = Gateway::start(Knobs::default()).await;
    let (client, mut notices) = in_time(gateway.builder(9).connect_with_notice_stream()).await.unwrap();
    assert_eq!(client.server_version(), 226);
    assert_eq!(client.handshake_managed_accounts(), ["DU1234567"]);
    assert!(client.connection_time().is_some() && client.time_zone().is_some());
    for code in [2104, 2106, 2158] {
        assert_eq!(in_time(notices.next()).await.unwrap().code, code);
    }
    let millis = in_time(client.server_time_millis()).await.unwrap();
    let seconds = in_time(client.server_time()).await.unwrap();
    assert!((seconds - millis).abs() < Duration::from_secs(5));
    in_time(client.disconnect()).await;
    let report = gateway.stop().await;
    assert_eq!((report.connections.total, report.connections.most_at_once), (1, 1));
    assert_eq!((report.received("start_api"), report.received("current_time")), (1, 1));
    assert_eq!(report.violations, []);
}

#[tokio::test]
async fn finds_contracts() {
    let gateway = Gateway::start(Knobs::default()).await;
    let client = gateway.connect(9).await;
    let apple = in_time(client.contract_details(&Contract::stock("AAPL").build())).await.unwrap();
    assert_eq!(apple.len(), 1);
    let row = &apple[0];
    assert_eq!((row.contract.contract_id, row.contract.primary_exchange.as_str()), (265_598, "NASDAQ"));
    assert_eq!((row.time_zone_id.as_str(), row.min_tick), ("US/Eastern", 0.01));
    assert_eq!((row.trading_hours.len(), row.liquid_hours.len()), (7, 7));

    let any_currency = Contract { currency: "".into(), ..Contract::stock("MSFT").build() };
    let microsoft = in_time(client.contract_details(&any_currency)).await.unwrap();
    let american = microsoft.iter().filter(|row| row.contract.primary_exchange.as_str() == "NASDAQ").count();
    assert_eq!((microsoft.len(), american), (4, 1));
    assert_eq!(in_time(client.contract_details(&Contract::stock("MSFT").build())).await.unwrap().len(), 2);
    assert_eq!(notice_code(in_time(client.contract_details(&Contract::stock("NOSUCH").build())).await), 200);
    assert_eq!(notice_code(in_time(client.contract_details(&Contract::stock("VOD").build())).await), 200);

    let euro = in_time(client.contract_details(&Contract::forex("EUR", "USD").build())).await.unwrap();
    assert_eq!((euro.len(), euro[0].contract.exchange.as_str()), (1, "IDEALPRO"));
    let by_id = Contract { contract_id: 265_598, exchange: "SMART".into(), ..Contract::default() };
    assert_eq!(in_time(client.contract_details(&by_id)).await.unwrap()[0].contract.symbol.as_str(), "AAPL");
    let report = gateway.stop().await;
    assert_eq!((report.received("contract_details"), report.open_requests), (7, 0));
    assert_eq!(report.violations, []);
}

#[tokio::test]
async fn searches_symbols() {
    let gateway = Gateway::start(Knobs::default()).await;
    let client = gateway.connect(9).await;
    let found = in_time(client.matching_symbols("micros")).await.unwrap();
    assert_eq!(found[0].contract.symbol.as_str(), "MSFT");
    assert_eq!(found[0].contract.primary_exchange.as_str(), "NASDAQ.NMS");
    assert_eq!(in_time(client.matching_symbols("EUR")).await.unwrap().len(), 1);
    assert_eq!(in_time(client.matching_symbols("zzz")).await.unwrap().len(), 0);
}

#[tokio::test]
async fn knows_when_data_begins() {
    let gateway = Gateway::start(Knobs::default()).await;
    let client = gateway.connect(9).await;
    let apple = Contract::stock("AAPL").build();
    let head = in_time(client.head_timestamp(&apple, WhatToShow::Trades, TradingHours::Extended)).await;
    assert_eq!(head.unwrap(), datetime!(2004-01-23 14:30 UTC));
    let euro = Contract::forex("EUR", "USD").build();
    let trades = in_time(client.head_timestamp(&euro, WhatToShow::Trades, TradingHours::Extended)).await;
    assert_eq!(notice_code(trades), 162);
    let head = in_time(client.head_timestamp(&euro, WhatToShow::MidPoint, TradingHours::Extended)).await;
    assert_eq!(head.unwrap().date(), time::macros::date!(2005 - 03 - 09));
}

#[tokio::test]
async fn serves_every_bar_size() {
    let gateway = Gateway::start(Knobs::default()).await;
    let client = gateway.connect(9).await;
    let apple = Contract::stock("AAPL").build();
    let end = datetime!(2025-06-07 04:00 UTC);
    let cases = [
        (BarSize::Sec, 1800.seconds(), 1800),
        (BarSize::Sec5, 3600.seconds(), 720),
        (BarSize::Sec10, 3600.seconds(), 360),
        (BarSize::Sec15, 3600.seconds(), 240),
        (BarSize::Sec30, 3600.seconds(), 120),
        (BarSize::Min, 3.days(), 2880),
        (BarSize::Min2, 1.days(), 480),
        (BarSize::Min3, 1.days(), 320),
        (BarSize::Min4, 1.days(), 240),
        (BarSize::Min5, 10.days(), 1920),
        (BarSize::Min10, 1.days(), 96),
        (BarSize::Min15, 1.days(), 64),
        (BarSize::Min20, 1.days(), 48),
        (BarSize::Min30, 1.days(), 32),
        (BarSize::Hour, 1.weeks(), 80),
        (BarSize::Hour2, 1.days(), 8),
        (BarSize::Hour3, 1.days(), 6),
        (BarSize::Hour4, 1.days(), 4),
        (BarSize::Hour8, 1.days(), 3),
        (BarSize::Day, 1.years(), 250),
        (BarSize::Week, 1.years(), 52),
        (BarSize::Month, 1.years(), 12),
    ];
    for (size, duration, expected) in cases {
        let got = bars(&client, &apple, size, WhatToShow::Trades, TradingHours::Extended, duration, end).await.unwrap();
        let dates: Vec<_> = got.iter().map(|bar| bar.date).collect();
        assert!(dates.is_sorted_by(|one, next| one < next), "{size} is not ascending");
        assert!(dates.iter().all(|date| *date < BarTimestamp::DateTime(end)), "{size} passes its end");
        assert!(got.iter().all(|bar| bar.low <= bar.open.min(bar.close) && bar.high >= bar.open.max(bar.close)));
        assert_eq!(got.len(), expected, "bars of {size}");
    }
    let report = gateway.stop().await;
    assert_eq!((report.received("historical_data"), report.open_requests), (22, 0));
}

#[tokio::test]
async fn a_dropped_fetch_is_cancelled() {
    let knobs = Knobs { answer_delay: Duration::from_hours(1), ..Knobs::default() };
    let gateway = Gateway::start(knobs).await;
    let client = gateway.connect(9).await;
    let apple = Contract::stock("AAPL").build();
    let fetch = client.historical_data(&apple, BarSize::Hour).duration(1.days()).fetch();
    let asked = gateway.wait_for(|report| report.open_requests == 1);
    tokio::select! {
        answer = fetch => panic!("answered: {answer:?}"),
        _ = asked => {}
    }
    let report = gateway.wait_for(|report| report.received("cancel_historical_data") == 1).await;
    assert_eq!(report.open_requests, 0);
    assert_eq!(report.violations, []);
    assert!(in_time(client.server_time()).await.is_ok());
}
