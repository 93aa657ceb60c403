//! One look at the daemon: a handful of calls at once, on the one connection.

use std::time::Duration;

use ktrdr_proto::v1::{
    GatewayStatus, GetDaemonStatusRequest, GetDaemonStatusResponse, GetGatewayStatusRequest, HostService,
    ListHostServicesRequest, ListOperationsRequest, ListSeriesRequest, Operation, OperationState, SeriesSummary,
};

use crate::{client::Client, commands::operations::active, failure::Failure, time};

/// What has ended.
const ENDED: [OperationState; 4] =
    [OperationState::Completed, OperationState::Failed, OperationState::Cancelled, OperationState::Interrupted];
/// More of those are for `operations list`.
const ENDED_SHOWN: u32 = 50;
/// A daemon answers these in milliseconds, or hangs.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What the daemon answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    pub(super) at_ns: i64,
    pub(super) daemon: GetDaemonStatusResponse,
    pub(super) gateway: GatewayStatus,
    /// Those that have not ended, then the newest that have.
    pub(super) operations: Vec<Operation>,
    /// As configured.
    pub(super) services: Vec<HostService>,
    /// Absent when they were not asked for.
    pub(super) series: Option<Vec<SeriesSummary>>,
}

/// Asks for everything; for the series, of which there may be thousands, only when they are wanted.
pub(super) async fn look(client: &Client, with_series: bool) -> Result<Look, Failure> {
    let client = &client.anew().within(client.limit().min(LONGEST_WAIT));
    let (daemon, gateway, (active, _), ended, services, series) = tokio::try_join!(
        daemon(client),
        gateway(client),
        active(client),
        ended(client),
        services(client),
        series(client, with_series),
    )?;
    Ok(Look {
        at_ns: time::now(),
        daemon,
        gateway,
        operations: active.into_iter().chain(ended).collect(),
        services,
        series,
    })
}

async fn daemon(client: &Client) -> Result<GetDaemonStatusResponse, Failure> {
    client.answer(client.daemon().get_status(client.request(GetDaemonStatusRequest {}))).await
}

async fn gateway(client: &Client) -> Result<GatewayStatus, Failure> {
    let answer = client.answer(client.gateway().get_status(client.request(GetGatewayStatusRequest {}))).await?;
    Ok(answer.status.unwrap_or_default())
}

/// One page, however short: what they brought is not shown.
async fn ended(client: &Client) -> Result<Vec<Operation>, Failure> {
    let states = ENDED.map(i32::from).to_vec();
    let request = ListOperationsRequest { states, page_size: ENDED_SHOWN, ..ListOperationsRequest::default() };
    Ok(client.answer(client.operations().list(client.request(request))).await?.operations)
}

async fn services(client: &Client) -> Result<Vec<HostService>, Failure> {
    Ok(client.answer(client.host_services().list(client.request(ListHostServicesRequest {}))).await?.services)
}

async fn series(client: &Client, wanted: bool) -> Result<Option<Vec<SeriesSummary>>, Failure> {
    if !wanted {
        return Ok(None);
    }
    let answer = client.answer(client.market_data().list_series(client.request(ListSeriesRequest {}))).await?;
    Ok(Some(answer.series))
}
