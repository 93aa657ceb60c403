//! The load operation: what is wanted, what of it is missing, step by step through the gateway into the store.

mod answer;
mod ask;
mod planned;
mod refetch;
mod request;
mod scope;
mod steps;
mod telling;
mod wanted;

use std::sync::{Arc, Mutex, PoisonError};

use super::{
    MarketDataError,
    closing::zone,
    keep::{Delivery, Keeper},
    merge::Report,
    occupancy::Occupied,
    plan::{Step, is_more_than_one_step, overlap, steps},
    reference::Reference,
    result::{LoadDocument, RangeDocument, json},
};
use crate::{
    clock,
    error::Failure,
    gateway::{BarsAnswer, Class, Contract, GatewayError, Origin},
    model::{Bars, Coverage, Source, TimeRange},
    operations::{Context, Outcome},
    store::CoverageKind,
};

use answer::learn;
use ask::Asker;
pub use planned::Planned;
pub(super) use planned::planned;
pub use request::{LoadRequest, Mode, OnSplit};
use steps::{Next, Steps};
use telling::{in_words, incomplete};
pub(super) use wanted::SMALL_BARS_KEPT;

/// One load at work.
pub(super) struct Load {
    request: LoadRequest,
    reference: Reference,
    keeper: Arc<Mutex<Keeper>>,
    /// Held by each write too: one that outlives a cancelled load keeps others out until it is done.
    occupied: Arc<Occupied>,
    document: LoadDocument,
    /// Its id.
    operation: String,
    /// What was wanted and did not come.
    left: Coverage,
    /// A repair asks for these, and for nothing else.
    only: Option<Vec<TimeRange>>,
}

/// How the steps went.
enum End {
    Complete,
    Stopped,
    Incomplete(Failure),
}

impl Load {
    pub(super) fn new(request: LoadRequest, reference: Reference, occupied: Occupied) -> Self {
        let keeper = Keeper::new(reference.store.clone(), request.key.clone());
        let document = LoadDocument::of(&request);
        let (keeper, occupied) = (Arc::new(Mutex::new(keeper)), Arc::new(occupied));
        Self {
            request,
            reference,
            keeper,
            occupied,
            document,
            operation: String::new(),
            left: Coverage::default(),
            only: None,
        }
    }

    /// For a repair: asks for these ranges, and what it replaces can be restored.
    pub(super) fn only(self, ranges: Vec<TimeRange>) -> Self {
        Self { only: Some(ranges), ..self }
    }

    pub(super) async fn run(mut self, context: Context) -> Outcome {
        let stop = context.stop().clone();
        self.operation = context.id();
        self.reference.gateway = self.reference.gateway.of(Origin::Operation(context.id().into()));
        let end = match stop.run_until_cancelled(self.prepare()).await {
            None => Ok(End::Stopped),
            Some(Err(error)) => Err(error),
            Some(Ok(None)) => Ok(End::Complete),
            Some(Ok(Some((contract, steps)))) => self.carry_out(&context, contract, steps).await,
        };
        let stored = self.reference.store.state(&self.request.key);
        self.document.bars_total = stored.map_or(0, |state| state.bars());
        let result = json(&self.document);
        match end {
            Ok(End::Complete) => Outcome::completed(result),
            Ok(End::Stopped) => Outcome::stopped(result),
            Ok(End::Incomplete(failure)) => Outcome::failed(Some(result), failure),
            Err(error) => Outcome::failed(Some(result), Failure::from(&error)),
        }
    }

    /// What has to be asked; `None` when nothing is missing, which needs no gateway.
    async fn prepare(&mut self) -> Result<Option<(Arc<Contract>, Vec<Step>)>, MarketDataError> {
        if self.request.mode == Mode::Local {
            return Ok(None);
        }
        let unbounded = self.request.start.is_none() && matches!(self.request.mode, Mode::Backfill | Mode::Full);
        let known = self.reference.known(&self.request.key.symbol).await?;
        let mut missing = if unbounded {
            Vec::new()
        } else {
            self.missing(known.as_ref().map(|known| &*known.contract), None).await?
        };
        if !unbounded && missing.is_empty() {
            return Ok(None);
        }
        let zone_before = known.as_ref().map(|known| known.contract.time_zone.clone());
        let requests = &mut self.document.requests_made;
        let contract = self.reference.current(&self.request.key.symbol, known, requests).await?.contract;
        if !unbounded && zone_before.as_ref() != Some(&contract.time_zone) {
            // its zone may put the last closed bar elsewhere
            missing = self.missing(Some(&contract), None).await?;
        }
        if unbounded || is_more_than_one_step(&missing, self.request.key.timeframe) {
            let requests = &mut self.document.requests_made;
            let head = self.reference.head(&contract, self.request.basis, requests).await?;
            if unbounded {
                missing = self.missing(Some(&contract), head).await?;
            } else if let Some(head) = head {
                self.nothing_before(head, &contract, &missing).await?;
                missing = self.missing(Some(&contract), None).await?;
            }
        }
        let mut steps = steps(&missing, self.request.key.timeframe, self.request.order(), clock::now());
        if let Some((first, last)) = self.reference.store.state(&self.request.key).and_then(|one| one.ends()) {
            overlap(&mut steps, (first, last), self.request.key.timeframe, clock::now());
        }
        Ok((!steps.is_empty()).then_some((contract, steps)))
    }

