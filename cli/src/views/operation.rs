//! Operations and their results: `operations …`, `data load`.

use ktrdr_proto::{
    spelling::Word as _,
    v1::{
        LoadResult, LoadedSeries, LoadsResult, Operation, OperationState, ProgressPart, RepairResult, TimeRange,
        operation,
    },
};
use serde::Serialize;

use super::{
    import::ImportView,
    timeframe,
    training::{TrainingProgressView, TrainingView},
};
use crate::{
    failure::Failure,
    output::table::{Cell, Tone},
    time::{Instant, seconds_between},
};

/// One operation.
#[derive(Debug, Serialize)]
pub(crate) struct OperationView {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) state: &'static str,
    pub(crate) subject: String,
    pub(crate) progress: ProgressView,
    pub(crate) created_at: Instant,
    pub(crate) started_at: Option<Instant>,
    pub(crate) ended_at: Option<Instant>,
    /// The name of the failure's reason.
    pub(crate) reason: Option<String>,
    pub(crate) result: Option<ResultView>,
    pub(crate) error: Option<ErrorView>,
    pub(crate) retry_of: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct ProgressView {
    pub(crate) percent: Option<f64>,
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) unit: String,
    pub(crate) message: String,
    /// Of an operation that does several things.
    pub(crate) parts: Vec<PartView>,
    /// Of a training: what its host reported last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) training: Option<TrainingProgressView>,
}

#[derive(Debug, Serialize)]
pub(crate) struct PartView {
    pub(crate) name: String,
    pub(crate) state: &'static str,
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) message: String,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ResultView {
    Load(LoadView),
    Import(ImportView),
    Repair(RepairedView),
    Loads(LoadsView),
    Training(TrainingView),
}

/// The results of the loads of one operation.
#[derive(Debug, Serialize)]
pub(crate) struct LoadsView {
    pub(crate) success: bool,
    pub(crate) status: &'static str,
    pub(crate) series: Vec<LoadView>,
    pub(crate) execution_time_seconds: Option<f64>,
    pub(crate) details: Details,
    pub(crate) error: Option<ErrorView>,
}

/// The result of a repair.
#[derive(Debug, Serialize)]
pub(crate) struct RepairedView {
    pub(crate) dropped: u64,
    pub(crate) load: LoadView,
}

/// Why something did not complete.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorView {
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) retry_after_seconds: Option<f64>,
}

/// The result of a load.
#[derive(Debug, Serialize)]
pub(crate) struct LoadView {
    pub(crate) symbol: String,
    pub(crate) timeframe: &'static str,
    pub(crate) mode: String,
    pub(crate) success: bool,
    pub(crate) status: &'static str,
    pub(crate) bars_loaded: u64,
    pub(crate) bars_total: u64,
    pub(crate) bars_revised: u64,
    pub(crate) requests_made: u64,
    pub(crate) gaps_left: Vec<GapView>,
    pub(crate) execution_time_seconds: Option<f64>,
    pub(crate) details: Details,
    pub(crate) error: Option<ErrorView>,
}

