//! Clients that behave well, all at the same moment, each with a connection of its own.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use ktrdr_proto::v1::{
    GetDaemonStatusRequest, GetRangeRequest, ListOperationsRequest, QueryRequest, daemon_client::DaemonClient,
    market_data_client::MarketDataClient, operations_client::OperationsClient, query_request::Window,
};
use tokio::{sync::Barrier, task::JoinSet};
use tonic::Status;

use super::{all_bars, bystander::told};
use crate::daemon::channel;

/// Bars of the window that is asked for.
const TAIL: u64 = 100;

/// What they met.
#[derive(Debug, Default)]
pub(super) struct Met {
    pub(super) times: Vec<Duration>,
    pub(super) errors: Vec<String>,
}

pub(super) async fn run(socket: &Path, clients: usize, calls: usize) -> Result<Met> {
    let (socket, start): (Arc<Path>, _) = (socket.into(), Arc::new(Barrier::new(clients)));
    let mut all = JoinSet::new();
    for _ in 0..clients {
        let (socket, start) = (socket.clone(), start.clone());
        all.spawn(async move {
            start.wait().await;
            client(&socket, calls).await
        });
    }
    let mut met = Met::default();
    while let Some(one) = all.join_next().await {
        let Met { times, errors } = one??;
        met.times.extend(times);
        met.errors.extend(errors);
    }
    Ok(met)
}

async fn client(socket: &Path, calls: usize) -> Result<Met> {
    let channel = channel(socket)?;
    let mut data = MarketDataClient::new(channel.clone());
    let (mut operations, mut about) = (OperationsClient::new(channel.clone()), DaemonClient::new(channel));
    let mut met = Met::default();
    for call in 0..calls {
        let began = Instant::now();
        let answered = match call % 4 {
            0 => data.get_range(GetRangeRequest { series: all_bars().series }).await.map(drop),
            1 => operations.list(ListOperationsRequest::default()).await.map(drop),
            2 => about.get_status(GetDaemonStatusRequest {}).await.map(drop),
            _ => tail(&mut data).await,
        };
        match answered {
            Ok(()) => met.times.push(began.elapsed()),
            Err(status) => met.errors.push(format!("{:#}", told(status))),
        }
    }
    Ok(met)
}

async fn tail(data: &mut MarketDataClient<tonic::transport::Channel>) -> Result<(), Status> {
    let request = QueryRequest { window: Some(Window::Tail(TAIL)), ..all_bars() };
    let mut stream = data.query(request).await?.into_inner();
    while stream.message().await?.is_some() {}
    Ok(())
}
