//! What loads and imports report. Kept in the ledger as JSON: fields may be added, with defaults.

use serde::{Deserialize, Serialize};

use crate::model::{Nanos, TimeRange};

/// Instants of a range; see [`TimeRange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeDocument {
    /// First instant.
    pub start: Nanos,
    /// First instant after it.
    pub end: Nanos,
}

impl From<TimeRange> for RangeDocument {
    fn from(range: TimeRange) -> Self {
        Self { start: range.start(), end: range.end() }
    }
}

/// What a load achieved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadDocument {
    /// In upper case.
    pub symbol: String,
    /// As people spell it.
    pub timeframe: String,
    /// `tail`, `backfill`, `full` or `local`.
    pub mode: String,
    /// Bars that were not stored before.
    pub bars_loaded: u64,
    /// Bars of the series afterwards.
    pub bars_total: u64,
    /// Stored bars that the source corrected.
    pub bars_revised: u64,
    /// Requests of any kind sent to the gateway.
    pub requests_made: u64,
    /// What is still missing of the wanted range.
    pub gaps_left: Vec<RangeDocument>,
}

impl LoadDocument {
    /// Nothing yet.
    pub(super) fn of(request: &super::LoadRequest) -> Self {
        Self {
            symbol: request.key.symbol.to_string(),
            timeframe: request.key.timeframe.to_string(),
            mode: request.mode.name().into(),
            ..Self::default()
        }
    }
}

/// What an import achieved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportDocument {
    /// In the order they were sent.
    pub files: Vec<ImportedFileDocument>,
}

/// One file of an import.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportedFileDocument {
    /// What the client called it.
    pub label: String,
    /// Symbol and timeframe, as far as they are known.
    pub series: Option<(String, String)>,
    /// Data rows.
    pub rows: u64,
    /// Not stored before.
    pub added: u64,
    /// Stored already, or repeated in the file.
    pub unchanged: u64,
    /// Stored with other values before.
    pub revised: u64,
    /// Rows that cannot be stored.
    pub rejected: Vec<FindingDocument>,
    /// Rows that are stored, with something to tell.
    pub notes: Vec<FindingDocument>,
    /// Why the whole file was refused.
    pub failure: Option<crate::error::Failure>,
}

/// One kind of finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingDocument {
    /// Its name.
    pub reason: String,
    /// How many rows.
    pub count: u64,
    /// Lines of the first few.
    pub lines: Vec<u64>,
}

/// A document as the registry keeps it.
pub(super) fn json<T: Serialize>(document: &T) -> serde_json::Value {
    serde_json::to_value(document).unwrap_or_default()
}
