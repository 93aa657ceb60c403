//! Our services, found by their name. A router for any path would take its time at each call; Flight and health have it.

use std::convert::Infallible;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use ktrdr_proto::v1::{
    daemon_server::DaemonServer, gateway_server::GatewayServer, host_services_server::HostServicesServer,
    housekeeping_server::HousekeepingServer, market_data_server::MarketDataServer, operations_server::OperationsServer,
    training_server::TrainingServer,
};
use tonic::{body::Body, service::Routes};
use tower::Service;

use super::{daemon, gateway, host_services, housekeeping, market_data, operations, reflection, training};

/// One of each. Ours are always ready.
#[derive(Debug)]
pub(super) struct Services {
    pub(super) market_data: MarketDataServer<market_data::Handler>,
    pub(super) housekeeping: HousekeepingServer<housekeeping::Handler>,
    pub(super) operations: OperationsServer<operations::Handler>,
    pub(super) hosts: HostServicesServer<host_services::Handler>,
    pub(super) training: TrainingServer<training::Handler>,
    pub(super) gateway: GatewayServer<gateway::Handler>,
    pub(super) daemon: DaemonServer<daemon::Handler>,
    /// Flight and health.
    pub(super) others: Routes,
}

type Answer = BoxFuture<'static, Result<Response<Body>, Infallible>>;

impl Services {
    pub(super) fn call(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path();
        let call = path.strip_prefix("/ktrdr.v1.");
        match call.and_then(|call| call.split_once('/')).map(|(name, _)| name) {
            Some("MarketData") => self.market_data.clone().call(request),
            Some("Housekeeping") => self.housekeeping.clone().call(request),
            Some("Operations") => self.operations.clone().call(request),
            Some("HostServices") => self.hosts.clone().call(request),
            Some("Training") => self.training.clone().call(request),
            Some("Gateway") => self.gateway.clone().call(request),
            Some("Daemon") => self.daemon.clone().call(request),
            _ => match reflection::of(path) {
                Some(mut reflection) => reflection.call(request.map(Body::new)),
                None => Box::pin(self.others.clone().call(request.map(Body::new))),
            },
        }
    }
}
