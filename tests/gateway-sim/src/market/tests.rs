//! Rules that hold for every question, whatever its contract, size, span and end.

use proptest::prelude::*;

use super::*;

/// 2025-06-06 11:20:30 New York, a Friday.
const NOW: i64 = 1_749_223_230;

fn market() -> Market {
    Market::open(7, None, false, 1_749_160_800).unwrap()
}

fn contract(market: &Market, symbol: &str) -> Arc<Contract> {
    let query = Query { symbol: symbol.to_owned(), ..Query::default() };
    let found = market.find(&query, 1_749_160_800);
    found.into_iter().find(|contract| contract.schedule.zone_name == "US/Eastern").unwrap()
}

fn sizes() -> impl Strategy<Value = BarSize> {
    let names: Vec<_> = BarSize::request_names().collect();
    proptest::sample::select(names).prop_map(|name| BarSize::of_request(name).unwrap())
}

fn spans() -> impl Strategy<Value = Span> {
    prop_oneof![
        (1i64..86_400).prop_map(Span::Seconds),
        (1i64..12).prop_map(Span::Days),
        (1i64..3).prop_map(Span::Weeks),
        Just(Span::Months(1)),
    ]
}

fn queries() -> impl Strategy<Value = BarQuery> {
    let symbol = proptest::sample::select(vec!["AAPL", "EUR", "USD", "SPY"]);
    let what = proptest::sample::select(vec![What::Midpoint, What::Bid, What::Ask, What::BidAsk]);
    let end = NOW - 700 * 86_400..NOW + 86_400;
    (symbol, sizes(), spans(), what, any::<bool>(), end).prop_map(|(symbol, size, span, what, regular, end)| {
        // A month of seconds is more than anyone asks for at once.
        let span = if span.is_too_long_for(size) || size.seconds() <= 30 { Span::Seconds(1800) } else { span };
        BarQuery { contract: contract(&market(), symbol), size, span, what, regular, end, now: NOW }
    })
}

/// The first instant of a bar.
fn start(bar: &Bar, query: &BarQuery) -> i64 {
    match bar.stamp {
        Stamp::Second(second) => second,
        Stamp::Day(date) => zone::midnight(&query.contract.schedule.zone, date),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn bars_ascend_inside_what_was_asked(query in queries()) {
        let bars = market().bars(&query);
        prop_assert!(bars.is_sorted_by(|one, next| one.stamp < next.stamp));
        let end = query.end.min(query.now);
        for bar in &bars {
            prop_assert!(start(bar, &query) < end);
            prop_assert!(bar.low <= bar.open.min(bar.close) && bar.high >= bar.open.max(bar.close) && bar.low > 0.0);
        }
        if let (Some(calendar), Some(first)) = (query.span.calendar(), bars.first()) {
            let local = zone::local(&query.contract.schedule.zone, end).saturating_sub(calendar);
            prop_assert!(start(first, &query) >= zone::second_of(&query.contract.schedule.zone, local));
        }
        if let (Span::Seconds(seconds), BarSize::Seconds(size)) = (query.span, query.size) {
            // One more for each end of a session that cuts a bar short.
            let most = seconds / size + 2 + 3 * (seconds / 23_400 + 2);
            prop_assert!(i64::try_from(bars.len()).unwrap() <= most);
        }
        prop_assert_eq!(&bars, &market().bars(&query));
    }

    #[test]
    fn every_size_is_the_sum_of_its_minutes(query in queries(), days in 1i64..4) {
        let query = BarQuery { span: Span::Days(days), what: What::Trades, ..query };
        prop_assume!(query.size.is_intraday() && query.size.seconds() > 60);
        let minutes = market().bars(&BarQuery { size: BarSize::Seconds(60), ..query.clone() });
        let mut next = minutes.iter().peekable();
        let bars = market().bars(&query);
        for (index, bar) in bars.iter().enumerate() {
            let stop = bars.get(index + 1).map_or(i64::MAX, |bar| start(bar, &query));
            let mut inside = Vec::new();
            while let Some(minute) = next.next_if(|minute| start(minute, &query) < stop) {
                inside.push(*minute);
            }
            // A bar that the end cuts is delivered whole; its minutes end there.
            if start(bar, &query) + query.size.seconds() <= query.end.min(NOW) {
                prop_assert_eq!(Some(*bar), inside.into_iter().reduce(joined).map(|sum| Bar { average: bar.average, count: bar.count, ..sum }));
            }
        }
    }

    #[test]
    fn replayed_bars_are_sliced_without_loss(
        hours in proptest::collection::btree_set(0i64..2000, 1..80),
        days in 1i64..20,
        end in 0i64..2000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let rows: Vec<_> = hours.iter().map(|hour| format!("{},1,2,1,2,3\n", stamp(hour * 3600))).collect();
        std::fs::write(folder.path().join("XYZ_1h.csv"), format!("timestamp,open,high,low,close,volume\n{}", rows.concat())).unwrap();
        let market = Market::open(0, Some(folder.path()), false, 0).unwrap();
        let query = BarQuery {
            contract: contract(&market, "XYZ"),
            size: BarSize::Seconds(3600),
            span: Span::Days(days),
            what: What::Trades,
            regular: true,
            end: BASE + end * 3600,
            now: NOW,
        };
        let got: Vec<i64> = market.bars(&query).iter().map(|bar| (start(bar, &query) - BASE) / 3600).collect();
        let dates = |hour: &i64| query.contract.schedule.trade_date(BASE + hour * 3600);
        let before: Vec<i64> = hours.iter().copied().filter(|hour| *hour < end).collect();
        let mut wanted: Vec<_> = before.iter().map(dates).collect();
        wanted.dedup();
        let oldest = wanted.iter().rev().take(usize::try_from(days).unwrap()).next_back();
        let expected: Vec<i64> = before.into_iter().filter(|hour| oldest.is_some_and(|date| dates(hour) >= *date)).collect();
        prop_assert_eq!(got, expected);
    }
}

/// 2025-01-01, midnight UTC.
const BASE: i64 = 1_735_689_600;

fn stamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(BASE + seconds).unwrap().to_string()
}

fn joined(one: Bar, next: Bar) -> Bar {
    Bar {
        high: one.high.max(next.high),
        low: one.low.min(next.low),
        close: next.close,
        volume: one.volume.zip(next.volume).map(|(one, next)| one + next),
        ..one
    }
}

#[test]
fn a_replayed_symbol_is_one_contract() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["MSFT_1m.csv", "brk.b_1d.csv", "EUR.USD_1h.csv", "ABCDEF_1d.csv"] {
        let rows = "timestamp,open,high,low,close,volume\n2025-06-05 19:00:00,1,2,1,2,3\n";
        std::fs::write(folder.path().join(name), rows).unwrap();
    }
    let market = Market::open(0, Some(folder.path()), false, 0).unwrap();
    let find = |symbol: &str| market.find(&Query { symbol: symbol.to_owned(), ..Query::default() }, 0);
    for (symbol, kind, exchange) in [
        ("MSFT", SecurityType::Stock, "SMART"),
        ("BRK B", SecurityType::Stock, "SMART"),
        ("ABCDEF", SecurityType::Stock, "SMART"),
        ("EUR", SecurityType::Cash, "IDEALPRO"),
    ] {
        let found = find(symbol);
        assert_eq!((found.len(), found[0].kind, found[0].exchange), (1, kind, exchange), "{symbol}");
        assert!(found[0].id > 0);
    }
    assert_eq!(find("VOD").len(), 2);
}
