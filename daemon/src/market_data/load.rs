//! The load operation: what is wanted, what of it is missing, step by step through the gateway into the store.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;
use ktrdr_proto::reason;
use serde::{Deserialize, Serialize};

use super::{
    MarketDataError,
    closing::{closed_until, is_closed, zone},
    fetch::fetch,
    keep::{Delivery, Keeper},
    merge::Report,
    plan::{Order, Step, steps},
    reference::Reference,
    result::{LoadDocument, RangeDocument, json},
};
use crate::{
    clock,
    error::Failure,
    gateway::{BarsAnswer, BarsAsk, Class, Contract, GatewayError},
    model::{Bars, Basis, DAY, Nanos, SeriesKey, Source, TimeRange, Timeframe},
    operations::{Context, Outcome},
    store::{CoverageKind, SeriesState, year_start},
};

/// What `tail` loads of a series of which nothing is stored.
const TAIL: Nanos = 30 * DAY;

/// What a load brings in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// From the last known instant up to now.
    Tail,
    /// From the earliest bar there is up to the first stored one.
    Backfill,
    /// From the earliest bar there is up to now, holes included.
    Full,
    /// Nothing is fetched.
    Local,
}

impl Mode {
    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tail => "tail",
            Self::Backfill => "backfill",
            Self::Full => "full",
            Self::Local => "local",
        }
    }
}

/// A checked request.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadRequest {
    /// Which series.
    pub key: SeriesKey,
    /// What to bring in; with a bound, only the order of the steps.
    pub mode: Mode,
    /// First wanted instant.
    pub start: Option<Nanos>,
    /// First instant not wanted.
    pub end: Option<Nanos>,
    /// Session and prices.
    pub basis: Basis,
}

/// One load at work.
pub(super) struct Load {
    request: LoadRequest,
    reference: Reference,
    keeper: Arc<Mutex<Keeper>>,
    document: LoadDocument,
}

/// How the steps went.
enum End {
    Complete,
    Stopped,
    Incomplete(Failure),
}

impl Load {
    pub(super) fn new(request: LoadRequest, reference: Reference) -> Self {
        let keeper = Keeper::new(reference.store.clone(), request.key.clone());
        let document = LoadDocument {
            symbol: request.key.symbol.to_string(),
            timeframe: request.key.timeframe.to_string(),
            mode: request.mode.name().into(),
            ..LoadDocument::default()
        };
        Self {
            request,
            reference,
            keeper: Arc::new(Mutex::new(keeper)),
            document,
        }
    }

    pub(super) async fn run(mut self, context: Context) -> Outcome {
        let stop = context.stop().clone();
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
        let known = self.reference.known(&self.request.key.symbol).await?;
        let unbounded = self.request.start.is_none() && matches!(self.request.mode, Mode::Backfill | Mode::Full);
        if !unbounded && self.missing(known.as_deref(), None).await?.is_empty() {
            return Ok(None);
        }
        let requests = &mut self.document.requests_made;
        let contract = self.reference.contract(&self.request.key.symbol, requests).await?;
        let head = if unbounded {
            self.reference.head(&contract, self.request.basis, requests).await?
        } else {
            None
        };
        let mut missing = self.missing(Some(&contract), head).await?;
        let mut steps = self.steps(&missing);
        if !unbounded && steps.len() > 1 {
            let requests = &mut self.document.requests_made;
            if let Some(head) = self.reference.head(&contract, self.request.basis, requests).await?
                && self.nothing_before(head, &contract, &missing).await?
            {
                missing = self.missing(Some(&contract), None).await?;
                steps = self.steps(&missing);
            }
        }
        Ok((!steps.is_empty()).then_some((contract, steps)))
    }

    fn steps(&self, missing: &[TimeRange]) -> Vec<Step> {
        let bounded = self.request.start.is_some() || self.request.end.is_some();
        let order = if self.request.mode == Mode::Tail && !bounded {
            Order::OldestFirst
        } else {
            Order::NewestFirst
        };
        steps(missing, self.request.key.timeframe, order, clock::now())
    }

