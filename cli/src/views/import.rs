//! What came of an import: `data import`, and the result of its operation.

use ktrdr_proto::v1::{ImportResult, ImportedFile, Operation, RowFinding, SeriesId};
use serde::Serialize;

use super::{
    operation::{Details, ErrorView},
    timeframe,
};
use crate::failure::Failure;

/// The result of an import.
#[derive(Debug, Serialize)]
pub(crate) struct ImportView {
    pub(crate) files: Vec<FileView>,
    pub(crate) details: Details,
    pub(crate) error: Option<ErrorView>,
}

#[derive(Debug, Serialize)]
pub(crate) struct FileView {
    pub(crate) path: String,
    pub(crate) symbol: Option<String>,
    pub(crate) timeframe: Option<&'static str>,
    pub(crate) rows: u64,
    pub(crate) added: u64,
    pub(crate) unchanged: u64,
    pub(crate) revised: u64,
    pub(crate) rejected: Vec<FindingView>,
    pub(crate) notes: Vec<FindingView>,
    pub(crate) error: Option<ErrorView>,
}

#[derive(Debug, Serialize)]
pub(crate) struct FindingView {
    pub(crate) reason: String,
    pub(crate) count: u64,
    pub(crate) lines: Vec<u64>,
}

impl ImportView {
    /// The document of `operation` with its `result`.
    pub(crate) fn of(operation: &Operation, result: &ImportResult) -> Self {
        Self {
            files: result.files.iter().map(FileView::from).collect(),
            details: Details { operation_id: operation.id.clone() },
            error: Failure::from_operation(operation).as_ref().map(ErrorView::from),
        }
    }
}

impl From<&ImportedFile> for FileView {
    fn from(file: &ImportedFile) -> Self {
        let series: Option<&SeriesId> = file.series.as_ref();
        Self {
            path: file.label.clone(),
            symbol: series.map(|series| series.symbol.clone()),
            timeframe: series.map(|series| timeframe(Some(series))),
            rows: file.rows,
            added: file.added,
            unchanged: file.unchanged,
            revised: file.revised,
            rejected: file.rejected.iter().map(FindingView::from).collect(),
            notes: file.notes.iter().map(FindingView::from).collect(),
            error: file.failure.as_ref().map(|failure| ErrorView::from(&Failure::from_wire(failure))),
        }
    }
}

impl From<&RowFinding> for FindingView {
    fn from(finding: &RowFinding) -> Self {
        Self { reason: finding.reason.clone(), count: finding.count, lines: finding.lines.clone() }
    }
}
