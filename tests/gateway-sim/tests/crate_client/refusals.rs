//! Everything the simulator says no to, as the crate hears it.

use ibapi::Error;
use ibapi::contracts::Contract;
use ibapi::market_data::TradingHours;
use ibapi::market_data::historical::{BarSize, ToDuration, WhatToShow};
use ktrdr_gateway_sim::Knobs;
use time::macros::datetime;

use crate::support::{Gateway, bars, in_time};

#[tokio::test]
async fn refuses_as_the_gateway_does() {
    let gateway = Gateway::start(Knobs::default()).await;
    let client = gateway.connect(9).await;
    let (apple, euro) = (Contract::stock("AAPL").build(), Contract::forex("EUR", "USD").build());
    let old = datetime!(1999-06-07 04:00 UTC);
    let now = datetime!(2025-06-07 04:00 UTC);
    let all = TradingHours::Extended;
    let ask = async |contract: &Contract, what, duration, end| match bars(
        &client,
        contract,
        BarSize::Hour,
        what,
        all,
        duration,
        end,
    )
    .await
    {
        Err(Error::Notice(notice)) => (notice.code, notice.message),
        other => panic!("{other:?}"),
    };
    let (code, text) = ask(&apple, WhatToShow::Trades, 1.days(), old).await;
    assert_eq!(code, 162);
    assert_eq!(text, "Historical Market Data Service error message:HMDS query returned no data: AAPL@SMART Trades");
    let (code, text) = ask(&euro, WhatToShow::Trades, 1.days(), now).await;
    assert_eq!(code, 162);
    assert!(text.ends_with("No historical market data for EUR/CASH@IDEALPRO Last"), "{text}");
    assert_eq!(ask(&Contract::stock("MSFT").build(), WhatToShow::Trades, 1.days(), now).await.0, 200);
    assert_eq!(ask(&Contract::stock("NOSUCH").build(), WhatToShow::Trades, 1.days(), now).await.0, 200);
    assert_eq!(ask(&Contract::default(), WhatToShow::Trades, 1.days(), now).await.0, 321);
    let (code, text) = ask(&apple, WhatToShow::Trades, 400.days(), now).await;
    assert_eq!(code, 321);
    assert!(text.contains("must be made in years"), "{text}");
    let report = gateway.stop().await;
    assert!(report.broke("trades_for_forex") && report.broke("invalid_duration_or_bar_size"));
    assert_eq!(report.violations.len(), 2);
}

#[tokio::test]
async fn client_ids_in_use_are_refused() {
    let gateway = Gateway::start(Knobs { client_ids_taken: 1, ..Knobs::default() }).await;
    assert!(matches!(in_time(gateway.builder(9).connect()).await, Err(Error::ClientIdInUse { .. })));
    let _first = gateway.connect(9).await;
    assert!(matches!(in_time(gateway.builder(9).connect()).await, Err(Error::ClientIdInUse { .. })));
    let _second = gateway.connect(10).await;
    let report = gateway.wait_for(|report| report.connections.total == 4).await;
    assert_eq!((report.faults["reject_326"], report.connections.most_at_once), (1, 2));
    assert!(report.broke("second_connection"));
}

#[tokio::test]
async fn a_client_that_comes_back_had_one_connection() {
    let gateway = Gateway::start(Knobs::default()).await;
    for _ in 0..5 {
        let client = gateway.connect(9).await;
        in_time(client.disconnect()).await;
    }
    let report = gateway.stop().await;
    assert_eq!((report.connections.total, report.connections.most_at_once), (5, 1));
    assert_eq!(report.violations, []);
}

#[tokio::test]
async fn an_old_gateway_says_so() {
    let gateway = Gateway::start_version(187).await;
    let refused = in_time(gateway.builder(9).connect()).await;
    assert!(matches!(refused, Err(Error::ServerVersion(213, 187, _))), "{:?}", refused.err());
}

#[tokio::test]
async fn a_starting_gateway_closes_at_once() {
    let gateway = Gateway::start(Knobs { close_in_handshake: true, ..Knobs::default() }).await;
    let refused = in_time(gateway.builder(9).connect()).await;
    assert!(matches!(refused, Err(Error::ConnectionRejected(_))), "{:?}", refused.err());
    gateway.wait_for(|report| report.faults["accept_then_close"] == 1).await;
}
