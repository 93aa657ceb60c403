//! Frames captured between real clients and servers, byte for byte.

use prost::Message;

use super::*;
use crate::protocol::dialect::Dialect;
use crate::protocol::frame::{self, Frame, FrameError};
use crate::protocol::reply::Reply;
use crate::protocol::request::Kind;

/// Bytes of hex digits; text in quotes stands for itself.
fn bytes(hex: &str) -> Vec<u8> {
    let mut all = Vec::new();
    for (index, piece) in hex.split('"').enumerate() {
        if index % 2 == 1 {
            all.extend(piece.bytes());
        } else {
            all.extend(piece.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()));
        }
    }
    all
}

fn read(hex: &str) -> Frame {
    let all = bytes(hex);
    let (prefix, body) = all.split_first_chunk().unwrap();
    assert_eq!(frame::body_length(*prefix, 4), Ok(body.len()));
    frame::parse(body).unwrap()
}

fn encoded(reply: &Reply) -> Vec<u8> {
    Dialect::Protobuf.encode(reply).unwrap()
}

fn stock() -> Contract {
    let text = |text: &str| Some(text.to_owned());
    Contract {
        symbol: text("AAPL"),
        sec_type: text("STK"),
        exchange: text("SMART"),
        currency: text("USD"),
        ..Contract::default()
    }
}

#[test]
fn start_of_both_clients() {
    for (hex, client_id) in [("00 00 00 06 00 00 01 0f 08 2a", 42), ("00 00 00 06 00 00 01 0f 08 05", 5)] {
        let frame = read(hex);
        assert_eq!(Kind::of_id(frame.id), Some(Kind::Start));
        assert_eq!(StartApi::decode(&*frame.payload).unwrap().client_id, Some(client_id));
    }
}

#[test]
fn first_frames_of_the_server() {
    let accounts = ManagedAccounts { accounts: Some("DU1234567".to_owned()) };
    assert_eq!(encoded(&Reply::ManagedAccounts(accounts)), bytes(r#"00 00 00 0f 00 00 00 d7 0a 09 "DU1234567""#));
    let next = NextValidId { order_id: Some(1) };
    assert_eq!(encoded(&Reply::NextValidId(next)), bytes("00 00 00 06 00 00 00 d1 08 01"));
}

#[test]
fn a_notice_has_a_negative_id_in_ten_bytes() {
    let hex = r#"00 00 00 43 00 00 00 cc 08 ff ff ff ff ff ff ff ff ff 01 10 b5 81 ac c3 a0 34 18 b8 10 22 28
        "Market data farm connection is OK:usfarm""#;
    let notice = ErrorMessage {
        id: Some(-1),
        time: Some(ErrorMessage::decode(&*read(hex).payload).unwrap().time.unwrap()),
        code: Some(2104),
        text: Some("Market data farm connection is OK:usfarm".to_owned()),
    };
    assert_eq!(encoded(&Reply::Error(notice)), bytes(hex));
}

#[test]
fn historical_requests_of_both_clients() {
    let frame = read(
        r#"00 00 00 3b 00 00 00 dc 08 80 de a0 cb 05 12 17 12 04 "AAPL" 1a 03 "STK" 42 05 "SMART" 52 03 "USD"
        22 05 "1 min" 2a 03 "1 D" 30 01 3a 06 "TRADES" 40 02"#,
    );
    let request = HistoricalDataRequest::decode(&*frame.payload).unwrap();
    assert_eq!((request.id, request.contract), (Some(1_500_000_000), Some(stock())));
    assert_eq!((request.bar_size.unwrap(), request.duration.unwrap()), ("1 min".to_owned(), "1 D".to_owned()));
    assert_eq!((request.end, request.regular_hours, request.format_date), (None, Some(true), Some(2)));

    let official = read(
        r#"00 00 00 57 00 00 00 dc 08 02 12 19 08 00 12 04 "AAPL" 1a 03 "STK" 42 05 "SMART" 52 03 "USD"
        1a 1c "20240102 16:00:00 US/Eastern" 22 05 "1 min" 2a 03 "1 D" 30 01 3a 06 "TRADES" 40 02"#,
    );
    let request = HistoricalDataRequest::decode(&*official.payload).unwrap();
    assert_eq!(request.contract, Some(Contract { con_id: Some(0), ..stock() }));
    assert_eq!(request.end.as_deref(), Some("20240102 16:00:00 US/Eastern"));
}

#[test]
fn an_answer_with_its_end() {
    let bar = HistoricalBar {
        date: Some("1704205800".to_owned()),
        open: Some(100.0),
        high: Some(101.0),
        low: Some(99.0),
        close: Some(100.5),
        volume: Some("1000".to_owned()),
        average: Some("100.25".to_owned()),
        count: Some(10),
    };
    let hex = r#"0a 0a "1704205800" 11 00 00 00 00 00 00 59 40 19 00 00 00 00 00 40 59 40 21 00 00 00 00 00 c0 58 40
        29 00 00 00 00 00 20 59 40 32 04 "1000" 3a 06 "100.25" 40 0a"#;
    assert_eq!(bar.encode_to_vec(), bytes(hex));
    let end = HistoricalDataEnd {
        id: Some(2),
        start: Some("20240101 09:30:00 US/Eastern".to_owned()),
        end: Some("20240102 09:33:00 US/Eastern".to_owned()),
    };
    let hex =
        r#"00 00 00 42 00 00 01 34 08 02 12 1c "20240101 09:30:00 US/Eastern" 1a 1c "20240102 09:33:00 US/Eastern""#;
    assert_eq!(encoded(&Reply::HistoricalDataEnd(end)), bytes(hex));
}

#[test]
fn small_requests_and_answers() {
    assert_eq!(Kind::of_id(read("00 00 00 04 00 00 00 f9").id), Some(Kind::CurrentTime));
    assert_eq!(Kind::of_id(read("00 00 00 04 00 00 01 31").id), Some(Kind::CurrentTimeInMillis));
    let cancel = read("00 00 00 0a 00 00 00 e1 08 80 de a0 cb 05");
    assert_eq!(Kind::of_id(cancel.id), Some(Kind::CancelHistoricalData));
    assert_eq!(RequestId::decode(&*cancel.payload).unwrap().id, Some(1_500_000_000));
    let cancel = read("00 00 00 0a 00 00 01 32 08 80 de a0 cb 05");
    assert_eq!(Kind::of_id(cancel.id), Some(Kind::CancelContractDetails));
    let end = RequestId { id: Some(1) };
    assert_eq!(encoded(&Reply::ContractDataEnd(end)), bytes("00 00 00 06 00 00 00 fc 08 01"));
    let time = encoded(&Reply::CurrentTime(CurrentTime { time: Some(1_795_437_560) }));
    assert_eq!(time, bytes("00 00 00 0a 00 00 00 f9 08 f8 e7 90 d8 06"));
}

#[test]
fn impossible_frames() {
    assert_eq!(frame::body_length([0, 0, 0, 3], 4), Err(FrameError::Length(3)));
    assert_eq!(frame::body_length([1, 0, 0, 0], 4), Err(FrameError::Length(1 << 24)));
    assert_eq!(frame::parse(&bytes("00 00 00 47 32 00 35 00 00")), Err(FrameError::Text(71)));
}
