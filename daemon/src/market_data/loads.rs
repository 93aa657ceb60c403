//! Loads of many series as one operation: some at a time, a document each; one that fails leaves the others alone.

use futures_util::StreamExt;
use ktrdr_proto::reason;
use serde::{Deserialize, Serialize};
use tracing::Instrument;

use super::{
    LoadDocument, LoadRequest, MarketData, MarketDataError, load::Load, occupancy::Writer, request::Spec, result::json,
};
use crate::{
    error::Failure,
    operations::{Context, End, NewOperation, Outcome, Part, Requested, Started, State},
};

/// Series that are loaded side by side: the next requests are ready when pacing allows them, and few partitions are held in
/// memory.
const AT_ONCE: usize = 4;
/// Series of one request, and of one operation.
pub const SERIES_MAX: usize = 1_000;

/// What the loads of an operation achieved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadsDocument {
    /// In the order they were asked for.
    pub series: Vec<LoadedDocument>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadedDocument {
    /// What it achieved.
    pub load: LoadDocument,
    /// `completed`, `failed`, `cancelled`; `pending` when it never began.
    pub state: String,
    /// Why it did not complete.
    pub failure: Option<Failure>,
}

impl MarketData {
    /// Starts loads of several series as one operation. Goes on when the caller goes away.
    pub async fn load_many(
        &self,
        requests: Vec<LoadRequest>,
        asked: Requested,
        retry_of: Option<String>,
    ) -> Result<Started, MarketDataError> {
        if requests.is_empty() || requests.len() > SERIES_MAX {
            return Err(MarketDataError::Request("name between one and a thousand series"));
        }
        let (market_data, requests) = (self.clone(), once_each(requests));
        let specs: Vec<Spec> = requests.iter().map(Spec::from).collect();
        let new = NewOperation {
            kind: "loads",
            subject: subject(&requests),
            request: asked,
            spec: serde_json::to_string(&specs).map_err(|_| MarketDataError::Defect)?,
            retry_of,
            waits: false,
        };
        let entering = async move {
            let registry = market_data.registry.clone();
            registry.start(new, |context| market_data.load_all(requests, context)).await
        };
        Ok(tokio::spawn(entering.in_current_span()).await.map_err(|_| MarketDataError::Defect)??)
    }

    async fn load_all(self, requests: Vec<LoadRequest>, context: Context) -> Outcome {
        context.progress(|progress| {
            progress.unit = "requests".into();
            progress.parts = requests.iter().map(|request| Part::named(request.key.to_string())).collect();
        });
        let nothing = |request: &LoadRequest| LoadedDocument {
            load: LoadDocument::of(request),
            state: State::Pending.name().into(),
            failure: None,
        };
        let mut document = LoadsDocument { series: requests.iter().map(nothing).collect() };
        let (all, mut done) = (requests.len(), 0);
        let loads = requests.into_iter().enumerate().map(|(index, request)| {
            let (market_data, part) = (self.clone(), context.part(index));
            async move { (index, market_data.load_one(request, part).await) }
        });
        let mut loads = futures_util::stream::iter(loads).buffer_unordered(AT_ONCE);
        while let Some((index, outcome)) = loads.next().await {
            done += 1;
            context.progress(|progress| progress.message = format!("{done} of {all} series"));
            let one = &mut document.series[index];
            one.state = context.part(index).state().name().into();
            let failure = outcome.failure().cloned();
            one.load =
                outcome.result.and_then(|result| serde_json::from_value(result).ok()).unwrap_or(one.load.clone());
            one.failure = failure;
        }
        drop(loads);
        if context.stop().is_cancelled() {
            return Outcome::stopped(json(&document));
        }
        match refusal(&document) {
            None => Outcome::completed(json(&document)),
            Some(failure) => Outcome::failed(Some(json(&document)), failure),
        }
    }

    async fn load_one(self, request: LoadRequest, context: Context) -> Outcome {
        context.enter(State::Running);
        let outcome = self.load_one_to_its_end(request, &context).await;
        context.enter(match &outcome {
            Outcome { end: End::Stopped | End::Left, .. } => State::Cancelled,
            Outcome { end: End::Failed(_) | End::Interrupted(_), .. } => State::Failed,
            Outcome { end: End::Completed, .. } => State::Completed,
        });
        outcome
    }

    async fn load_one_to_its_end(self, request: LoadRequest, context: &Context) -> Outcome {
        let stopped = || Outcome::stopped(json(&LoadDocument::of(&request)));
        if context.stop().is_cancelled() {
            return stopped();
        }
        if let Err(error) = self.check_load(&request) {
            return Outcome::failed(None, Failure::from(&error));
        }
        let writer = Writer { operation: context.id(), ..Writer::load(request.clone()) };
        context.progress(|progress| progress.message = "waiting for another operation on the series".into());
        let waiting = self.occupancy.wait_and_occupy(&request.key, writer, |_| true);
        let Some(Ok(occupied)) = context.stop().run_until_cancelled(waiting).await else { return stopped() };
        context.progress(|progress| progress.message.clear());
        Load::new(request, self.reference, occupied).run(context.clone()).await
    }
}

/// Of series that are named twice, the first.
pub fn once_each(requests: Vec<LoadRequest>) -> Vec<LoadRequest> {
    let mut seen = std::collections::HashSet::new();
    requests.into_iter().filter(|request| seen.insert(request.key.clone())).collect()
}

/// For people: the first few.
fn subject(requests: &[LoadRequest]) -> String {
    let names: Vec<String> = requests.iter().take(3).map(|request| request.key.to_string()).collect();
    match requests.len() {
        ..=3 => names.join(", "),
        more => format!("{} and {} more", names.join(", "), more - 3),
    }
}

/// One series that failed is its own failure; of several, the first is named.
fn refusal(document: &LoadsDocument) -> Option<Failure> {
    let failures: Vec<&Failure> = document.series.iter().filter_map(|one| one.failure.as_ref()).collect();
    let first = failures.first()?;
    if document.series.len() == 1 {
        return Some(Failure::clone(first));
    }
    let message =
        format!("{} of {} series could not be loaded, or not all of them", failures.len(), document.series.len());
    let mut failure = Failure::new(&reason::LOAD_INCOMPLETE, message);
    failure.messages.extend(first.messages.clone());
    Some(failure.with("cause", first.reason.clone()))
}
