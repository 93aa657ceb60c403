//! The wire: `ktrdr.v1`, health and reflection on one server. A handler decodes, makes one call, encodes.

mod accept;
mod access;
mod connection;
mod connections;
mod convert;
mod convert_calendar;
mod convert_check;
mod convert_contract;
mod convert_flight;
mod convert_housekeeping;
mod convert_live;
mod convert_load;
mod convert_operation;
mod convert_training;
mod daemon;
mod deadline;
mod driver;
mod ending;
mod envelope;
mod flight;
mod flight_get;
mod gateway;
mod handshakes;
mod host_services;
mod housekeeping;
mod listed;
mod market_data;
mod operations;
mod peer;
mod reflection;
mod rights;
mod services;
mod serving;
mod status;
pub mod tls;
mod training;

use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use ktrdr_proto::{
    reason,
    v1::{
        daemon_server::DaemonServer, gateway_server::GatewayServer, host_services_server::HostServicesServer,
        housekeeping_server::HousekeepingServer, market_data_server::MarketDataServer,
        operations_server::OperationsServer, training_server::TrainingServer,
    },
};
use tokio::{net::UnixListener, sync::mpsc};
use tokio_util::sync::CancellationToken;
use tonic::{Status, service::Routes};
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    bucket::Mirror,
    facts::Facts,
    gateway::{Gateway, State},
    host_service::HostService,
    market_data::MarketData,
    operations::Registry,
    telemetry::LogLevel,
    training::Training,
};
use envelope::Envelope;
use listed::Listed;
use services::Services;

pub use accept::Door;
pub use access::Access;
pub use connections::Connections;
pub use ending::Ending;

/// What the services stand on.
#[derive(Debug)]
pub struct Parts {
    /// What is told about the daemon.
    pub facts: Facts,
    /// Bars.
    pub market_data: MarketData,
    /// The bucket that is the data root.
    pub mirror: Option<Mirror>,
    /// Operations.
    pub registry: Registry,
    /// The connection to the gateway.
    pub gateway: Gateway,
    /// Trainings.
    pub training: Training,
    /// All host services.
    pub services: Vec<HostService>,
    /// The log's filter.
    pub log_level: LogLevel,
    /// Who may call.
    pub access: Access,
    /// Where other machines come in.
    pub door: Option<Door>,
    /// Who is connected.
    pub connections: Connections,
    /// Begins the orderly stop, or a restart.
    pub ending: Ending,
    /// Cuts streams short, late in the stop.
    pub end_streams: CancellationToken,
}

/// A server of all services, to be awaited, and the health of each. It ends when [`Parts::end_streams`] fires and its
/// connections have closed. One of `more_listeners` takes over from the one before.
pub fn server(
    parts: Parts,
    listener: UnixListener,
    more_listeners: mpsc::Receiver<UnixListener>,
) -> (impl Future<Output = ()>, HealthReporter) {
    let end = parts.end_streams.clone();
    let (health, health_service) = tonic_health::server::health_reporter();
    let stop = parts.end_streams;
    let flight = flight::Handler {
        market_data: parts.market_data.clone(),
        registry: parts.registry.clone(),
        stop: stop.clone(),
    };
    let others = Routes::new(flight_get::Flight::new(flight)).add_service(health_service).prepare();
    let services = Services {
        others,
        market_data: MarketDataServer::new(market_data::Handler {
            market_data: parts.market_data.clone(),
            stop: stop.clone(),
        }),
        housekeeping: HousekeepingServer::new(housekeeping::Handler {
            market_data: parts.market_data.clone(),
            stop: stop.clone(),
        }),
        operations: OperationsServer::new(operations::Handler {
            registry: parts.registry.clone(),
            listed: Listed::default(),
            stop: stop.clone(),
        }),
        hosts: HostServicesServer::new(host_services::Handler {
            services: parts.services,
            training: parts.training.clone(),
        }),
        training: TrainingServer::new(training::Handler { training: parts.training, registry: parts.registry.clone() }),
        gateway: GatewayServer::new(gateway::Handler { gateway: parts.gateway, stop }),
        daemon: DaemonServer::new(daemon::Handler {
            facts: parts.facts,
            market_data: parts.market_data,
            mirror: parts.mirror,
            registry: parts.registry,
            log_level: parts.log_level,
            ending: parts.ending.clone(),
        }),
    };
    let envelope = Arc::new(Envelope { access: parts.access, services });
    // on a restart, who comes now is for the next life
    let (until, connections) = (|| Box::pin(parts.ending.clone().handed_over()), parts.connections);
    let listeners = accept::Listeners { now: listener, next: more_listeners };
    let here = accept::from_here(listeners, connections.clone()).take_until(until());
    let here = serving::serve(here, envelope.clone(), (connections.clone(), None), end.clone());
    let elsewhere = parts.door.map(|door| {
        let ping = Some(door.ping);
        let coming = accept::from_elsewhere(door, connections.clone()).take_until(until());
        serving::serve(coming, envelope, (connections, ping), end)
    });
    let serving = async move {
        match elsewhere {
            Some(elsewhere) => drop(tokio::join!(here, elsewhere)),
            None => here.await,
        }
    };
    (serving, health)
}

