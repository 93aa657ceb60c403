//! Our services, found by their name. A router for any path would take its time at each call; Flight and health have it.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::{BoxFuture, Either};
use http::{Request, Response};
use ktrdr_proto::v1::{
    daemon_server::DaemonServer, gateway_server::GatewayServer, host_services_server::HostServicesServer,
    housekeeping_server::HousekeepingServer, market_data_server::MarketDataServer, operations_server::OperationsServer,
    training_server::TrainingServer,
};
use tonic::body::Body;
use tower::{Layer, Service};

use super::{daemon, gateway, host_services, housekeeping, market_data, operations, reflection, training};

/// One of each.
#[derive(Debug)]
pub(super) struct Services {
    pub(super) market_data: MarketDataServer<market_data::Handler>,
    pub(super) housekeeping: HousekeepingServer<housekeeping::Handler>,
    pub(super) operations: OperationsServer<operations::Handler>,
    pub(super) hosts: HostServicesServer<host_services::Handler>,
    pub(super) training: TrainingServer<training::Handler>,
    pub(super) gateway: GatewayServer<gateway::Handler>,
    pub(super) daemon: DaemonServer<daemon::Handler>,
}

/// Puts them before whatever else is served.
#[derive(Debug, Clone)]
pub(super) struct ByName(pub(super) Arc<Services>);

impl<S> Layer<S> for ByName {
    type Service = Named<S>;

    fn layer(&self, others: S) -> Named<S> {
        Named { ours: self.0.clone(), others }
    }
}

/// Ours, and the others.
#[derive(Debug, Clone)]
pub(super) struct Named<S> {
    ours: Arc<Services>,
    others: S,
}

type Answer = BoxFuture<'static, Result<Response<Body>, Infallible>>;

impl<S> Service<Request<Body>> for Named<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<Answer, S::Future>;

    /// Ours always are.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.others.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let ours = &self.ours;
        let call = request.uri().path().strip_prefix("/ktrdr.v1.");
        Either::Left(match call.and_then(|call| call.split_once('/')).map(|(name, _)| name) {
            Some("MarketData") => ours.market_data.clone().call(request),
            Some("Housekeeping") => ours.housekeeping.clone().call(request),
            Some("Operations") => ours.operations.clone().call(request),
            Some("HostServices") => ours.hosts.clone().call(request),
            Some("Training") => ours.training.clone().call(request),
            Some("Gateway") => ours.gateway.clone().call(request),
            Some("Daemon") => ours.daemon.clone().call(request),
            _ => match reflection::of(request.uri().path()) {
                Some(mut reflection) => reflection.call(request),
                None => return Either::Right(self.others.call(request)),
            },
        })
    }
}
