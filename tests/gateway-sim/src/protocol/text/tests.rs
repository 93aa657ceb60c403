//! Frames of text as a client of version 178 sends and reads them.

use super::*;
use crate::protocol::messages::{
    ErrorMessage, HistoricalBar, HistoricalBars, HistoricalData, HistoricalDataUpdate, NextValidId,
};
use crate::protocol::request::Request;

fn decoded(version: i32, fields: &str) -> Inbound {
    decode(version, format!("{}\0", fields.replace('|', "\0")).as_bytes())
}

fn read(version: i32, fields: &str) -> Request {
    match decoded(version, fields) {
        Inbound::Request(request) => *request,
        other => panic!("{other:?}"),
    }
}

fn encoded(version: i32, reply: &Reply) -> String {
    let frame = encode(version, reply).unwrap();
    assert!(frame.len() > 4, "nothing is said");
    String::from_utf8(frame[4..].to_vec()).unwrap().replace('\0', "|")
}

#[test]
fn a_captured_historical_request() {
    let fields = "20|4|0|AAPL|STK||0.0|||SMART||USD|||0|20240102 16:00:00 US/Eastern|1 min|1 D|1|TRADES|2|0|";
    let Request::HistoricalData(request) = read(178, fields) else { panic!() };
    let contract = request.contract.unwrap();
    assert_eq!((request.id, contract.con_id, contract.symbol.as_deref()), (Some(4), Some(0), Some("AAPL")));
    assert_eq!((contract.exchange.as_deref(), contract.currency.as_deref()), (Some("SMART"), Some("USD")));
    assert_eq!(request.end.as_deref(), Some("20240102 16:00:00 US/Eastern"));
    assert_eq!((request.bar_size.as_deref(), request.duration.as_deref()), (Some("1 min"), Some("1 D")));
    assert_eq!(
        (request.regular_hours, request.keep_up_to_date, request.format_date),
        (Some(true), Some(false), Some(2))
    );
}

#[test]
fn a_captured_start() {
    let Request::Start(start) = read(178, "71|2|7|") else { panic!() };
    assert_eq!(start.client_id, Some(7));
}

#[test]
fn what_cannot_be_read_says_what_it_was() {
    assert_eq!(decode(178, b"71\x002\x007"), Inbound::Garbled(None));
    assert_eq!(decode(178, b"\0\0\0\x47\x32\0"), Inbound::Garbled(None));
    assert_eq!(decode(178, b"\xff\0"), Inbound::Garbled(None));
    assert_eq!(decoded(178, "71|2"), Inbound::Garbled(Some(Kind::Start)));
    assert_eq!(decoded(178, "20|x"), Inbound::Garbled(Some(Kind::HistoricalData)));
    let many_legs = "20|4|0|AAPL|BAG||||||||||0||1 min|1 D|1|TRADES|2|99999999999|0|";
    assert_eq!(decoded(178, many_legs), Inbound::Garbled(Some(Kind::HistoricalData)));
    assert_eq!(decoded(178, "999|1"), Inbound::Unknown(999));
}

#[test]
fn errors_of_all_ages() {
    let error = Reply::Error(ErrorMessage {
        id: Some(-1),
        time: Some(5),
        code: Some(2104),
        text: Some("OK: caf\u{e9}".to_owned()),
    });
    assert_eq!(encoded(157, &error), "4|2|-1|2104|OK: caf\\u00e9|");
    assert_eq!(encoded(178, &error), "4|2|-1|2104|OK: caf\\u00e9||");
    assert_eq!(encoded(194, &error), "4|-1|2104|OK: caf\\u00e9||5|");
    assert_eq!(encoded(178, &Reply::NextValidId(NextValidId { order_id: Some(1) })), "9|1|1|");
}

#[test]
fn an_update_has_its_own_order() {
    let text = |text: &str| Some(text.to_owned());
    let bar = HistoricalBar {
        date: text("d"),
        open: Some(1.0),
        high: Some(4.5),
        low: Some(0.5),
        close: Some(2.0),
        volume: text("9"),
        average: text("1.5"),
        count: Some(3),
    };
    let update = Reply::HistoricalDataUpdate(HistoricalDataUpdate { id: Some(7), bar: Some(bar.clone()) });
    assert_eq!(encoded(178, &update), "90|7|3|d|1|2|4.5|0.5|1.5|9|");
    let data = HistoricalData { id: Some(7), bars: vec![bar] };
    let bars = Reply::HistoricalData(HistoricalBars { data, start: "s".to_owned(), end: "e".to_owned() });
    assert_eq!(encoded(178, &bars), "17|7|s|e|1|d|1|4.5|0.5|2|9|1.5|3|");
    assert_eq!(encoded(196, &bars), "17|7|1|d|1|4.5|0.5|2|9|1.5|3|");
}
