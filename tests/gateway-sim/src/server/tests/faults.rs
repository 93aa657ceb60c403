//! Every fault over a real socket: it is counted, and afterwards the simulator serves again.

use std::time::Duration;

use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::raw::{HISTORICAL, LIMIT, Raw, hourly, reply, simulator};
use crate::config::{Chaos, Config, Knobs, Pacing};
use crate::faults::{Fault, FaultKind, Level, Rule, Stage};
use crate::protocol::frame::Frame;
use crate::protocol::messages::{ContractDataRequest, ErrorMessage, HistoricalDataRequest, RequestId};
use crate::simulator::Simulator;

/// A simulated minute in a few milliseconds: all faults of the table end soon.
const FAST: f64 = 4000.0;

async fn fast(knobs: Knobs) -> Simulator {
    let now = Some("2025-06-06T15:20:30Z".parse().unwrap());
    Simulator::start(Config { knobs: Knobs { now, ..knobs }, time_scale: FAST, ..Config::default() }).await.unwrap()
}

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, work).await.unwrap()
}

/// Whether a client that knocks until it is let in gets its bars.
async fn serves(simulator: &Simulator) {
    let served = async {
        loop {
            if let Some(()) = try_serve(simulator).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    in_time(served).await;
}

async fn try_serve(simulator: &Simulator) -> Option<()> {
    let mut raw = Raw::try_start(simulator, 99).await?;
    raw.offer(HISTORICAL, &hourly(1)).await;
    let answer = async {
        loop {
            let frame = raw.try_receive().await?;
            match frame.id {
                reply::HISTORICAL_DATA_END => return Some(()),
                reply::ERROR if ErrorMessage::decode(&*frame.payload).ok()?.id == Some(1) => return None,
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(1), answer).await.ok()?
}

/// What a client must do to be hit by it.
async fn provoke(simulator: &Simulator, raw: &mut Raw, fault: FaultKind) {
    match fault.entry().stage {
        Stage::Answer(struck) => {
            let request = struck[0].name();
            assert_eq!(request == "contract_details", fault == FaultKind::TwoRows);
            for id in 10..20 {
                if request == "contract_details" {
                    raw.offer(9, &ContractDataRequest { id: Some(id), contract: hourly(id).contract }).await;
                } else {
                    raw.offer(HISTORICAL, &hourly(id)).await;
                }
            }
        }
        Stage::Opening => drop(Raw::try_start(simulator, 7).await),
        Stage::Condition => break_condition(simulator, raw, fault).await,
        Stage::Wire | Stage::Port | Stage::Upstream => raw.offer(HISTORICAL, &hourly(10)).await,
    }
}

async fn break_condition(simulator: &Simulator, raw: &mut Raw, fault: FaultKind) {
    match fault {
        FaultKind::HoldClientId => {
            // A request that is open when its client goes.
            simulator.inject(Rule::new(Fault::new(FaultKind::DropResponse)));
            let mut short = Raw::start(simulator, 8).await;
            short.send(HISTORICAL, &hourly(1)).await;
            in_time(simulator.wait_for(|report| report.faults["drop_response"] == 1)).await;
            drop(short);
            in_time(simulator.wait_for(|report| report.open_requests == 0)).await;
            assert!(Raw::try_start(simulator, 8).await.is_none());
        }
        FaultKind::OneTimeRequestPerSecond => {
            for _ in 0..2 {
                raw.offer(49, &RequestId { id: None }).await;
            }
        }
        FaultKind::HeadTimestampCap => {
            for id in 10..70 {
                let HistoricalDataRequest { contract, what_to_show, .. } = hourly(id);
                let head = crate::protocol::messages::HeadTimestampRequest {
                    id: Some(id),
                    contract,
                    what_to_show,
                    ..crate::protocol::messages::HeadTimestampRequest::default()
                };
                raw.send(87, &head).await;
            }
        }
        FaultKind::OpenCap => {
            let unanswered = Rule::new(Fault::new(FaultKind::DropResponse)).times(50);
            simulator.inject(unanswered);
            for id in 10..61 {
                raw.send(HISTORICAL, &hourly(id)).await;
            }
        }
        _ => {
            for id in 10..70 {
                let small = HistoricalDataRequest { bar_size: Some("30 secs".to_owned()), ..hourly(id) };
                raw.offer(HISTORICAL, &small).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_strikes_is_counted_and_ends() {
    for kind in FaultKind::all() {
        // Rules that count within a second need a clock that people can follow.
        let slow = kind.entry().stage == Stage::Condition;
        let simulator = if slow { simulator(Knobs::default()).await } else { fast(Knobs::default()).await };
        let mut raw = Raw::start(&simulator, 5).await;
        let fault = match kind {
            // more than so many a second are sent on the busiest machine
            FaultKind::MessageRate => Fault::new(kind).with("limit", 5).unwrap(),
            _ => Fault::new(kind),
        };
        assert!(simulator.play(&fault), "{kind:?}");
        provoke(&simulator, &mut raw, kind).await;
        let counted = simulator.wait_for(|report| report.faults[kind.name()] >= 1);
        assert!(tokio::time::timeout(LIMIT, counted).await.is_ok(), "{kind:?} was not counted");
        drop(raw);
        if slow {
            simulator.clear_faults();
        }
        assert!(tokio::time::timeout(LIMIT, serves(&simulator)).await.is_ok(), "{kind:?} did not end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_for_hours_ends_when_it_is_cleared() {
    for (kind, seconds) in [
        (FaultKind::Refused, "seconds"),
        (FaultKind::WedgeAccept, "seconds"),
        (FaultKind::Restart, "silent"),
        (FaultKind::Freeze, "seconds"),
        (FaultKind::StopReading, "seconds"),
        (FaultKind::SlowDrip, "seconds"),
        (FaultKind::GarbageLength, "seconds"),
        (FaultKind::UpstreamDown, "seconds"),
        (FaultKind::Competing, "seconds"),
        (FaultKind::FarmFlap, "ms"),
    ] {
        let simulator = simulator(Knobs::default()).await;
        let _raw = Raw::start(&simulator, 5).await;
        assert!(simulator.play(&Fault::new(kind).with(seconds, 36_000_000).unwrap()));
        simulator.clear_faults();
        assert!(tokio::time::timeout(LIMIT, serves(&simulator)).await.is_ok(), "{kind:?} did not end");
    }
}

/// The frames of an answer to one request that is hit by a fault.
async fn answers(fault: Fault, count: usize) -> (Simulator, Raw, Vec<Frame>) {
    let simulator = simulator(Knobs::default()).await;
    let mut raw = Raw::start(&simulator, 5).await;
    simulator.inject(Rule::new(fault).on("historical_data").unwrap());
    raw.send(HISTORICAL, &hourly(1)).await;
    let mut frames = Vec::new();
    for _ in 0..count {
        frames.push(raw.receive().await);
    }
    (simulator, raw, frames)
}

#[tokio::test]
async fn an_answer_after_the_cancel() {
    let (simulator, mut raw, _) = answers(Fault::new(FaultKind::Late).with("ms", 5).unwrap(), 0).await;
    in_time(simulator.wait_for(|report| report.open_requests == 1)).await;
    raw.send(25, &RequestId { id: Some(1) }).await;
    assert_eq!(raw.receive().await.id, reply::HISTORICAL_DATA);
    assert_eq!(raw.receive().await.id, reply::HISTORICAL_DATA_END);
    let report = simulator.report();
    assert_eq!((report.open_requests, report.violations.len()), (0, 0));
}

#[tokio::test]
async fn a_lost_answer_stays_open_until_its_cancel() {
    let (simulator, mut raw, _) = answers(Fault::new(FaultKind::DropResponse), 0).await;
    in_time(simulator.wait_for(|report| report.open_requests == 1)).await;
    raw.send(25, &RequestId { id: Some(1) }).await;
    in_time(simulator.wait_for(|report| report.open_requests == 0)).await;
    raw.send(HISTORICAL, &hourly(2)).await;
    assert_eq!(raw.receive().await.id, reply::HISTORICAL_DATA);
}

#[tokio::test]
async fn an_error_of_ones_own_words() {
    let error = Fault::new(FaultKind::Error).with("code", 321).unwrap().with("text", "No.").unwrap();
    let (simulator, _raw, frames) = answers(error, 1).await;
    let error = ErrorMessage::decode(&*frames[0].payload).unwrap();
    assert_eq!((error.id, error.code, error.text.as_deref()), (Some(1), Some(321), Some("No.")));
    in_time(simulator.wait_for(|report| report.open_requests == 0)).await;
    let aside = Fault::new(FaultKind::Error).with("id", "-1").unwrap();
    let (_simulator, _raw, frames) = answers(aside, 3).await;
    let ids: Vec<_> = frames.iter().map(|frame| frame.id).collect();
    assert_eq!(ids, [reply::ERROR, reply::HISTORICAL_DATA, reply::HISTORICAL_DATA_END]);
}

#[tokio::test]
async fn clients_of_text_are_hit_in_text() {
    for (kind, expected) in [
        (FaultKind::UnknownId, &b"777\x001\0"[..]),
        (FaultKind::MinusTwo, b"-2\0"),
        (FaultKind::TextFrame, b"\0\0\0\xcc\x08\x01"),
    ] {
        let simulator = simulator(Knobs::default()).await;
        let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
        stream.write_all(b"API\0\0\0\0\x09v157..178\0\0\0\x0871\x002\x005\0\0").await.unwrap();
        let mut frames = Vec::new();
        // The acknowledgement and five of the greeting.
        while frames.len() < 7 {
            let length = in_time(stream.read_u32()).await.unwrap();
            let mut body = vec![0; usize::try_from(length).unwrap()];
            in_time(stream.read_exact(&mut body)).await.unwrap();
            frames.push(body);
            if frames.len() == 6 {
                simulator.play(&Fault::new(kind));
            }
        }
        assert_eq!(frames[6], expected, "{kind:?}");
    }
}

#[tokio::test]
async fn what_waits_for_the_next_frame_is_cleared_too() {
    for kind in [FaultKind::CutMidFrame, FaultKind::BadProto] {
        let simulator = simulator(Knobs::default()).await;
        let mut raw = Raw::start(&simulator, 5).await;
        simulator.play(&Fault::new(kind));
        simulator.clear_faults();
        raw.send(HISTORICAL, &hourly(1)).await;
        assert_eq!(raw.receive().await.id, reply::HISTORICAL_DATA);
    }
}

#[tokio::test]
async fn rules_strike_whom_they_name() {
    let simulator = simulator(Knobs::default()).await;
    let euro = Rule::new(Fault::new(FaultKind::Ambiguous)).symbol("EUR.USD");
    simulator.inject(euro);
    let third = Rule::new(Fault::new(FaultKind::Rst)).on("historical_data").unwrap().nth(3);
    simulator.inject(third);
    let mut raw = Raw::start(&simulator, 5).await;
    for id in [1, 2] {
        raw.send(HISTORICAL, &hourly(id)).await;
        assert_eq!(raw.receive().await.id, reply::HISTORICAL_DATA);
        raw.receive().await;
    }
    raw.send(HISTORICAL, &hourly(3)).await;
    let error = in_time(raw.stream.read_u32()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let report = simulator.report();
    assert_eq!((report.faults["rst"], report.faults["ambiguous"]), (1, 0));
}

#[tokio::test]
async fn upstream_lost_and_restored() {
    let simulator = simulator(Knobs::default()).await;
    let mut raw = Raw::start(&simulator, 5).await;
    simulator.play(&Fault::new(FaultKind::UpstreamDown).with("restored", 1101).unwrap());
    assert_eq!(raw.refusal().await, (-1, 1100));
    raw.send(9, &ContractDataRequest { id: Some(1), contract: hourly(1).contract }).await;
    assert_eq!(raw.refusal().await, (1, 200));
    raw.send(HISTORICAL, &hourly(2)).await;
    in_time(simulator.wait_for(|report| report.open_requests == 1)).await;
    simulator.clear_faults();
    for code in [1101, 2104, 2106, 2158] {
        assert_eq!(raw.refusal().await, (-1, code));
    }
    raw.send(HISTORICAL, &hourly(3)).await;
    assert_eq!(raw.receive().await.id, reply::HISTORICAL_DATA);
}

#[tokio::test]
async fn farms_break_and_come_back() {
    let simulator = fast(Knobs::default()).await;
    let mut raw = Raw::start(&simulator, 5).await;
    simulator.play(&Fault::new(FaultKind::FarmFlap).with("farm", "market").unwrap().with("times", 3).unwrap());
    for code in [2103, 2104, 2103, 2104, 2103, 2104] {
        assert_eq!(raw.refusal().await, (-1, code));
    }
}

#[tokio::test]
async fn a_frozen_connection_is_seen_to_be_closed_by_its_client() {
    let simulator = simulator(Knobs::default()).await;
    let mut raw = Raw::start(&simulator, 5).await;
    simulator.play(&Fault::new(FaultKind::Freeze));
    // Two: one may have been on its way already.
    for id in [1, 2] {
        raw.send(HISTORICAL, &hourly(id)).await;
    }
    drop(raw);
    serves(&simulator).await;
    let report = simulator.report();
    // This client knows no patience.
    let others = report.violations.iter().filter(|violation| violation.rule != "knocking_too_fast");
    assert_eq!((report.connections.most_at_once, others.count()), (1, 0));
}

#[tokio::test]
async fn byte_by_byte_until_it_is_over() {
    let simulator = fast(Knobs::default()).await;
    let mut raw = Raw::start(&simulator, 5).await;
    simulator.play(&Fault::new(FaultKind::SlowDrip).with("seconds", 400).unwrap());
    raw.send(HISTORICAL, &hourly(1)).await;
    let mut byte = [0; 4096];
    // 4000 bytes a second, and a few at a time.
    assert!((1..64).contains(&in_time(raw.stream.read(&mut byte)).await.unwrap()));
    serves(&simulator).await;
}

#[tokio::test]
async fn strict_pacing_refuses() {
    let simulator = simulator(Knobs { pacing: Pacing::Strict, ..Knobs::default() }).await;
    let mut raw = Raw::start(&simulator, 5).await;
    for id in [1, 2] {
        let small = HistoricalDataRequest { bar_size: Some("30 secs".to_owned()), ..hourly(id) };
        raw.send(HISTORICAL, &small).await;
    }
    // The refusal is quicker than the bars.
    let mut frames = Vec::new();
    while frames.len() < 3 {
        frames.push(raw.receive().await);
    }
    let refusal = frames.iter().find(|frame| frame.id == reply::ERROR).unwrap();
    let error = ErrorMessage::decode(&*refusal.payload).unwrap();
    assert_eq!((error.id, error.code), (Some(2), Some(162)));
    assert!(error.text.unwrap().ends_with("pacing violation"));
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_is_survived_and_ends() {
    let level = Level { faults_per_minute: 20.0, peace: Duration::from_secs(30) };
    let lasting = Some(Duration::from_hours(2));
    let chaos = Some(Chaos { level, seed: 1, lasting });
    let simulator = Simulator::start(Config { chaos, time_scale: FAST, ..Config::default() }).await.unwrap();
    let many = async {
        while simulator.report().faults.values().sum::<u64>() < 100 {
            drop(tokio::time::timeout(Duration::from_millis(100), try_serve(&simulator)).await);
        }
    };
    tokio::time::timeout(Duration::from_secs(30), many).await.unwrap();
    simulator.clear_faults();
    serves(&simulator).await;
}

#[tokio::test]
async fn a_refused_port_refuses() {
    let simulator = simulator(Knobs::default()).await;
    assert!(simulator.play(&Fault::new(FaultKind::Refused)));
    assert!(!simulator.play(&Fault::new(FaultKind::WedgeAccept)), "one at a time");
    let closed = async {
        while TcpStream::connect(simulator.address()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    in_time(closed).await;
    assert_eq!((simulator.report().faults["refused"], simulator.report().faults["wedge_accept"]), (1, 0));
}
