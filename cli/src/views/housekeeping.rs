//! Stored bars as files: `data info`, `verify`, `repair`, `restore`, `delete` and `compact`.

use ktrdr_proto::v1::{
    CompactResponse, DeleteResponse, GetInfoResponse, RepairResponse, RepairStep, Replaced, RestoreResponse, Revision,
    SeriesInfo, Source, StoredFile, ValidateResponse, VerifyResponse,
};
use serde::Serialize;
use serde_json::Value;

use super::{contract::ContractView, series::SeriesView, timeframe, word};
use crate::time::Instant;

/// A symbol and all that is stored of it.
#[derive(Debug, Serialize)]
pub(crate) struct InfoView {
    pub(crate) symbol: String,
    /// `null`: the gateway was never asked.
    pub(crate) contract: Option<ContractView>,
    /// `null`: none is known.
    pub(crate) calendar: Option<String>,
    pub(crate) series: Vec<SeriesInfoView>,
}

#[derive(Debug, Serialize)]
pub(crate) struct SeriesInfoView {
    #[serde(flatten)]
    pub(crate) series: SeriesView,
    pub(crate) coverage: Vec<RangeView>,
    pub(crate) coverage_total: u64,
    pub(crate) files: Vec<FileView>,
    pub(crate) revisions: Vec<RevisionView>,
    pub(crate) replaced: Vec<ReplacedView>,
}

#[derive(Debug, Serialize)]
pub(crate) struct RangeView {
    pub(crate) start: Instant,
    pub(crate) end: Instant,
}

#[derive(Debug, Serialize)]
pub(crate) struct FileView {
    pub(crate) year: i32,
    pub(crate) bars: u64,
    pub(crate) bytes: u64,
    pub(crate) start: Instant,
    pub(crate) end: Instant,
}