/// Keeps the health of each service true: ours serve while the daemon does, the gateway's while its session is ready.
pub async fn report_health(health: HealthReporter, gateway: Gateway, stop: CancellationToken) {
    const ALWAYS: [&str; 7] = [
        "",
        "ktrdr.v1.MarketData",
        "ktrdr.v1.Housekeeping",
        "ktrdr.v1.Operations",
        "ktrdr.v1.Training",
        "ktrdr.v1.HostServices",
        "ktrdr.v1.Daemon",
    ];
    const GATEWAY: &str = "ktrdr.v1.Gateway";
    for service in ALWAYS {
        health.set_service_status(service, ServingStatus::Serving).await;
    }
    let mut changes = gateway.watch();
    loop {
        let ready = changes.borrow_and_update().state == State::Ready;
        let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        health.set_service_status(GATEWAY, status).await;
        if !matches!(stop.run_until_cancelled(changes.changed()).await, Some(Ok(()))) {
            break;
        }
    }
    for service in ALWAYS.into_iter().chain([GATEWAY]) {
        health.set_service_status(service, ServingStatus::NotServing).await;
    }
}

/// Ends a stream with an error when `stop` fires: one that is cut short must not look complete.
fn cut_short_by<T>(
    stop: CancellationToken,
    items: impl Stream<Item = Result<T, Status>>,
) -> impl Stream<Item = Result<T, Status>> {
    let whole = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (at_end, asked) = (whole.clone(), whole);
    let items = items.map(Some).chain(stream::once(async move {
        at_end.store(true, std::sync::atomic::Ordering::Relaxed);
        None
    }));
    let notice = stream::once(async move {
        let whole = asked.load(std::sync::atomic::Ordering::Relaxed);
        (!whole).then(|| Err(status::new(&reason::SHUTTING_DOWN, "the daemon is stopping")))
    });
    items.take_until(stop.cancelled_owned()).chain(notice).filter_map(std::future::ready)
}

/// Passes items on up to and including the first that is `last`, and ends there without waiting for another.
fn ends_with<T>(items: impl Stream<Item = T> + Unpin, last: impl Fn(&T) -> bool) -> impl Stream<Item = T> {
    stream::unfold(Some((items, last)), |state| async move {
        let (mut items, last) = state?;
        let item = items.next().await?;
        let state = if last(&item) { None } else { Some((items, last)) };
        Some((item, state))
    })
}

fn defect<E: std::fmt::Display>(error: E) -> Status {
    tracing::error!(%error, "a blocking task ended badly");
    status::new(&reason::INTERNAL, "the request met a defect; the daemon's log tells more")
}
