//! A closed loop of unary calls: so many in flight, for so long; calls, seconds, and how long one takes.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use ktrdr_proto::v1::{
    GetDaemonStatusRequest, GetDaemonStatusResponse, GetRangeRequest, GetRangeResponse, ListOperationsRequest,
    ListOperationsResponse, SeriesId, Timeframe,
};
use prost::{
    Message as _,
    bytes::{Buf as _, BufMut as _, Bytes},
};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};

use crate::{
    connect,
    wire::{Message, PageRequest},
};

/// Operations on a page.
const LISTED: u32 = 10;

/// What is called. The last three are of `ktrdrd`, which must hold `AAPL 1d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// The bare server's echo of 64 bytes.
    Echo,
    /// An answer of the bare server, so many bytes.
    Page(u64),
    /// `Daemon.GetStatus`.
    Status,
    /// `Operations.List`, ten of them.
    Operations,
    /// `MarketData.GetRange`.
    Range,
}

impl Call {
    /// By its name on the command line.
    pub fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "echo" => Self::Echo,
            "status" => Self::Status,
            "operations" => Self::Operations,
            "range" => Self::Range,
            _ => match name.strip_prefix("page:").and_then(|bytes| bytes.parse().ok()) {
                Some(bytes) => Self::Page(bytes),
                None => bail!("{name} is not a call: echo, page:BYTES, status, operations or range"),
            },
        })
    }
}

/// How it is called.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Connections.
    pub connections: usize,
    /// Calls in flight, over all connections.
    pub in_flight: usize,
    /// How long.
    pub lasts: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// Calls that were answered.
    pub calls: usize,
    /// How long it took.
    pub took: Duration,
    /// Half of the calls took no longer.
    pub p50: Duration,
    /// 99 of 100 took no longer.
    pub p99: Duration,
    /// Of one answer.
    pub bytes: usize,
}

/// Calls until the time is over. A call that fails ends it.
pub async fn run(socket: &Path, call: Call, load: Load) -> Result<Outcome> {
    ensure!(load.connections > 0 && load.in_flight >= load.connections, "at least a call in flight a connection");
    let mut channels = Vec::new();
    for _ in 0..load.connections {
        channels.push(connect(socket).await?);
    }
    let over = Arc::new(AtomicBool::new(false));
    let (mut callers, mut bytes) = (Vec::new(), 0);
    for channel in channels.iter().cycle().take(load.in_flight) {
        let mut caller = Caller::new(channel.clone(), call);
        // the first one opens what has to be opened
        let answer = caller.once().await?;
        check(call, &answer)?;
        bytes = answer.len();
        callers.push(caller);
    }
    let begun = Instant::now();
    let tasks: Vec<_> = callers.into_iter().map(|caller| tokio::spawn(caller.until(over.clone()))).collect();
    tokio::time::sleep(load.lasts).await;
    over.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let took = begun.elapsed();
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().context("no call was answered in time");
    Ok(Outcome { calls: times.len(), took, p50: at(50)?, p99: at(99)?, bytes })
}

/// One call again and again: its bytes are made once, and those of the answer are not read. A client that does more measures itself.
struct Caller {
    grpc: Grpc<Channel>,
    path: PathAndQuery,
    request: Bytes,
}

impl Caller {
    fn new(channel: Channel, call: Call) -> Self {
        let series = SeriesId { symbol: "AAPL".into(), timeframe: Timeframe::Days1.into() };
        let (path, request) = match call {
            Call::Echo => ("/ktrdr.bare.v1.Bare/Echo", Message { body: vec![7; 64] }.encode_to_vec()),
            Call::Page(bytes) => ("/ktrdr.bare.v1.Bare/Page", PageRequest { bytes }.encode_to_vec()),
            Call::Status => ("/ktrdr.v1.Daemon/GetStatus", GetDaemonStatusRequest {}.encode_to_vec()),
            Call::Operations => {
                let request = ListOperationsRequest { page_size: LISTED, ..ListOperationsRequest::default() };
                ("/ktrdr.v1.Operations/List", request.encode_to_vec())
            }
            Call::Range => ("/ktrdr.v1.MarketData/GetRange", GetRangeRequest { series: Some(series) }.encode_to_vec()),
        };
        Self { grpc: Grpc::new(channel), path: PathAndQuery::from_static(path), request: request.into() }
    }

    async fn once(&mut self) -> Result<Bytes> {
        self.grpc.ready().await?;
        let request = Request::new(self.request.clone());
        Ok(self.grpc.unary(request, self.path.clone(), Raw).await?.into_inner())
    }

    async fn until(mut self, over: Arc<AtomicBool>) -> Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(1 << 14);
        while !over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            self.once().await?;
            times.push(begun.elapsed());
        }
        Ok(times)
    }
}

/// The answer is the one that is wanted.
fn check(call: Call, answer: &[u8]) -> Result<()> {
    match call {
        Call::Echo => ensure!(Message::decode(answer)?.body.len() == 64, "an echo of another length"),
        Call::Page(bytes) => ensure!(Message::decode(answer)?.body.len() as u64 == bytes, "a page of another size"),
        Call::Status => ensure!(GetDaemonStatusResponse::decode(answer)?.pid > 0, "no pid"),
        Call::Operations => {
            let listed = ListOperationsResponse::decode(answer)?.operations.len();
            ensure!(listed == LISTED as usize, "{listed} operations instead of {LISTED}");
        }
        Call::Range => ensure!(GetRangeResponse::decode(answer)?.series.is_some_and(|one| one.bars > 0), "no bars"),
    }
    Ok(())
}

/// Messages as the bytes that they are.
#[derive(Debug, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = from.remaining();
        Ok(Some(from.copy_to_bytes(length)))
    }
}