#[derive(Debug, Serialize)]
pub(crate) struct GapView {
    pub(crate) start: Option<Instant>,
    pub(crate) end: Option<Instant>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Details {
    pub(crate) operation_id: String,
}

impl From<&ProgressPart> for PartView {
    fn from(part: &ProgressPart) -> Self {
        let (name, message, state) = (part.name.clone(), part.message.clone(), part.state().word());
        Self { name, state, done: part.done, total: part.total, message }
    }
}

impl From<&Failure> for ErrorView {
    fn from(failure: &Failure) -> Self {
        Self {
            reason: failure.reason().to_owned(),
            message: failure.messages().join(": "),
            hint: failure.next_step().map(str::to_owned),
            retry_after_seconds: failure.retry_after_seconds(),
        }
    }
}

impl From<&Operation> for OperationView {
    fn from(operation: &Operation) -> Self {
        let failure = Failure::from_operation(operation);
        let progress = operation.progress.clone().unwrap_or_default();
        let result = operation.result.as_ref().map(|result| match result {
            operation::Result::Load(result) => ResultView::Load(LoadView::of(operation, result)),
            operation::Result::Import(result) => ResultView::Import(ImportView::of(operation, result)),
            operation::Result::Loads(result) => ResultView::Loads(LoadsView::of(operation, result)),
            operation::Result::Repair(result) => ResultView::Repair(RepairedView::of(operation, result)),
            operation::Result::Training(result) => ResultView::Training(TrainingView::from(result)),
        });
        Self {
            id: operation.id.clone(),
            kind: operation.kind.clone(),
            state: operation.state().word(),
            subject: operation.subject.clone(),
            progress: ProgressView {
                percent: progress.percent,
                done: progress.done,
                total: progress.total,
                unit: progress.unit,
                message: progress.message,
                parts: progress.parts.iter().map(PartView::from).collect(),
                training: progress.training.as_ref().map(TrainingProgressView::from),
            },
            created_at: Instant(operation.created_at_ns),
            started_at: operation.started_at_ns.map(Instant),
            ended_at: operation.ended_at_ns.map(Instant),
            reason: failure.as_ref().map(|failure| failure.reason().to_owned()),
            result,
            error: failure.as_ref().map(ErrorView::from),
            retry_of: operation.retry_of.clone(),
        }
    }
}

impl LoadView {
    /// The document of `operation` with its `result`.
    pub(crate) fn of(operation: &Operation, result: &LoadResult) -> Self {
        let series = result.series.as_ref();
        Self {
            symbol: series.map(|series| series.symbol.clone()).unwrap_or_default(),
            timeframe: timeframe(series),
            mode: result.mode.clone(),
            success: operation.state() == OperationState::Completed,
            status: operation.state().word(),
            bars_loaded: result.bars_loaded,
            bars_total: result.bars_total,
            bars_revised: result.bars_revised,
            requests_made: result.requests_made,
            gaps_left: result.gaps_left.iter().map(GapView::from).collect(),
            execution_time_seconds: seconds(operation),
            details: Details { operation_id: operation.id.clone() },
            error: Failure::from_operation(operation).as_ref().map(ErrorView::from),
        }
    }
}

impl From<&TimeRange> for GapView {
    fn from(range: &TimeRange) -> Self {
        Self { start: range.start_ns.map(Instant), end: range.end_ns.map(Instant) }
    }
}

impl LoadsView {
    pub(crate) fn of(operation: &Operation, result: &LoadsResult) -> Self {
        let one = |loaded: &LoadedSeries| {
            let load = loaded.load.clone().unwrap_or_default();
            let error = loaded.failure.as_ref().map(|failure| ErrorView::from(&Failure::from_wire(failure)));
            let success = loaded.state() == OperationState::Completed;
            let (status, execution_time_seconds) = (loaded.state().word(), None);
            LoadView { success, status, execution_time_seconds, error, ..LoadView::of(operation, &load) }
        };
        Self {
            success: operation.state() == OperationState::Completed,
            status: operation.state().word(),
            series: result.series.iter().map(one).collect(),
            execution_time_seconds: seconds(operation),
            details: Details { operation_id: operation.id.clone() },
            error: Failure::from_operation(operation).as_ref().map(ErrorView::from),
        }
    }
}

impl RepairedView {
    pub(crate) fn of(operation: &Operation, result: &RepairResult) -> Self {
        let load = result.load.clone().unwrap_or_default();
        Self { dropped: result.dropped, load: LoadView::of(operation, &load) }
    }
}

/// How long it ran; absent while it has not ended.
pub(crate) fn seconds(operation: &Operation) -> Option<f64> {
    let start = operation.started_at_ns.unwrap_or(operation.created_at_ns);
    operation.ended_at_ns.map(|end| seconds_between(start, end))
}

/// How long it ran, or has been running; absent before that.
pub(crate) fn lasted(operation: &Operation) -> Option<f64> {
    seconds(operation).or_else(|| operation.started_at_ns.map(|start| seconds_between(start, crate::time::now())))
}

/// A state's word, coloured.
pub(crate) fn state_cell(operation: &Operation) -> Cell {
    let tone = match operation.state() {
        OperationState::Completed => Tone::Good,
        OperationState::Failed | OperationState::Interrupted => Tone::Bad,
        OperationState::Running | OperationState::Cancelled => Tone::Busy,
        OperationState::Pending | OperationState::Unspecified => Tone::Plain,
    };
    Cell::toned(operation.state().word(), tone)
}
