//! The handle that the wire's handlers hold, and who may write which series.

use std::sync::Arc;

use futures_util::FutureExt;
use tracing::Instrument;

use super::{
    Header, LoadRequest, MarketDataError, Mode, Planned, Rows, View, Window,
    calendar::Calendar,
    error::stored,
    import::Import,
    live::Live,
    load::{Load, SMALL_BARS_KEPT, planned},
    occupancy::{Occupancy, Writer},
    query,
    reference::Reference,
    request::Spec,
    upload::{UnderWay, Upload},
};
use crate::{
    clock,
    gateway::Gateway,
    model::{self, Nanos, SeriesKey, TimeRange},
    operations::{NewOperation, OperationError, Registry, Requested, Retry, Started},
    store::{CacheFacts, SeriesState, Store},
};

/// Bars; cheap to clone.
#[derive(Debug, Clone)]
pub struct MarketData {
    pub(super) reference: Reference,
    pub(super) registry: Registry,
    pub(super) occupancy: Occupancy,
    pub(super) live: Live,
    under_way: UnderWay,
    /// Held while an operation is entered, so that two loads of one series cannot both begin.
    pub(super) entering: Arc<tokio::sync::Mutex<()>>,
}

impl MarketData {
    /// Registers how loads are started again.
    pub fn new(store: Store, gateway: Gateway, registry: &Registry) -> Self {
        let market_data = Self {
            reference: Reference { store, gateway },
            registry: registry.clone(),
            occupancy: Occupancy::default(),
            live: Live::default(),
            under_way: UnderWay::default(),
            entering: Arc::default(),
        };
        let again = market_data.clone();
        registry.register("load", Arc::new(move |retry| again.clone().retry(retry).boxed()));
        let again = market_data.clone();
        registry.register("loads", Arc::new(move |retry| again.clone().retry_many(retry).boxed()));
        market_data
    }

    /// Starts a load, or joins the one that the series is in. Goes on when the caller goes away: an operation is
    /// entered as a whole or not at all.
    pub async fn load(
        &self,
        request: LoadRequest,
        asked: Requested,
        retry_of: Option<String>,
    ) -> Result<Started, MarketDataError> {
        let entering = self.clone().enter_load(request, asked, retry_of).in_current_span();
        tokio::spawn(entering).await.map_err(|_| MarketDataError::Defect)?
    }

    async fn enter_load(
        self,
        request: LoadRequest,
        asked: Requested,
        retry_of: Option<String>,
    ) -> Result<Started, MarketDataError> {
        let new = NewOperation {
            kind: "load",
            subject: request.key.to_string(),
            request: asked,
            spec: serde_json::to_string(&Spec::from(&request)).map_err(|_| MarketDataError::Defect)?,
            retry_of,
            waits: false,
        };
        let _entering = self.entering.lock().await;
        if let Some(operation) = self.registry.started_before(&new).await? {
            return Ok(Started { operation, joined: true, same_request: true });
        }
        self.check_load(&request)?;
        let writer = Writer::load(request.clone());
        let occupied = match self.occupancy.wait_and_occupy(&request.key, writer, |other| other.brief).await {
            Ok(occupied) => occupied,
            Err(writer) => return self.join(request, writer).await,
        };
        let (key, load) = (request.key.clone(), Load::new(request, self.reference.clone(), occupied));
        let started = self.registry.start(new, |context| load.run(context)).await?;
        self.occupancy.name(&key, &started.operation.id);
        Ok(started)
    }

    /// Joins a load of the same kind of bars, and says whether it was asked for the same ones.
    async fn join(&self, asked: LoadRequest, writer: Writer) -> Result<Started, MarketDataError> {
        let Writer { operation, request, .. } = writer;
        match request {
            Some(running) if running.basis == asked.basis => {
                let operation = self.registry.get(&operation).await?;
                // one of many has no result of its own
                let same_request = running == asked && operation.kind == "load";
                Ok(Started { operation, joined: true, same_request })
            }
            Some(running) => {
                Err(MarketDataError::SessionMismatch { key: asked.key, stored: running.basis, asked: asked.basis })
            }
            None => Err(MarketDataError::SeriesBusy { key: asked.key, operation }),
        }
    }

    pub(super) fn check_load(&self, request: &LoadRequest) -> Result<(), MarketDataError> {
        let (symbol, what) = (&request.key.symbol, request.basis.what);
        if request.mode != Mode::Local {
            if let model::Instrument::Continuous { root, .. } = symbol.instrument() {
                let example = format!("{root}-{}03", i32::from(clock::year()) + 1);
                return Err(MarketDataError::Continuous { symbol: symbol.clone(), example });
            }
            if !what.exists_for(symbol) {
                return Err(MarketDataError::Prices { symbol: symbol.clone(), what });
            }
        }
        if let (Some(start), Some(end)) = (request.start, request.end) {
            TimeRange::new(start, end).map_err(|_| MarketDataError::RangeInvalid)?;
        }
        if request.start.is_some_and(|start| start > clock::now()) {
            return Err(MarketDataError::RangeInFuture);
        }
        if request.key.timeframe.is_small() && request.end.is_some_and(|end| end < clock::now() - SMALL_BARS_KEPT) {
            return Err(MarketDataError::TooOld { timeframe: request.key.timeframe });
        }
        match self.reference.store.state(&request.key).filter(|state| state.bars() > 0) {
            Some(state) if state.basis != request.basis => Err(MarketDataError::SessionMismatch {
                key: request.key.clone(),
                stored: state.basis,
                asked: request.basis,
            }),
            None if request.mode == Mode::Local => {
                Err(MarketDataError::not_found(&self.reference.store, request.key.clone()))
            }
            _ => Ok(()),
        }
    }

