//! The handle that the wire's handlers hold.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, future};
use ktrdr_proto::reason;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    HostFacts, Plan, PlannedHost, StartRequest, StoredSeries, TrainingError, TrainingHost,
    dispatch::Dispatch,
    host::Host,
    plan,
    session::{Left, Session},
};
use crate::{
    error::Failure,
    host_service::HostService,
    market_data::MarketData,
    model::SeriesKey,
    operations::{Context, NewOperation, Outcome, Registry, Requested, Retry, Snapshot, Started},
    store::{SessionRow, Store},
};

/// The kind of a training's operation.
pub(super) const KIND: &str = "training";

/// Trainings; cheap to clone.
#[derive(Debug, Clone)]
pub struct Training {
    pub(super) parts: Parts,
}

/// What a session stands on.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub(super) store: Store,
    pub(super) registry: Registry,
    pub(super) market_data: MarketData,
    pub(super) hosts: Arc<Vec<Arc<Host>>>,
    pub(super) dispatch: Dispatch,
    /// Ended sessions are taken out of their host.
    pub(super) clean_up: bool,
    pub(super) models_dir: Option<PathBuf>,
}

/// What can be set.
#[derive(Debug, Clone, Default)]
pub struct TrainingConfig {
    /// In order of preference.
    pub hosts: Vec<TrainingHost>,
    /// The shortest pause between two polls of a host.
    pub poll: Option<Duration>,
    /// Ended sessions stay on their host.
    pub keep_on_host: bool,
    /// Where models lie on this machine.
    pub models_dir: Option<PathBuf>,
}

impl Training {
    /// Begins to look after the hosts, until `stop`; opens no connection.
    pub fn new(
        config: TrainingConfig,
        services: &[HostService],
        store: Store,
        market_data: MarketData,
        registry: &Registry,
        stop: &CancellationToken,
    ) -> Self {
        let unit = config.poll.unwrap_or(super::pace::SHORTEST);
        let service = |name: &str| services.iter().find(|service| service.name() == name).cloned();
        let hosts = config.hosts.into_iter().filter_map(|host| {
            let service = service(&host.service.name)?;
            Some(Arc::new(Host::new(host, service, unit)))
        });
        let hosts: Arc<Vec<_>> = Arc::new(hosts.collect());
        let dispatch = Dispatch::new(hosts.to_vec());
        hosts.iter().for_each(|host| drop(tokio::spawn(host.clone().keep_polled(stop.clone()))));
        tokio::spawn(dispatch.clone().keep_moving(stop.clone()));
        let parts = Parts {
            store,
            registry: registry.clone(),
            market_data,
            hosts,
            dispatch,
            clean_up: !config.keep_on_host,
            models_dir: config.models_dir,
        };
        let training = Self { parts };
        let again = training.clone();
        registry.register(KIND, Arc::new(move |retry| again.clone().retry(retry).boxed()));
        training
    }

    /// Takes up the sessions that an earlier life of the daemon left running. Those that have a slot have it before
    /// anybody waits for one. Blocks.
    pub fn take_up(&self) -> Result<(), crate::store::StoreError> {
        let mut left = BTreeMap::new();
        for row in self.parts.store.sessions_blocking()? {
            let Some(operation) = self.parts.registry.left_behind(&row.operation) else { continue };
            if !operation.state.is_final() {
                left.insert(row.operation.clone(), self.parts.left(row, &operation.subject));
            }
        }
        let (training, left) = (self.clone(), Arc::new(Mutex::new(left)));
        self.parts.registry.go_on(KIND, move |context| {
            let mine = left.lock().unwrap_or_else(PoisonError::into_inner).remove(&context.id());
            training.resume(context, mine)
        });
        Ok(())
    }

    async fn resume(self, context: Context, left: Option<Left>) -> Outcome {
        let operation = context.operation();
        let request: Result<StartRequest, _> = serde_json::from_str(&operation.spec);
        let planned = request.map_err(|error| error.to_string());
        let planned = planned.and_then(|request| Ok((Plan::of(&request).map_err(|error| error.to_string())?, request)));
        match planned {
            Ok((plan, request)) => {
                let id = operation.id.clone();
                Box::pin(Session { parts: self.parts, request, plan, context, id, left }.resume()).await
            }
            Err(why) => {
                let text = format!("what was asked for cannot be read any more: {why}");
                Outcome::interrupted(None, Failure::new(&reason::INTERRUPTED, text))
            }
        }
    }

    /// Enters a training. Goes on when the caller goes away.
    pub async fn start(&self, request: StartRequest, asked: Requested) -> Result<(Started, Plan), TrainingError> {
        let plan = self.checked(&request)?;
        let entering = self.clone().enter(request, plan.clone(), asked, None).in_current_span();
        let started = tokio::spawn(entering).await.map_err(|_| TrainingError::Defect)??;
        Ok((started, plan))
    }