    /// What of the wanted range is not known. A damaged partition is as good as none.
    async fn missing(
        &self,
        contract: Option<&Contract>,
        head: Option<Nanos>,
    ) -> Result<Vec<TimeRange>, MarketDataError> {
        let zone = zone(contract.map_or("", |contract| &contract.time_zone));
        let Some(wanted) = self.wanted(&zone, head) else {
            return Ok(Vec::new());
        };
        let (store, key) = (self.reference.store.clone(), self.request.key.clone());
        let missing = tokio::task::spawn_blocking(move || {
            let Some(state) = store.state(&key) else {
                return vec![wanted];
            };
            let mut coverage = state.coverage.clone();
            for (year, ..) in state.years_in(&wanted) {
                if store.verify_year(&key, year).is_err()
                    && let Ok(damaged) = TimeRange::new(year_start(year), year_start(year.saturating_add(1)))
                {
                    coverage.remove(&damaged);
                }
            }
            coverage.missing(&wanted)
        });
        missing.await.map_err(|_| MarketDataError::Defect)
    }

    /// The range of bars that are over, by dates or by mode; `None` when it is empty.
    fn wanted(&self, zone: &TimeZone, head: Option<Nanos>) -> Option<TimeRange> {
        let timeframe = self.request.key.timeframe;
        let closed = closed_until(clock::now(), timeframe, zone);
        let stored = self.reference.store.state(&self.request.key);
        let stored = stored.as_deref();
        let from_mode = || match self.request.mode {
            Mode::Tail | Mode::Local => stored
                .and_then(|state| state.coverage.end().or(state.last()))
                .unwrap_or(closed - TAIL),
            Mode::Backfill | Mode::Full => head.map_or(closed - depth_assumed(timeframe), |head| {
                first_bar_of(head, timeframe, zone)
            }),
        };
        let end_of_mode = match self.request.mode {
            Mode::Backfill if self.request.start.is_none() => stored.and_then(SeriesState::first).unwrap_or(closed),
            _ => closed,
        };
        let start = self.request.start.unwrap_or_else(from_mode);
        let end = self.request.end.unwrap_or(end_of_mode).min(closed);
        TimeRange::new(start, end).ok()
    }

    /// Remembers that there is nothing before the first bar of the history. `true`: that spares some request.
    async fn nothing_before(
        &mut self,
        head: Nanos,
        contract: &Contract,
        missing: &[TimeRange],
    ) -> Result<bool, MarketDataError> {
        let first = first_bar_of(head, self.request.key.timeframe, &zone(&contract.time_zone));
        let Some(start) = missing.first().map(TimeRange::start) else {
            return Ok(false);
        };
        let end = missing.last().map_or(first, |range| range.end().min(first));
        let Ok(nothing) = TimeRange::new(start, end) else {
            return Ok(false);
        };
        self.keep(Bars::default(), nothing, vec![(nothing, CoverageKind::None)])
            .await?;
        Ok(true)
    }

    async fn carry_out(
        &mut self,
        context: &Context,
        contract: Arc<Contract>,
        steps: Vec<Step>,
    ) -> Result<End, MarketDataError> {
        let total = steps.len();
        context.progress(|progress| {
            (progress.total, progress.unit) = (total as u64, "requests".into());
        });
        let (mut done, mut failed) = (0, None::<GatewayError>);
        for (at, step) in steps.iter().enumerate() {
            context.progress(|progress| progress.message = in_words(&step.range));
            let ask = BarsAsk {
                contract: contract.clone(),
                timeframe: self.request.key.timeframe,
                basis: self.request.basis,
                end: step.end,
                duration: step.duration,
            };
            let requests = &mut self.document.requests_made;
            let answer = fetch(&self.reference.gateway, &ask, done > 0, requests);
            // dropping the request withdraws it at the gateway; what came before is kept
            let Some(answer) = context.stop().run_until_cancelled(answer).await else {
                self.leave(&steps[at..]);
                return Ok(End::Stopped);
            };
            match answer {
                Ok(answer) => {
                    self.take(step, answer, &contract).await?;
                    done += 1;
                    context.progress(|progress| progress.done += 1);
                }
                Err(error) => {
                    tracing::warn!(
                        error = crate::error::chain(&error).join(": "),
                        range = in_words(&step.range),
                        "step failed"
                    );
                    let hopeless = matches!(error.class(), Class::Permanent | Class::Connection);
                    self.leave(if hopeless { &steps[at..] } else { &steps[at..=at] });
                    failed.get_or_insert(error);
                    if hopeless {
                        break;
                    }
                }
            }
        }
        Ok(match failed {
            None => End::Complete,
            Some(error) => End::Incomplete(incomplete(&error, done, total)),
        })
    }