    async fn retry(self, retry: Retry) -> Result<Started, OperationError> {
        let refuse = |why| OperationError::NotRetryable { id: retry.retry_of.clone(), why };
        let spec: Spec = serde_json::from_str(&retry.spec).map_err(|_| refuse("its request cannot be read"))?;
        let request = spec.request().ok_or_else(|| refuse("its request cannot be read"))?;
        let started = self.load(request, retry.request.clone(), Some(retry.retry_of.clone())).await;
        let started = started.map_err(|error| match error {
            MarketDataError::Operation(error) => error,
            MarketDataError::SessionMismatch { .. } => {
                refuse("the series is stored with another session or other prices")
            }
            MarketDataError::SeriesBusy { .. } => refuse("the series is being written by another operation"),
            _ => refuse("its request is no longer valid"),
        })?;
        // what runs brings something else, and does not become the retry of this by being joined
        if started.joined && !started.same_request {
            return Err(refuse("another load of the series is running"));
        }
        Ok(started)
    }

    async fn retry_many(self, retry: Retry) -> Result<Started, OperationError> {
        let refuse = |why| OperationError::NotRetryable { id: retry.retry_of.clone(), why };
        let specs: Vec<Spec> = serde_json::from_str(&retry.spec).map_err(|_| refuse("its request cannot be read"))?;
        let requests: Option<Vec<LoadRequest>> = specs.iter().map(Spec::request).collect();
        let requests = requests.ok_or_else(|| refuse("its request cannot be read"))?;
        let started = self.load_many(requests, retry.request.clone(), Some(retry.retry_of.clone())).await;
        started.map_err(|error| match error {
            MarketDataError::Operation(error) => error,
            _ => refuse("its request is no longer valid"),
        })
    }

    /// What loads would ask, each for itself. Never touches the gateway.
    pub async fn plan(&self, request: &LoadRequest) -> Result<Planned, MarketDataError> {
        self.check_load(request)?;
        planned(request, &self.reference).await
    }

    /// Where the files of an import are put while they arrive.
    pub fn upload(&self) -> Upload {
        Upload::new(&self.under_way)
    }

    /// Imports what was uploaded.
    pub async fn import(&self, upload: Upload, asked: Requested) -> Result<Started, MarketDataError> {
        let new = NewOperation {
            kind: "import",
            subject: upload.subject(),
            request: asked,
            spec: upload.fingerprint(),
            retry_of: None,
            waits: false,
        };
        let import = Import::new(upload, self.reference.store.clone(), self.occupancy.clone());
        let registry = self.registry.clone();
        let entering = async move { registry.start(new, |context| import.run(context)).await };
        Ok(tokio::spawn(entering.in_current_span()).await.map_err(|_| MarketDataError::Defect)??)
    }

    /// Reads bars.
    pub async fn query(
        &self,
        key: SeriesKey,
        start: Option<Nanos>,
        end: Option<Nanos>,
        window: Window,
        view: View,
    ) -> Result<(Header, Rows), MarketDataError> {
        let range = match (start, end) {
            (None, None) => None,
            (start, end) => Some(
                TimeRange::new(start.unwrap_or(Nanos::MIN), end.unwrap_or(Nanos::MAX))
                    .map_err(|_| MarketDataError::RangeInvalid)?,
            ),
        };
        // what is stored is told without the ledger
        let calendar = if view.resample.is_some() || view.hours.is_some() || view.time_zone {
            let known = self.reference.known(&key.symbol).await?;
            Calendar::of_contract(&key.symbol, known.as_ref().map(|known| &*known.contract))
        } else {
            None
        };
        let seen = view.of(&key, calendar)?;
        let zone = calendar.and_then(|calendar| calendar.zone().iana_name()).map(str::to_owned);
        let (header, rows) =
            query::query(self.reference.store.clone(), key, range, (window, view.long_chunks), seen).await?;
        Ok((Header { time_zone: zone.filter(|_| view.time_zone), ..header }, rows))
    }

    /// What is computed from bars for whoever reads them, when it is its turn; see [`Store::in_turn`].
    pub async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        self.reference.store.in_turn(work).await
    }

    /// What is known of a stored series.
    pub fn range(&self, key: &SeriesKey) -> Result<Arc<SeriesState>, MarketDataError> {
        stored(&self.reference.store, key)
    }

    /// How well the cache of stored years does.
    pub fn cache_facts(&self) -> CacheFacts {
        self.reference.store.cache_facts()
    }

    /// How many series are stored.
    pub fn count(&self) -> usize {
        self.reference.store.count()
    }

    /// All stored series.
    pub fn list(&self) -> Vec<(SeriesKey, Arc<SeriesState>)> {
        self.reference.store.list()
    }
}
