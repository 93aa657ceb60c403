//! Prices as a client gets them: generated ones that agree with each other, and replayed files.

use std::time::Instant;

use crate::support::{Gateway, bars, in_time, notice_code};
use ibapi::contracts::Contract;
use ibapi::market_data::TradingHours;
use ibapi::market_data::historical::{Bar, BarSize, BarTimestamp, ToDuration, WhatToShow};
use ktrdr_gateway_sim::Knobs;
use time::OffsetDateTime;
use time::macros::{date, datetime};

fn second(bar: &Bar) -> i64 {
    match bar.date {
        BarTimestamp::DateTime(at) => at.unix_timestamp(),
        BarTimestamp::Date(date) => date.midnight().assume_utc().unix_timestamp(),
    }
}

#[tokio::test]
async fn a_year_of_minutes_in_slices_of_three_days() {
    let gateway = Gateway::start(Knobs::default()).await;
    let client = gateway.connect(9).await;
    let apple = Contract::stock("AAPL").build();
    let started = Instant::now();
    let (mut end, mut minutes) = (datetime!(2025-01-01 05:00 UTC), Vec::new());
    while end > datetime!(2024-01-02 09:00 UTC) {
        let slice = bars(&client, &apple, BarSize::Min, WhatToShow::Trades, TradingHours::Extended, 3.days(), end);
        let mut slice = slice.await.unwrap();
        end = OffsetDateTime::from_unix_timestamp(second(&slice[0])).unwrap();
        slice.extend(minutes);
        minutes = slice;
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    // 252 sessions, three of them three hours shorter.
    assert_eq!(minutes.len(), 252 * 960 - 3 * 180);
    assert!(minutes.is_sorted_by(|one, next| second(one) < second(next)));

    let hours =
        bars(&client, &apple, BarSize::Hour, WhatToShow::Trades, TradingHours::Extended, 1.years(), end_of_2024());
    for hour in hours.await.unwrap() {
        let first = minutes.partition_point(|minute| second(minute) < second(&hour));
        let inside = &minutes[first..first + 60];
        let volume: f64 = inside.iter().map(|minute| minute.volume).sum();
        let high = inside.iter().map(|minute| minute.high).fold(f64::MIN, f64::max);
        let low = inside.iter().map(|minute| minute.low).fold(f64::MAX, f64::min);
        let sums = (inside[0].open, high, low, inside[59].close, volume);
        assert_eq!(sums, (hour.open, hour.high, hour.low, hour.close, hour.volume));
    }
}

fn end_of_2024() -> OffsetDateTime {
    datetime!(2025-01-01 05:00 UTC)
}

#[tokio::test]
async fn ten_years_of_days_are_quick() {
    let gateway = Gateway::start(Knobs::default()).await;
    let client = gateway.connect(9).await;
    let started = Instant::now();
    for (contract, what, expected) in [
        (Contract::stock("AAPL").build(), WhatToShow::Trades, 2516),
        (Contract::forex("EUR", "USD").build(), WhatToShow::MidPoint, 2609),
    ] {
        let days = bars(&client, &contract, BarSize::Day, what, TradingHours::Extended, 10.years(), end_of_2024());
        assert_eq!(days.await.unwrap().len(), expected);
    }
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

#[tokio::test]
async fn the_same_question_has_the_same_answer_and_quotes_surround_the_middle() {
    let gateway = Gateway::start(Knobs::default()).await;
    let client = gateway.connect(9).await;
    let euro = Contract::forex("EUR", "USD").build();
    let mut sides = Vec::new();
    for what in [WhatToShow::MidPoint, WhatToShow::MidPoint, WhatToShow::Bid, WhatToShow::Ask] {
        let day = bars(
            &client,
            &euro,
            BarSize::Hour,
            what,
            TradingHours::Extended,
            1.days(),
            datetime!(2025-06-06 21:00 UTC),
        );
        sides.push(day.await.unwrap());
    }
    assert_eq!(sides[0], sides[1]);
    assert_eq!(sides[0].len(), 24);
    assert_eq!(second(&sides[0][0]) % 3600, 900);
    for ((middle, bid), ask) in sides[0].iter().zip(&sides[2]).zip(&sides[3]) {
        assert!(bid.close < middle.close && middle.close < ask.close);
        assert!((middle.volume - -1.0).abs() < f64::EPSILON);
    }
}

#[tokio::test]
async fn replayed_files_come_back_to_the_last_digit() {
    let folder = tempfile::tempdir().unwrap();
    let hours = "timestamp,open,high,low,close,volume\n\
        2025-06-05 19:00:00+00:00,140.1,140.2,140.05,140.15,15812.0\n\
        2025-06-05 20:00:00+00:00,140.15,140.3,,140.2,1.0\n\
        2025-06-06 13:00:00+00:00,100.99342830602247,101.31751227541726,99.57805756397205,101.1186747311954,2717.381977897272\n\
        2025-06-06 14:00:00+00:00,141.77,141.9,141.7,141.9,227356\n";
    let days = "date,open,high,low,close,volume\n2025-06-04,1,2,1,2,5\n2025-06-05,2,3,2,3,5\n2025-06-06,3,4,3,4,5\n";
    let euro = "timestamp,open,high,low,close,volume\n2025-06-05T21:15:00Z,1.03506,1.03565,1.03473,1.0352,0.0\n";
    for (name, text) in [
        ("NVDA_1h.csv", hours),
        ("nvda_1d.csv", days),
        ("EURUSD_1h.csv", euro),
        ("notes.csv", "x"),
        ("A_7m.csv", hours),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let gateway = Gateway::start_replay(folder.path().to_owned()).await;
    let client = gateway.connect(9).await;
    let nvidia = Contract::stock("NVDA").build();
    let rows = in_time(client.contract_details(&nvidia)).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].contract.contract_id > 0);

    let end = datetime!(2025-06-07 00:00 UTC);
    let ask = async |contract: &Contract, size, duration, end| {
        let what = if contract.symbol.as_str() == "EUR" { WhatToShow::MidPoint } else { WhatToShow::Trades };
        bars(&client, contract, size, what, TradingHours::Regular, duration, end).await
    };
    let all = ask(&nvidia, BarSize::Hour, 2.days(), end).await.unwrap();
    assert_eq!(all.len(), 3);
    let odd = &all[1];
    let figures = [odd.open, odd.high, odd.low, odd.close, odd.volume].map(|figure| figure.to_string());
    assert_eq!(
        figures.join(","),
        "100.99342830602247,101.31751227541726,99.57805756397205,101.1186747311954,2717.381977897272"
    );
    assert_eq!(ask(&nvidia, BarSize::Hour, 1.days(), end).await.unwrap().len(), 2);
    assert_eq!(ask(&nvidia, BarSize::Hour, 1.days(), datetime!(2025-06-06 14:00 UTC)).await.unwrap().len(), 1);
    assert_eq!(ask(&nvidia, BarSize::Hour, 3600.seconds(), end).await.unwrap()[..], all[2..]);
    assert_eq!(ask(&nvidia, BarSize::Day, 2.days(), datetime!(2025-06-06 04:00 UTC)).await.unwrap().len(), 2);
    assert_eq!(
        ask(&nvidia, BarSize::Day, 1.years(), end).await.unwrap()[2].date,
        BarTimestamp::Date(date!(2025 - 06 - 06))
    );
    assert_eq!(notice_code(ask(&nvidia, BarSize::Min, 1.days(), end).await), 162);
    assert_eq!(notice_code(ask(&nvidia, BarSize::Hour, 1.days(), datetime!(2025-06-05 19:00 UTC)).await), 162);

    let head = in_time(client.head_timestamp(&nvidia, WhatToShow::Trades, TradingHours::Extended)).await.unwrap();
    assert_eq!(head, datetime!(2025-06-04 00:00 UTC));
    let euro = ask(&Contract::forex("EUR", "USD").build(), BarSize::Hour, 1.days(), end).await.unwrap();
    assert_eq!((euro[0].close, euro[0].volume), (1.0352, -1.0));
}
