//! `ktrdr.v1.Gateway`: decode, one call, encode.

use futures_util::{StreamExt, stream::BoxStream};
use ktrdr_proto::v1::{self as pb, gateway_server};
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status as TonicStatus};

use super::status;
use crate::gateway::{Gateway, State, Status};

/// The service.
#[derive(Debug)]
pub(super) struct Handler {
    pub(super) gateway: Gateway,
    pub(super) stop: CancellationToken,
}

#[tonic::async_trait]
impl gateway_server::Gateway for Handler {
    async fn get_status(
        &self,
        _request: Request<pb::GetGatewayStatusRequest>,
    ) -> Result<Response<pb::GetGatewayStatusResponse>, TonicStatus> {
        Ok(Response::new(pb::GetGatewayStatusResponse { status: Some(to_wire(&self.gateway.status())) }))
    }

    type WatchStream = BoxStream<'static, Result<pb::WatchGatewayResponse, TonicStatus>>;

    async fn watch(
        &self,
        _request: Request<pb::WatchGatewayRequest>,
    ) -> Result<Response<Self::WatchStream>, TonicStatus> {
        let changes = WatchStream::new(self.gateway.watch());
        let messages = changes.map(|one| Ok(pb::WatchGatewayResponse { status: Some(to_wire(&one)) }));
        Ok(Response::new(super::cut_short_by(self.stop.clone(), messages).boxed()))
    }

    async fn test(
        &self,
        _request: Request<pb::TestGatewayRequest>,
    ) -> Result<Response<pb::TestGatewayResponse>, TonicStatus> {
        let clock = self.gateway.clock().await.map_err(|e| status::of(&e))?;
        Ok(Response::new(pb::TestGatewayResponse {
            gateway_time_ns: clock.time,
            latency_seconds: clock.latency.as_secs_f64(),
            status: Some(to_wire(&self.gateway.status())),
        }))
    }

    async fn reconnect(
        &self,
        _request: Request<pb::ReconnectGatewayRequest>,
    ) -> Result<Response<pb::ReconnectGatewayResponse>, TonicStatus> {
        self.gateway.reconnect().await.map_err(|e| status::of(&e))?;
        Ok(Response::new(pb::ReconnectGatewayResponse { status: Some(to_wire(&self.gateway.status())) }))
    }
}

fn state(state: State) -> pb::GatewayState {
    match state {
        State::Disabled => pb::GatewayState::Disabled,
        State::Disconnected => pb::GatewayState::Disconnected,
        State::Connecting => pb::GatewayState::Connecting,
        State::Synchronising => pb::GatewayState::Synchronising,
        State::Ready => pb::GatewayState::Ready,
        State::Degraded => pb::GatewayState::Degraded,
        State::Wedged => pb::GatewayState::Wedged,
        State::Stopped => pb::GatewayState::Stopped,
    }
}

fn to_wire(status: &Status) -> pb::GatewayStatus {
    let count = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    pb::GatewayStatus {
        state: state(status.state).into(),
        since_ns: status.since,
        reason: status.reason.clone(),
        next: status.next.clone(),
        address: status.address.clone(),
        client_id: status.client_id,
        server_version: status.server_version,
        pacing: Some(pb::PacingStatus {
            used: count(status.pacing_used),
            limit: count(status.pacing_limit),
            next_slot_seconds: status.wait().as_secs_f64(),
        }),
        requests: Some(pb::RequestCounts { open: count(status.open), queued: count(status.queued) }),
        reconnects: status.reconnects,
        farms: status.farms.iter().map(|(name, up)| pb::Farm { name: name.clone(), up: *up }).collect(),
    }
}
