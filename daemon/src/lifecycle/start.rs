//! The order of birth: locks, store, parts, socket, ready. And of death, which is the other way round.

use std::{path::Path, sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    Handover, StartError, descriptors,
    doors::Doors,
    lock::{Attempt, Lock},
    shutdown::{Stages, watch_signals, watchdog},
    socket::{Passed, Socket},
    socket_watch,
    supervisor::{self, Loops},
    unit,
};
use crate::{
    bucket::{self, Bucket, Mirror},
    clock,
    config::Settings,
    facts::Facts,
    gateway::{Gateway, GatewayConfig},
    host_service::HostService,
    ib_service::{self, IbService},
    market_data::MarketData,
    observe::{self, Observed},
    operations::Registry,
    rpc::{self, Access, Connections, Parts},
    store::{Layout, Store, StoreError, create_folders},
    telemetry::LogLevel,
    training::Training,
    web::Listener,
};

/// For the first contact with a bucket of a million objects.
const LINK_MAX: Duration = Duration::from_hours(1);

/// Runs the daemon until it is asked to stop. What comes back wants to be started again.
pub async fn run(settings: Settings, log_level: LogLevel) -> Result<Option<Handover>, StartError> {
    let program = std::env::current_exe();
    let started_at = clock::now();
    settings.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let stages = Stages::default();
    let asked = stages.ending.asked();
    let address = || Ok(ktrdr_proto::address::for_daemon(settings.socket.as_deref())?);
    let mut socket = Socket::of(Passed::take()?, address)?;
    let access = Access::new(&settings.access).map_err(StartError::Access)?;
    let most = descriptors::most_connections(settings.limits.connections);
    let connections = Connections::new(most, settings.limits.calls_per_user);
    let doors = Doors::open(&settings, socket.path()).await?;
    let layout = Layout::new(settings.data_dir.clone());
    let _store_lock = lock_store(&layout)?;
    watch_signals(stages.ending.clone())
        .map_err(|source| StartError::Socket { path: socket.path().to_path_buf(), source })?;

    // nothing else runs yet, so blocking here keeps nobody waiting
    let store = Store::open(layout)?.cached(settings.cache_bytes);
    let Some(met) = asked.run_until_cancelled(with_bucket(store, &settings)).await else { return Ok(None) };
    let (store, mirror) = met?;
    let (most, ends) = (settings.limits.operations_per_user, stages.operations.clone());
    let registry = Registry::open(store.clone(), settings.keep, &["training"], most, ends)?;
    let services = host_services(&settings)?;
    let gateway_config = GatewayConfig {
        host_service: services.iter().find(|service| service.kind() == "ib").cloned(),
        ..settings.gateway.clone()
    };
    let listener = socket.listen()?;
    let (gateway, session) = Gateway::start(gateway_config, store.clone(), stages.gateway.clone()).await;
    let market_data = MarketData::new(store.clone(), gateway.clone(), &registry);
    if let Some(days) = settings.keep_replaced_days {
        tokio::spawn(market_data.clone().keep_compacted(days, asked.clone()));
    }
    let training =
        Training::new(settings.training.clone(), &services, store.clone(), market_data.clone(), &registry, asked);
    for service in &services {
        tokio::spawn(service.clone().keep_watched(asked.clone()));
    }
    let session = take_up(&training, &stages, session).await?;
    if let Some(mirror) = &mirror {
        tokio::spawn(mirror.clone().keep(stages.gateway.clone()));
    }
    let loops = Loops {
        store: store.clone(),
        gateway: gateway.clone(),
        market_data: market_data.clone(),
        registry: registry.clone(),
    };
    let facts = Facts {
        started_at,
        socket: socket.path().to_path_buf(),
        data_dir: settings.data_dir.clone(),
        config_files: settings.config_files.clone(),
        unit: unit::own(),
    };
    let observed = Observed {
        facts: facts.clone(),
        market_data: market_data.clone(),
        registry: registry.clone(),
        gateway: gateway.clone(),
        services: services.clone(),
        connections: connections.clone(),
    };
    let parts = Parts {
        facts,
        mirror,
        market_data,
        registry: registry.clone(),
        gateway: gateway.clone(),
        training,
        services,
        log_level,
        access,
        door: doors.tls,
        connections,
        ending: stages.ending.clone(),
        end_streams: stages.streams.clone(),
    };
    answer_over_http(&settings, (doors.ib_service, doors.metrics), observed, asked);
    let (listeners, more_listeners) = mpsc::channel(1);
    let (server, health) = rpc::server(parts, listener, more_listeners);
    let server = tokio::spawn(server);
    tokio::spawn(registry.clone().keep_pruned(asked.clone()));
    tokio::spawn(rpc::report_health(health, gateway, asked.clone()));
    tracing::info!(socket = %socket.path().display(), data_dir = %settings.data_dir.display(), version = ktrdr_proto::BUILD, "ready");
    supervisor::ready();
    tokio::spawn(supervisor::keep_told(loops, asked.clone()));
    let remembered = remember(registry.clone(), stages.ending.clone());

    asked.run_until_cancelled(socket_watch::keep_found(&mut socket, address, listeners)).await;
    watchdog(Duration::from_secs(settings.grace_seconds));
    leave(&stages, &registry, server, session).await;
    store.close();
    if let Ok(Err(error)) = remembered.await {
        return Err(error.into());
    }
    tracing::info!("stopped");
    let wanted = stages.ending.is_restart().then(|| socket.hand_over()).flatten();
    Ok(wanted.zip(program.ok()).map(|((listener, own), program)| Handover::new(listener, own, program)))
}

