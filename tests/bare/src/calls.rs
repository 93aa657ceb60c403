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
    GetDaemonStatusRequest, GetRangeRequest, ListOperationsRequest, SeriesId, Timeframe, daemon_client::DaemonClient,
    market_data_client::MarketDataClient, operations_client::OperationsClient,
};
use tonic::transport::Channel;

use crate::{
    connect,
    wire::{Message, bare_client::BareClient},
};

/// What is called. The last three are of `ktrdrd`, which must hold `AAPL 1d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// The bare server's echo of 64 bytes.
    Echo,
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
            _ => bail!("{name} is not a call: echo, status, operations or range"),
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
}

/// Calls until the time is over. A call that fails ends it.
pub async fn run(socket: &Path, call: Call, load: Load) -> Result<Outcome> {
    ensure!(load.connections > 0 && load.in_flight >= load.connections, "at least a call in flight a connection");
    let mut channels = Vec::new();
    for _ in 0..load.connections {
        channels.push(connect(socket).await?);
    }
    let over = Arc::new(AtomicBool::new(false));
    let mut callers = Vec::new();
    for channel in channels.iter().cycle().take(load.in_flight) {
        let mut caller = Caller::new(channel.clone(), call);
        // the first one opens what has to be opened
        caller.once().await?;
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
    Ok(Outcome { calls: times.len(), took, p50: at(50)?, p99: at(99)? })
}

enum Caller {
    Echo(BareClient<Channel>, Vec<u8>),
    Status(DaemonClient<Channel>),
    Operations(OperationsClient<Channel>),
    Range(MarketDataClient<Channel>),
}

impl Caller {
    fn new(channel: Channel, call: Call) -> Self {
        match call {
            Call::Echo => Self::Echo(BareClient::new(channel), vec![7; 64]),
            Call::Status => Self::Status(DaemonClient::new(channel)),
            Call::Operations => Self::Operations(OperationsClient::new(channel)),
            Call::Range => Self::Range(MarketDataClient::new(channel)),
        }
    }

    async fn once(&mut self) -> Result<()> {
        match self {
            Self::Echo(client, body) => {
                let reply = client.echo(Message { body: body.clone() }).await?.into_inner();
                ensure!(reply.body.len() == body.len(), "an echo of {} bytes", reply.body.len());
            }
            Self::Status(client) => drop(client.get_status(GetDaemonStatusRequest {}).await?),
            Self::Operations(client) => {
                let request = ListOperationsRequest { page_size: 10, ..ListOperationsRequest::default() };
                let page = client.list(request).await?.into_inner();
                ensure!(page.operations.len() == 10, "{} operations instead of 10", page.operations.len());
            }
            Self::Range(client) => {
                let series = Some(SeriesId { symbol: "AAPL".into(), timeframe: Timeframe::Days1.into() });
                drop(client.get_range(GetRangeRequest { series }).await?);
            }
        }
        Ok(())
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
