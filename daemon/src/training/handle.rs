//! The handle that the wire's handlers hold.

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures_util::{FutureExt, future};
use ktrdr_proto::reason;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use ulid::Ulid;

use super::{
    HostFacts, Plan, PlannedHost, StartRequest, StoredSeries, TrainingError, TrainingHost, dispatch::Dispatch,
    host::Host, session::Session,
};
use crate::{
    error::Failure,
    host_service::HostService,
    market_data::{LoadRequest, MarketData, Mode, OnSplit},
    model::{Basis, Nanos, SeriesKey, Session as Hours, WhatToShow},
    operations::{Context, NewOperation, Outcome, Registry, Retry, Snapshot, Started, State},
    store::Store,
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

    /// Takes up the sessions that an earlier life of the daemon left running.
    pub fn take_up(&self) {
        let training = self.clone();
        self.parts.registry.go_on(KIND, move |context| training.resume(context));
    }

    async fn resume(self, context: Context) -> Outcome {
        let operation = context.operation();
        let request: Result<StartRequest, _> = serde_json::from_str(&operation.spec);
        let planned = request.map_err(|error| error.to_string());
        let planned = planned.and_then(|request| Ok((Plan::of(&request).map_err(|error| error.to_string())?, request)));
        match planned {
            Ok((plan, request)) => {
                let id = operation.id.clone();
                Box::pin(Session { parts: self.parts, request, plan, context, id }.resume()).await
            }
            Err(why) => {
                let text = format!("what was asked for cannot be read any more: {why}");
                Outcome::interrupted(None, Failure::new(&reason::INTERRUPTED, text))
            }
        }
    }

    /// Enters a training. Goes on when the caller goes away.
    pub async fn start(&self, request: StartRequest, request_id: String) -> Result<(Started, Plan), TrainingError> {
        let plan = self.checked(&request)?;
        let entering = self.clone().enter(request, plan.clone(), request_id, None).in_current_span();
        let started = tokio::spawn(entering).await.map_err(|_| TrainingError::Defect)??;
        Ok((started, plan))
    }

    async fn enter(
        self,
        request: StartRequest,
        plan: Plan,
        request_id: String,
        retry_of: Option<String>,
    ) -> Result<Started, TrainingError> {
        let new = NewOperation {
            kind: KIND,
            subject: plan.subject(),
            request_id,
            spec: serde_json::to_string(&request).map_err(|_| TrainingError::Defect)?,
            retry_of,
            waits: true,
        };
        let (registry, parts) = (self.parts.registry.clone(), self.parts);
        let work = move |context: Context| {
            let id = context.id();
            Session { parts, request, plan, context, id }.run()
        };
        Ok(registry.start(new, work).await?)
    }

    async fn retry(self, retry: Retry) -> Result<Started, crate::operations::OperationError> {
        let unreadable = |why| crate::operations::OperationError::NotRetryable { id: retry.retry_of.clone(), why };
        let request: StartRequest =
            serde_json::from_str(&retry.spec).map_err(|_| unreadable("what was asked for cannot be read"))?;
        let plan = self.checked(&request).map_err(|_| unreadable("the daemon does not take it any more"))?;
        match self.enter(request, plan, retry.request_id, Some(retry.retry_of.clone())).await {
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
        if !self.parts.dispatch.could_take(request) {
            return Err(TrainingError::LabelsUnknown { labels: request.labels.join(", ") });
        }
        Ok(plan)
    }

    /// What a start would be; starts nothing.
    pub fn plan(&self, request: &StartRequest) -> Result<Plan, TrainingError> {
        self.checked(request)
    }

    /// The hosts that it may run on; asks those that were never asked.
    pub async fn planned_hosts(&self, request: &StartRequest) -> Vec<PlannedHost> {
        let fits = |host: &&Arc<Host>| {
            request.host.as_ref().is_none_or(|name| *name == host.name)
                && request.labels.iter().all(|label| host.labels.contains(label))
        };
        let planned = self.parts.hosts.iter().filter(fits).map(|host| async {
            let capabilities = host.backend.capabilities().await;
            PlannedHost {
                name: host.name.clone(),
                url: host.service.address().to_string(),
                slots: host.slots,
                free: self.parts.dispatch.free(host),
                capabilities: capabilities.map_err(|error| crate::error::chain(&error.trouble).join(": ")),
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
    pub fn get(&self, id: &str) -> Result<Snapshot, TrainingError> {
        let operation = self.parts.registry.get(id)?;
        if operation.kind == KIND {
            return Ok(operation);
        }
        Err(crate::operations::OperationError::NotFound { id: operation.id.clone() }.into())
    }

    /// Stops one and waits for its end.
    pub async fn stop(&self, id: &str, note: &str) -> Result<(Snapshot, bool), TrainingError> {
        let operation = self.get(id)?;
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
    /// Loads what is missing of the series that a training needs.
    pub(super) async fn load_missing(
        &self,
        plan: &Plan,
        request: &StartRequest,
        context: &Context,
    ) -> Result<(), TrainingError> {
        let loads: Vec<_> =
            plan.series().into_iter().map(|(symbol, timeframe)| load(symbol, timeframe, request)).collect();
        if loads.is_empty() {
            return Ok(());
        }
        context.progress(|progress| "loading bars".clone_into(&mut progress.message));
        let started = self.market_data.load_many(loads, format!("training-{}", Ulid::generate()), None).await?;
        let id = started.operation.id.clone();
        let mut changes = self.registry.watch(&id)?;
        loop {
            let now = changes.borrow_and_update().clone();
            if now.state.is_final() {
                return match (now.state, &now.failure) {
                    (State::Completed, _) | (_, None) => Ok(()),
                    (_, Some(failure)) => Err(TrainingError::DataMissing { series: failure.messages.join(": ") }),
                };
            }
            context.progress(|progress| progress.message = format!("loading bars: {}", now.progress.message));
            if context.stop().run_until_cancelled(changes.changed()).await.is_none() {
                self.registry.cancel(&id, "the training was stopped").await?;
            }
        }
    }
}

fn load(symbol: crate::model::Symbol, timeframe: crate::model::Timeframe, request: &StartRequest) -> LoadRequest {
    let day = |text: &Option<String>, days: i64| {
        let date: jiff::civil::Date = text.as_deref()?.parse().ok()?;
        let midnight = jiff::tz::TimeZone::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok()?;
        Nanos::try_from(midnight.as_nanosecond()).ok()?.checked_add(days * 86_400_000_000_000)
    };
    let (start, end) = (day(&request.start_date, 0), day(&request.end_date, 1));
    let mode = if start.is_some() { Mode::Full } else { Mode::Tail };
    let basis = Basis { session: Hours::AllHours, what: WhatToShow::usual(&symbol) };
    LoadRequest {
        key: SeriesKey { symbol, timeframe },
        mode,
        start,
        end,
        basis,
        on_split: OnSplit::Fail,
        verify: false,
    }
}