    fn leave(&mut self, steps: &[Step]) {
        self.document
            .gaps_left
            .extend(steps.iter().map(|step| RangeDocument::from(step.range)));
    }

    /// Keeps the closed bars of an answer, and what it tells about the rest.
    async fn take(&mut self, step: &Step, answer: BarsAnswer, contract: &Contract) -> Result<(), MarketDataError> {
        let (now, timeframe, zone) = (clock::now(), self.request.key.timeframe, zone(&contract.time_zone));
        let range = step.range;
        let (bars, known_until, kind) = match answer {
            BarsAnswer::Bars(bars) => {
                let wanted = bars.slice(bars.rows_in(&range));
                let closed: Bars = wanted
                    .iter()
                    .take_while(|bar| is_closed(bar.start, now, timeframe, &zone))
                    .collect();
                let first_open = wanted.start.get(closed.len()).copied();
                let kind = if closed.is_empty() {
                    CoverageKind::None
                } else {
                    CoverageKind::Bars
                };
                (closed, first_open.unwrap_or(range.end()), kind)
            }
            // of the newest day, nothing may only mean not yet
            BarsAnswer::NoData if self.reference.gateway.history_is_up() => {
                (Bars::default(), range.end().min(now - DAY), CoverageKind::None)
            }
            BarsAnswer::NoData => (Bars::default(), range.start(), CoverageKind::None),
        };
        let cover = TimeRange::new(range.start(), known_until)
            .ok()
            .map(|known| (known, kind));
        let report = self.keep(bars, range, cover.into_iter().collect()).await?;
        self.document.bars_loaded += report.added;
        self.document.bars_revised += report.revised;
        Ok(())
    }

    async fn keep(
        &self,
        bars: Bars,
        range: TimeRange,
        cover: Vec<(TimeRange, CoverageKind)>,
    ) -> Result<Report, MarketDataError> {
        let delivery = Delivery {
            basis: self.request.basis,
            source: Source::Gateway,
            assumed: false,
            bars,
            range,
            cover,
            as_of: clock::now(),
            import: None,
        };
        let keeper = self.keeper.clone();
        let kept =
            tokio::task::spawn_blocking(move || keeper.lock().unwrap_or_else(PoisonError::into_inner).keep(delivery));
        Ok(kept.await.map_err(|_| MarketDataError::Defect)??)
    }
}

/// The earliest start of a bar that holds this instant.
fn first_bar_of(head: Nanos, timeframe: Timeframe, zone: &TimeZone) -> Nanos {
    if timeframe.is_intraday() {
        return head.div_euclid(timeframe.step()) * timeframe.step() - timeframe.step();
    }
    // a bar may be labelled by any of its days
    let minute_of_settling = 60 * crate::model::SECOND;
    closed_until(head + minute_of_settling, Timeframe::Days1, zone) - (timeframe.step() - DAY)
}

/// How far back a history is assumed to reach when the gateway cannot tell.
fn depth_assumed(timeframe: Timeframe) -> Nanos {
    match timeframe.step() {
        step if step <= 30 * crate::model::SECOND => 180 * DAY,
        step if step < crate::model::HOUR => 2 * 365 * DAY,
        step if step < DAY => 5 * 365 * DAY,
        _ => 20 * 365 * DAY,
    }
}

fn in_words(range: &TimeRange) -> String {
    let date = |instant| clock::text(instant).chars().take(10).collect::<String>();
    format!("{} to {}", date(range.start()), date(range.end()))
}

/// Nothing came: the error itself. Something came: incomplete, because of it.
fn incomplete(error: &GatewayError, done: usize, total: usize) -> Failure {
    let cause = Failure::from(error);
    if done == 0 && (total == 1 || error.class() != Class::Transient) {
        return cause;
    }
    let message = format!(
        "{} of {total} requests were not answered; what came is stored",
        total - done
    );
    let mut failure = Failure::new(&reason::LOAD_INCOMPLETE, message);
    failure.messages.extend(cause.messages);
    failure.with("cause", cause.reason)
}
