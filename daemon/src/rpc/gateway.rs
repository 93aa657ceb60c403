//! `ktrdr.v1.Gateway`: decode, one call, encode.

use futures_util::{StreamExt, stream::BoxStream};
use ktrdr_proto::v1::{self as pb, gateway_server};
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status as TonicStatus};

use super::status;
use crate::gateway::{Gateway, Origin, Pacing, State, Status};

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
        // subscribed before the first look, so that no change falls in between
        let changes = self.gateway.changes();
        let now = tokio_stream::once(self.gateway.status());
        let gateway = self.gateway.clone();
        // who is behind goes on with how things are now
        let changes = changes
            .map(BroadcastStream::new)
            .map(move |changes| changes.map(move |change| change.unwrap_or_else(|_| gateway.status())));
        let all = now.chain(futures_util::stream::iter(changes).flatten());
        let messages = all.map(|one| Ok(pb::WatchGatewayResponse { status: Some(to_wire(&one)) }));
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
        State::Resting => pb::GatewayState::Resting,
        State::Wedged => pb::GatewayState::Wedged,
        State::LoginNeeded => pb::GatewayState::LoginNeeded,
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
        pacing: Some(pacing(&status.pacing)),
        requests: Some(pb::RequestCounts { open: count(status.open), queued: count(status.queued) }),
        reconnects: status.reconnects,
        farms: status.farms.iter().map(|(name, up)| pb::Farm { name: name.clone(), up: *up }).collect(),
        unknown_codes: status
            .unknown_codes
            .iter()
            .map(|(code, count)| pb::UnknownCode { code: *code, count: *count })
            .collect(),
    }
}

fn pacing(pacing: &Pacing) -> pb::PacingStatus {
    let user = |(origin, requests): &(Origin, u32)| pb::PacingUser { origin: origin.to_string(), requests: *requests };
    pb::PacingStatus {
        used: pacing.used,
        limit: pacing.limit,
        next_slot_seconds: pacing.next_wait().as_secs_f64(),
        users: pacing.users.iter().map(user).collect(),
        paused_seconds: pacing.pause().as_secs_f64(),
        slow: pacing.slow,
    }
}
