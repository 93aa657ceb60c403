//! A client without manners, and what it asks for.

use std::time::Duration;

use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::config::{Config, Knobs};
use crate::protocol::frame::{self, Frame};
use crate::protocol::messages::{Contract, ErrorMessage, HistoricalDataRequest, StartApi};
use crate::simulator::Simulator;

pub(super) const LIMIT: Duration = Duration::from_secs(10);
/// Id of a request for bars.
pub(super) const HISTORICAL: u32 = 20;

/// Ids of replies.
pub(super) mod reply {
    pub(in crate::server::tests) const ERROR: u32 = 4;
    pub(in crate::server::tests) const NEXT_VALID_ID: u32 = 9;
    pub(in crate::server::tests) const MANAGED_ACCOUNTS: u32 = 15;
    pub(in crate::server::tests) const HISTORICAL_DATA: u32 = 17;
    pub(in crate::server::tests) const REAL_TIME_BAR: u32 = 50;
    pub(in crate::server::tests) const MARKET_DATA_TYPE: u32 = 58;
    pub(in crate::server::tests) const UPDATE: u32 = 90;
    pub(in crate::server::tests) const MARKET_RULE: u32 = 93;
    pub(in crate::server::tests) const SCHEDULE: u32 = 106;
    pub(in crate::server::tests) const HISTORICAL_DATA_END: u32 = 108;
}

/// A client that does as it is told.
pub(super) struct Raw {
    pub(super) stream: TcpStream,
}

impl Raw {
    pub(super) async fn connect(simulator: &Simulator) -> Self {
        let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
        stream.write_all(b"API\0\0\0\0\x09v213..226").await.unwrap();
        let length = stream.read_u32().await.unwrap();
        let mut acknowledgement = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut acknowledgement).await.unwrap();
        Self { stream }
    }

    /// Connected, started, and past the greeting's five frames.
    pub(super) async fn start(simulator: &Simulator, client_id: i32) -> Self {
        let mut raw = Self::connect(simulator).await;
        raw.send(71, &StartApi { client_id: Some(client_id), optional_capabilities: None }).await;
        for _ in 0..5 {
            raw.receive().await;
        }
        raw
    }

    pub(super) async fn send(&mut self, id: u32, message: &impl Message) {
        let whole = frame::whole(&[&frame::protobuf_id(id), &message.encode_to_vec()]).unwrap();
        self.stream.write_all(&whole).await.unwrap();
    }

    /// As far as the other side takes it.
    pub(super) async fn offer(&mut self, id: u32, message: &impl Message) {
        let whole = frame::whole(&[&frame::protobuf_id(id), &message.encode_to_vec()]).unwrap();
        drop(self.stream.write_all(&whole).await);
    }

    /// Started and heard of accounts and an order id; `None` if that fails or takes too long.
    pub(super) async fn try_start(simulator: &Simulator, client_id: i32) -> Option<Self> {
        let start = async {
            let mut stream = TcpStream::connect(simulator.address()).await.ok()?;
            stream.write_all(b"API\0\0\0\0\x09v213..226").await.ok()?;
            let length = stream.read_u32().await.ok()?;
            let mut acknowledgement = vec![0; usize::try_from(length).ok()?];
            stream.read_exact(&mut acknowledgement).await.ok()?;
            let mut raw = Self { stream };
            raw.offer(71, &StartApi { client_id: Some(client_id), optional_capabilities: None }).await;
            let mut heard = [false; 2];
            while heard != [true; 2] {
                match raw.try_receive().await?.id {
                    reply::MANAGED_ACCOUNTS => heard[0] = true,
                    reply::NEXT_VALID_ID => heard[1] = true,
                    _ => {}
                }
            }
            Some(raw)
        };
        tokio::time::timeout(LIMIT / 10, start).await.ok()?
    }

    /// The next frame that can be read; `None` at the end of all.
    pub(super) async fn try_receive(&mut self) -> Option<Frame> {
        loop {
            let length = frame::body_length(self.stream.read_u32().await.ok()?.to_be_bytes(), 4).ok()?;
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).await.ok()?;
            if let Ok(frame) = frame::parse(&body) {
                return Some(frame);
            }
        }
    }

    pub(super) async fn receive(&mut self) -> Frame {
        let read = async {
            let length = frame::body_length(self.stream.read_u32().await.unwrap().to_be_bytes(), 4).unwrap();
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).await.unwrap();
            frame::parse(&body).unwrap()
        };
        tokio::time::timeout(LIMIT, read).await.unwrap()
    }

    /// The id and code of the error that comes next.
    pub(super) async fn refusal(&mut self) -> (i32, i32) {
        let frame = self.receive().await;
        assert_eq!(frame.id, reply::ERROR, "not an error");
        let error = ErrorMessage::decode(&*frame.payload).unwrap();
        (error.id.unwrap(), error.code.unwrap())
    }
}

pub(super) async fn simulator(knobs: Knobs) -> Simulator {
    let now = Some("2025-06-06T15:20:30Z".parse().unwrap());
    Simulator::start(Config { knobs: Knobs { now, ..knobs }, ..Config::default() }).await.unwrap()
}

pub(super) fn hourly(id: i32) -> HistoricalDataRequest {
    let text = |text: &str| Some(text.to_owned());
    HistoricalDataRequest {
        id: Some(id),
        contract: Some(Contract {
            con_id: Some(0),
            symbol: text("AAPL"),
            sec_type: text("STK"),
            exchange: text("SMART"),
            currency: text("USD"),
            ..Contract::default()
        }),
        bar_size: text("1 hour"),
        duration: text("1 D"),
        what_to_show: text("TRADES"),
        format_date: Some(2),
        ..HistoricalDataRequest::default()
    }
}