/// Old operations, which nobody waited for. A daemon that cannot read them ends, as one that cannot read its ledger does.
fn remember(registry: Registry, ending: rpc::Ending) -> JoinHandle<Result<(), StoreError>> {
    tokio::spawn(async move { registry.remember().await.inspect_err(|_| ending.stop()) })
}

/// Work first, then those who watch it, then the gateway.
async fn leave(stages: &Stages, registry: &Registry, server: JoinHandle<()>, session: JoinHandle<()>) {
    if !stages.ending.is_restart() {
        supervisor::stopping();
    }
    stages.operations.cancel();
    registry.drained().await;
    stages.streams.cancel();
    // waits for silent connections too, so it may not have all of the grace
    drop(tokio::time::timeout(Duration::from_secs(1), server).await);
    end_session(stages, session).await;
}

/// Before it is ready: who waits for that finds these, too.
fn answer_over_http(
    settings: &Settings,
    (for_ib_clients, for_metrics): (Option<Listener>, Option<Listener>),
    observed: Observed,
    stop: &CancellationToken,
) {
    if let Some(listener) = for_ib_clients {
        let ib_service = IbService {
            market_data: observed.market_data.clone(),
            registry: observed.registry.clone(),
            gateway: observed.gateway.clone(),
            started_at: observed.facts.started_at,
            names: settings.ib_service_at.iter().flat_map(|at| at.names.clone()).collect(),
        };
        ib_service::start(listener, ib_service, stop.clone());
    }
    if let Some(listener) = for_metrics {
        observe::start(listener, observed, stop.clone());
    }
}

/// Trainings that are under way. The gateway has been greeted by now: it hears a goodbye when the ledger cannot be read.
async fn take_up(training: &Training, stages: &Stages, session: JoinHandle<()>) -> Result<JoinHandle<()>, StartError> {
    match training.take_up() {
        Ok(()) => Ok(session),
        Err(error) => {
            end_session(stages, session).await;
            Err(error.into())
        }
    }
}

async fn end_session(stages: &Stages, session: JoinHandle<()>) {
    stages.gateway.cancel();
    if let Err(error) = session.await {
        tracing::error!(%error, "the gateway's task ended badly");
    }
}

/// A bucket is met, or known from before; without one, all is as it was.
async fn with_bucket(store: Store, settings: &Settings) -> Result<(Store, Option<Mirror>), StartError> {
    let Some(address) = settings.bucket.clone() else { return Ok((store, None)) };
    let bucket = Bucket::new(address, settings.credentials.starting_with("AWS_"))?;
    let store = store.mirrored(Arc::new(bucket.clone()))?;
    if !bucket::is_met(&store, &bucket)? {
        supervisor::starting_takes(LINK_MAX);
        bucket::meet(&store, &bucket).await?;
    }
    Ok((store.clone(), Some(Mirror::new(store, bucket))))
}

fn host_services(settings: &Settings) -> Result<Vec<HostService>, StartError> {
    let configured = settings.ib_service.iter().chain(settings.training.hosts.iter().map(|host| &host.service));
    let made = configured.map(|config| {
        let name = config.name.clone();
        HostService::new(config.clone()).map_err(|why| StartError::HostService { name, why })
    });
    made.collect()
}

fn lock_store(layout: &Layout) -> Result<Lock, StartError> {
    let failed = |path: &Path, error| StartError::Store(StoreError::io(path, error));
    create_folders(layout.root()).map_err(|error| failed(layout.root(), error))?;
    match Lock::try_hold(&layout.lock()).map_err(|error| failed(&layout.lock(), error))? {
        Attempt::Held(lock) => Ok(lock),
        Attempt::Taken(pid) => Err(StartError::StoreInUse { data_dir: layout.root().to_path_buf(), pid }),
    }
}
