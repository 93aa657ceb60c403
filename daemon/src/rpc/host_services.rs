//! `ktrdr.v1.HostServices`: decode, one call, encode.

use futures_util::future;
use ktrdr_proto::{
    reason,
    v1::{self as pb, host_services_server},
};
use tonic::{Request, Response, Status};

use super::status;
use crate::{
    host_service::{Health, HostService, HostStatus},
    training::{HostFacts, Training},
};

/// The service.
#[derive(Debug)]
pub(super) struct Handler {
    pub(super) services: Vec<HostService>,
    pub(super) training: Training,
}

#[tonic::async_trait]
impl host_services_server::HostServices for Handler {
    async fn list(
        &self,
        _request: Request<pb::ListHostServicesRequest>,
    ) -> Result<Response<pb::ListHostServicesResponse>, Status> {
        Ok(Response::new(pb::ListHostServicesResponse { services: self.told(&self.services) }))
    }

    async fn check(
        &self,
        request: Request<pb::CheckHostServicesRequest>,
    ) -> Result<Response<pb::CheckHostServicesResponse>, Status> {
        let name = request.into_inner().name;
        let wanted = |service: &&HostService| name.is_empty() || service.name() == name;
        let services: Vec<HostService> = self.services.iter().filter(wanted).cloned().collect();
        if services.is_empty() && !name.is_empty() {
            let name: String = name.chars().take(40).collect();
            return Err(status::new(&reason::HOST_NOT_FOUND, format!("no host service is called {name}")));
        }
        future::join_all(services.iter().map(|service| self.ask(service))).await;
        Ok(Response::new(pb::CheckHostServicesResponse { services: self.told(&services) }))
    }
}

impl Handler {
    /// What comes of it is in its status.
    async fn ask(&self, service: &HostService) {
        if service.check().await.is_ok() {
            self.training.ask_again(service.name()).await;
        }
    }

    fn told(&self, services: &[HostService]) -> Vec<pb::HostService> {
        let facts = self.training.host_facts();
        services
            .iter()
            .map(|service| to_wire(service.status(), facts.iter().find(|one| one.name == service.name())))
            .collect()
    }
}

fn state(health: Health) -> pb::HostServiceState {
    match health {
        Health::Unknown => pb::HostServiceState::Unknown,
        Health::Up => pb::HostServiceState::Up,
        Health::Slow => pb::HostServiceState::Slow,
        Health::Down => pb::HostServiceState::Down,
        Health::Incompatible => pb::HostServiceState::Incompatible,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn to_wire(one: HostStatus, facts: Option<&HostFacts>) -> pb::HostService {
    let (last_error_at_ns, last_error) = one.last_error.unzip();
    pb::HostService {
        name: one.name,
        kind: one.kind.into(),
        url: one.url,
        state: state(one.health).into(),
        since_ns: one.since,
        version: one.version,
        latency_seconds: one.latency.map(|latency| latency.as_secs_f64()),
        pool: Some(pb::HostPool {
            size: count(one.pool.size),
            idle: count(one.pool.idle),
            waiting: count(one.pool.waiting),
            opened: one.pool.opened,
            reused: one.pool.reused,
        }),
        breaker: one.breaker.into(),
        last_error,
        last_error_at_ns,
        requests: one.requests,
        slots: facts.map(|facts| count(facts.slots)).unwrap_or_default(),
        sessions: facts.map(|facts| count(facts.sessions)).unwrap_or_default(),
        labels: facts.map(|facts| facts.labels.clone()).unwrap_or_default(),
        about: facts.map(|facts| facts.about.clone()).unwrap_or_default(),
    }
}