    async fn carry_out(
        &mut self,
        context: &Context,
        contract: Arc<Contract>,
        steps: Vec<Step>,
    ) -> Result<End, MarketDataError> {
        let mut steps = Steps::new(steps, context);
        let (mut done, mut failed, mut asker) = (0, None::<GatewayError>, Asker::new(contract));
        loop {
            match self.next(&mut steps, &mut asker, context).await {
                Next::Done => break,
                Next::Stopped => {
                    self.leave(steps.ranges());
                    return Ok(End::Stopped);
                }
                Next::Answer(step, answer) => {
                    match self.take(&step, answer, &asker.contract).await {
                        Err(error) if self.refetches(&error) => return self.refetch(context, asker, &error).await,
                        taken => taken?,
                    }
                    done += 1;
                    context.progress(|progress| progress.done += 1);
                }
                Next::Failed(step, error) => {
                    let told = crate::error::in_line(&error);
                    tracing::warn!(error = told, range = in_words(&step.range), "step failed");
                    let over = self.ends_load(&error);
                    failed.get_or_insert(error);
                    self.leave([step.range]);
                    if over {
                        self.leave(steps.ranges());
                        break;
                    }
                }
            }
        }
        if let Some(damage) = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).damage() {
            return Err(damage.into());
        }
        Ok(match failed {
            None => End::Complete,
            Some(error) => End::Incomplete(incomplete(&error, done, steps.total)),
        })
    }

    fn refetches(&self, error: &MarketDataError) -> bool {
        self.request.on_split == OnSplit::Refetch && error.scale_case().is_some()
    }

    fn leave(&mut self, ranges: impl IntoIterator<Item = TimeRange>) {
        let left: Coverage = self.left.intervals().iter().copied().chain(ranges).collect();
        self.document.gaps_left = left.intervals().iter().map(|range| RangeDocument::from(*range)).collect();
        self.left = left;
    }

    /// Without dates, what is stored must stay in one piece: the next load of that mode goes on at its end. And what
    /// is refused, or cannot be reached, will not be had by asking for the next part.
    fn ends_load(&self, error: &GatewayError) -> bool {
        let in_one_piece = self.request.is_undated() && matches!(self.request.mode, Mode::Tail | Mode::Backfill);
        let passing = error.class() == Class::Transient || matches!(error, GatewayError::Protocol(_));
        in_one_piece || !passing
    }

    /// Keeps what an answer brings, and what it tells about the rest.
    async fn take(&mut self, step: &Step, answer: BarsAnswer, contract: &Contract) -> Result<(), MarketDataError> {
        let timeframe = self.request.key.timeframe;
        let lesson = learn(answer, step, timeframe, &zone(&contract.time_zone), clock::now());
        self.leave(lesson.spoiled.iter().copied());
        let report = self.keep(lesson.bars, Some(lesson.evidence), step.range, lesson.cover).await?;
        self.document.bars_loaded += report.added;
        self.document.bars_revised += report.revised;
        Ok(())
    }

    async fn keep(
        &self,
        bars: Bars,
        evidence: Option<Bars>,
        range: TimeRange,
        cover: Vec<(TimeRange, CoverageKind)>,
    ) -> Result<Report, MarketDataError> {
        let delivery = Delivery {
            operation: self.operation.clone(),
            basis: self.request.basis,
            source: Source::Gateway,
            assumed: false,
            bars,
            evidence,
            range,
            cover,
            as_of: clock::now(),
            import: None,
            keep_old: self.only.as_ref().map(|_| "a repair replaced bars"),
        };
        self.with_keeper(|keeper| keeper.keep(delivery)).await
    }

    async fn with_keeper<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Keeper) -> Result<T, MarketDataError> + Send + 'static,
    ) -> Result<T, MarketDataError> {
        let (keeper, occupied) = (self.keeper.clone(), self.occupied.clone());
        let worked = tokio::task::spawn_blocking(move || {
            let _occupied = occupied;
            work(&mut keeper.lock().unwrap_or_else(PoisonError::into_inner))
        });
        worked.await.map_err(|_| MarketDataError::Defect)?
    }
}