    async fn enter(
        self,
        request: StartRequest,
        plan: Plan,
        asked: Requested,
        retry_of: Option<String>,
    ) -> Result<Started, TrainingError> {
        let new = NewOperation {
            kind: KIND,
            subject: plan.subject(),
            request: asked,
            spec: serde_json::to_string(&request).map_err(|_| TrainingError::Defect)?,
            retry_of,
            waits: true,
        };
        let (registry, parts) = (self.parts.registry.clone(), self.parts);
        let work = move |context: Context| {
            let id = context.id();
            Session { parts, request, plan, context, id, left: None }.run()
        };
        Ok(registry.start(new, work).await?)
    }

    async fn retry(self, retry: Retry) -> Result<Started, crate::operations::OperationError> {
        let unreadable = |why| crate::operations::OperationError::NotRetryable { id: retry.retry_of.clone(), why };
        let request: StartRequest =
            serde_json::from_str(&retry.spec).map_err(|_| unreadable("what was asked for cannot be read"))?;
        let plan = self.checked(&request).map_err(|_| unreadable("the daemon does not take it any more"))?;
        match self.enter(request, plan, retry.request, Some(retry.retry_of.clone())).await {
            Ok(started) => Ok(started),
            Err(TrainingError::Operation(error)) => Err(error),
            Err(_) => Err(unreadable("it met a defect; the daemon's log tells more")),
        }
    }

    /// Everything that can be known to be wrong before anybody is asked.
    fn checked(&self, request: &StartRequest) -> Result<Plan, TrainingError> {
        let plan = Plan::of(request)?;
        if self.parts.hosts.is_empty() {
            return Err(TrainingError::NoHosts);
        }
        if let Some(name) =
            request.host.as_ref().filter(|name| !self.parts.hosts.iter().any(|host| host.name == **name))
        {
            let known: Vec<_> = self.parts.hosts.iter().map(|host| host.name.as_str()).collect();
            return Err(TrainingError::HostUnknown { name: name.clone(), known: known.join(", ") });
        }
        if !self.parts.hosts.iter().any(|host| host.fits(request.host.as_deref(), &request.labels)) {
            return Err(TrainingError::LabelsUnknown { labels: request.labels.join(", ") });
        }
        Ok(plan)
    }

    /// What a start would be; starts nothing.
    pub fn plan(&self, request: &StartRequest) -> Result<Plan, TrainingError> {
        self.checked(request)
    }

    /// The hosts that it may run on; asks those that were never asked, each for at most so long.
    pub async fn planned_hosts(&self, request: &StartRequest, limit: Duration) -> Vec<PlannedHost> {
        let fits = |host: &&Arc<Host>| host.fits(request.host.as_deref(), &request.labels);
        let planned = self.parts.hosts.iter().filter(fits).map(|host| async {
            let capabilities = tokio::time::timeout(limit, host.backend.capabilities()).await;
            let capabilities = capabilities.map_or_else(
                |_| Err(format!("no answer within {} s", limit.as_secs())),
                |told| told.map_err(|error| crate::error::in_line(&error.trouble)),
            );
            PlannedHost {
                name: host.name.clone(),
                url: host.service.address().to_string(),
                slots: host.slots,
                free: self.parts.dispatch.free(host),
                capabilities,
            }
        });
        future::join_all(planned).await
    }

    /// What is stored of the series that it needs.
    pub fn stored_series(&self, plan: &Plan) -> Vec<StoredSeries> {
        let stored = |key: &SeriesKey| {
            let state = self.parts.market_data.range(key).ok()?;
            let (first, last) = state.first().zip(state.last())?;
            Some((state.bars(), first, last))
        };
        let series = plan.series().into_iter().map(|(symbol, timeframe)| {
            let key = SeriesKey { symbol, timeframe };
            StoredSeries { symbol: key.symbol.to_string(), timeframe: key.timeframe.to_string(), stored: stored(&key) }
        });
        series.collect()
    }

    /// An operation of ours, by id or unique prefix; also by the id of its session, which is the same.
    pub async fn get(&self, id: &str) -> Result<Snapshot, TrainingError> {
        let operation = self.parts.registry.get(id).await?;
        if operation.kind == KIND {
            return Ok(operation);
        }
        Err(crate::operations::OperationError::NotFound { id: operation.id.clone() }.into())
    }

    /// Stops one and waits for its end.
    pub async fn stop(&self, id: &str, note: &str) -> Result<(Snapshot, bool), TrainingError> {
        let operation = self.get(id).await?;
        Ok(self.parts.registry.cancel(&operation.id, note).await?)
    }

    /// What is known of the hosts beside their services.
    pub fn host_facts(&self) -> Vec<HostFacts> {
        self.parts.hosts.iter().map(|host| host.facts()).collect()
    }

    /// Asks a host what it is; `false`: it is none of ours.
    pub async fn ask_again(&self, name: &str) {
        if let Some(host) = self.parts.hosts.iter().find(|host| host.name == name) {
            host.backend.forget_capabilities();
            drop(host.backend.capabilities().await);
        }
    }
}

impl Parts {
    fn left(&self, row: SessionRow, subject: &str) -> Left {
        match self.hosts.iter().find(|host| host.name == row.host) {
            Some(host) => {
                let [strategy, ..] = plan::parts_of_subject(subject);
                let slot = self.dispatch.occupy(host, strategy);
                Left::At(row, slot)
            }
            None => Left::Nowhere(row),
        }
    }
}
