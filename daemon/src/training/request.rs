//! What is asked, and which hosts there are.

use serde::{Deserialize, Serialize};

use crate::host_service::HostConfig;

/// A training as it was asked for; also what a retry starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRequest {
    /// Of the file, for messages.
    pub label: String,
    /// The file.
    pub strategy: String,
    /// Empty: those of the strategy.
    pub symbols: Vec<String>,
    /// Empty: those of the strategy.
    pub timeframes: Vec<String>,
    /// `2024-01-01`.
    pub start_date: Option<String>,
    /// `2024-12-31`.
    pub end_date: Option<String>,
    /// Only there.
    pub host: Option<String>,
    /// Only where all of them are.
    pub labels: Vec<String>,
    /// 0 to 9, higher first.
    pub priority: u32,
    /// Loads what is missing of the series first.
    pub load_missing: bool,
}

/// A configured training host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainingHost {
    /// How to reach it.
    pub service: HostConfig,
    /// Sessions at once. The services of the old system run one each.
    pub slots: usize,
    /// What may be asked for with `--label`.
    pub labels: Vec<String>,
}
