//! One call, bounded, and what its end says.

use std::time::Duration;

use ktrdr_proto::v1::{
    GetDaemonStatusRequest, daemon_client::DaemonClient, gateway_client::GatewayClient,
    market_data_client::MarketDataClient, operations_client::OperationsClient,
};
use tonic::{Response, Status, transport::Channel};
use tonic_types::StatusExt as _;

use super::world::World;
use crate::daemon::channel;

/// No call takes longer, whatever the gateway does: the longest deadline is a minute, and a request may wait as long
/// for a pause to end.
const CALL_MAX: Duration = Duration::from_mins(2);
/// A killed daemon is back within this.
const BIRTH_MAX: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// How a call ended.
pub(crate) enum Ended<T> {
    With(T),
    /// With an error that has a reason, which is this.
    Refused(String),
    /// The daemon was killed meanwhile.
    Cut,
    /// It did not, or with something that is no answer; noted.
    Badly,
}

/// All services over one connection, which is made anew when the daemon is.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    pub(crate) data: MarketDataClient<Channel>,
    pub(crate) operations: OperationsClient<Channel>,
    pub(crate) gateway: GatewayClient<Channel>,
    pub(crate) daemon: DaemonClient<Channel>,
}

impl Clients {
    pub(crate) fn new(world: &World) -> anyhow::Result<Self> {
        let channel = channel(&world.socket)?;
        Ok(Self {
            data: MarketDataClient::new(channel.clone()).max_decoding_message_size(16 << 20),
            operations: OperationsClient::new(channel.clone()),
            gateway: GatewayClient::new(channel.clone()),
            daemon: DaemonClient::new(channel),
        })
    }
}

/// Waits for a call and notes what came of it.
pub(crate) async fn call<T>(
    world: &World,
    what: &str,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Ended<T> {
    let before = world.daemon_number();
    world.tally().calls += 1;
    match tokio::time::timeout(CALL_MAX, call).await {
        Ok(Ok(answer)) => Ended::With(answer.into_inner()),
        Ok(Err(status)) => failed(world, what, before, &status),
        Err(_) => {
            world.tally().without_end.push(format!("{what}: no answer within {CALL_MAX:?}"));
            Ended::Badly
        }
    }
}

/// What an error means, when the daemon's number was `before` at the start of the call.
pub(crate) fn failed<T>(world: &World, what: &str, before: u64, status: &Status) -> Ended<T> {
    let killed = world.daemon_number() != before || before % 2 == 1;
    let reason = status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default();
    // whatever it is, a reason that is not "a defect" tells what to do
    if !reason.is_empty() && reason != "INTERNAL" {
        *world.tally().errors.entry(reason.clone()).or_default() += 1;
        return Ended::Refused(reason);
    }
    if killed {
        return Ended::Cut;
    }
    world.tally().surprises.push(format!("{what}: {status:?}"));
    Ended::Badly
}

/// Waits for a daemon that was killed.
pub(crate) async fn daemon_is_back(world: &World, clients: &Clients) {
    let answers = async {
        loop {
            let mut daemon = clients.daemon.clone();
            let asked = tokio::time::timeout(Duration::from_secs(1), daemon.get_status(GetDaemonStatusRequest {}));
            if world.daemon_number().is_multiple_of(2) && matches!(asked.await, Ok(Ok(_))) {
                return;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    };
    if tokio::time::timeout(BIRTH_MAX, answers).await.is_err() && !world.is_over() {
        world.tally().without_end.push("the daemon's return".to_owned());
    }
}