#[derive(Debug, Serialize)]
pub(crate) struct RevisionView {
    pub(crate) at: Instant,
    pub(crate) operation: String,
    pub(crate) source: &'static str,
    pub(crate) case: String,
    pub(crate) bars: u64,
    pub(crate) first: Instant,
    pub(crate) last: Instant,
    /// Of each: `start` in nanoseconds, `stored` and `told` as open, high, low, close, and volume.
    pub(crate) examples: Option<Value>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ReplacedView {
    pub(crate) operation: String,
    pub(crate) why: String,
    pub(crate) at: Instant,
    pub(crate) years: Vec<i32>,
    pub(crate) bars: u64,
    pub(crate) bytes: u64,
}

/// One file, looked at.
#[derive(Debug, Serialize)]
pub(crate) struct VerifyView {
    pub(crate) symbol: String,
    pub(crate) timeframe: &'static str,
    pub(crate) year: i32,
    pub(crate) bars: u64,
    pub(crate) bytes: u64,
    /// `null`: nothing is wrong with it.
    pub(crate) damage: Option<String>,
}

/// What a repair does, or would do.
#[derive(Debug, Serialize)]
pub(crate) struct RepairView {
    pub(crate) done: bool,
    pub(crate) steps: Vec<StepView>,
    pub(crate) dropped: u64,
    pub(crate) asked: Vec<RangeView>,
    pub(crate) bars_loaded: u64,
    pub(crate) bars_revised: u64,
    pub(crate) operation: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct StepView {
    pub(crate) code: String,
    pub(crate) count: u64,
    pub(crate) first: Instant,
    pub(crate) last: Instant,
    pub(crate) action: String,
    pub(crate) note: String,
}

/// What was undone, or would be.
#[derive(Debug, Serialize)]
pub(crate) struct RestoreView {
    pub(crate) done: bool,
    pub(crate) operation: String,
    pub(crate) why: String,
    pub(crate) years: Vec<i32>,
    pub(crate) bars_before: u64,
    pub(crate) bars_after: u64,
}

/// What was taken away, or would be.
#[derive(Debug, Serialize)]
pub(crate) struct DeleteView {
    pub(crate) done: bool,
    pub(crate) bars: u64,
    pub(crate) bars_left: u64,
    pub(crate) operation: Option<String>,
}

/// What was given up, or would be.
#[derive(Debug, Serialize)]
pub(crate) struct CompactView {
    pub(crate) done: bool,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

impl From<GetInfoResponse> for InfoView {
    fn from(answer: GetInfoResponse) -> Self {
        let contract = answer.contract.map(|contract| {
            ContractView::from(ValidateResponse { contract: Some(contract), ..ValidateResponse::default() })
        });
        Self {
            symbol: answer.symbol,
            contract,
            calendar: Some(answer.calendar).filter(|code| !code.is_empty()),
            series: answer.series.into_iter().map(SeriesInfoView::from).collect(),
        }
    }
}

impl From<SeriesInfo> for SeriesInfoView {
    fn from(info: SeriesInfo) -> Self {
        Self {
            series: SeriesView::from(info.summary.unwrap_or_default()),
            coverage: info.coverage.into_iter().map(RangeView::from).collect(),
            coverage_total: info.coverage_total,
            files: info.files.into_iter().map(FileView::from).collect(),
            revisions: info.revisions.into_iter().map(RevisionView::from).collect(),
            replaced: info.replaced.into_iter().map(ReplacedView::from).collect(),
        }
    }
}

impl From<ktrdr_proto::v1::TimeRange> for RangeView {
    fn from(range: ktrdr_proto::v1::TimeRange) -> Self {
        let bound = |at: Option<i64>| Instant(at.unwrap_or_default());
        Self { start: bound(range.start_ns), end: bound(range.end_ns) }
    }
}

impl From<StoredFile> for FileView {
    fn from(file: StoredFile) -> Self {
        let (start, end) = (Instant(file.first_ns), Instant(file.last_ns));
        Self { year: file.year, bars: file.bars, bytes: file.size_bytes, start, end }
    }
}

impl From<Revision> for RevisionView {
    fn from(revision: Revision) -> Self {
        Self {
            at: Instant(revision.at_ns),
            operation: revision.operation,
            source: word::<Source>(revision.source),
            case: revision.case,
            bars: revision.bars,
            first: Instant(revision.first_ns),
            last: Instant(revision.last_ns),
            examples: serde_json::from_str(&revision.examples).ok(),
        }
    }
}

impl From<Replaced> for ReplacedView {
    fn from(one: Replaced) -> Self {
        let Replaced { operation, why, at_ns, years, bars, size_bytes } = one;
        Self { operation, why, at: Instant(at_ns), years, bars, bytes: size_bytes }
    }
}

impl From<VerifyResponse> for VerifyView {
    fn from(answer: VerifyResponse) -> Self {
        Self {
            timeframe: timeframe(answer.series.as_ref()),
            symbol: answer.series.unwrap_or_default().symbol,
            year: answer.year,
            bars: answer.bars,
            bytes: answer.size_bytes,
            damage: Some(answer.damage).filter(|damage| !damage.is_empty()),
        }
    }
}

impl From<RepairResponse> for RepairView {
    fn from(answer: RepairResponse) -> Self {
        Self {
            done: false,
            steps: answer.steps.into_iter().map(StepView::from).collect(),
            dropped: answer.dropped,
            asked: answer.asked.into_iter().map(RangeView::from).collect(),
            bars_loaded: 0,
            bars_revised: 0,
            operation: answer.operation.map(|operation| operation.id),
        }
    }
}

impl From<RepairStep> for StepView {
    fn from(step: RepairStep) -> Self {
        let (first, last) = (Instant(step.first_ns), Instant(step.last_ns));
        Self { code: step.code, count: step.count, first, last, action: step.action, note: step.note }
    }
}

impl RestoreView {
    pub(crate) fn of(answer: RestoreResponse, done: bool) -> Self {
        let RestoreResponse { operation, why, years, bars_before, bars_after } = answer;
        Self { done, operation, why, years, bars_before, bars_after }
    }
}

impl From<DeleteResponse> for DeleteView {
    fn from(answer: DeleteResponse) -> Self {
        let operation = Some(answer.operation).filter(|operation| !operation.is_empty());
        Self { done: operation.is_some(), bars: answer.bars, bars_left: answer.bars_left, operation }
    }
}

impl CompactView {
    pub(crate) fn of(answer: &CompactResponse, done: bool) -> Self {
        Self { done, files: answer.files, bytes: answer.size_bytes }
    }
}
