//! What can be wrong with a training.

use std::time::Duration;

use ktrdr_proto::reason::{self, Reason};

use super::Mistake;
use crate::{error::Reasoned, host_service::HostError, market_data::MarketDataError, operations::OperationError};

/// An error of the training layer.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// A field of the request.
    #[error("{0}")]
    Invalid(String),
    /// Longer than any strategy.
    #[error("{label} has {bytes} bytes; a strategy has at most 1 MiB")]
    StrategyTooLarge {
        /// Of the file.
        label: String,
        /// Its length.
        bytes: usize,
    },
    /// Each mistake with its line.
    #[error("{label} cannot be trained{}", listed(label, mistakes))]
    StrategyInvalid {
        /// Of the file.
        label: String,
        /// In the order of the lines.
        mistakes: Vec<Mistake>,
    },
    /// It only says how to choose some.
    #[error("{strategy} names no symbols")]
    NoSymbols {
        /// Its name.
        strategy: String,
    },
    /// The model would have inputs that the file does not describe.
    #[error("{strategy} has no timeframe {timeframe}; it has {has}")]
    TimeframeNotInStrategy {
        /// As asked.
        timeframe: String,
        /// Its name.
        strategy: String,
        /// What it has.
        has: String,
    },
    /// An end before its start.
    #[error("the end {end} is not after the start {start}")]
    DatesReversed {
        /// As asked.
        start: String,
        /// As asked.
        end: String,
    },
    /// Nobody trains.
    #[error("no training host is configured")]
    NoHosts,
    /// Not in the configuration.
    #[error("no training host is called {name}; there are {known}")]
    HostUnknown {
        /// As asked.
        name: String,
        /// Those there are.
        known: String,
    },
    /// No host has them all.
    #[error("no training host has the labels {labels}")]
    LabelsUnknown {
        /// As asked.
        labels: String,
    },
    /// The host cannot be asked.
    #[error("the training could not be started on {host}")]
    NotSent {
        /// In the configuration.
        host: String,
        /// Why.
        source: HostError,
    },
    /// The host said no.
    #[error("the training could not be started on {host}")]
    NotStarted {
        /// In the configuration.
        host: String,
        /// Why.
        source: HostError,
    },
    /// The outcome of a start could not be found out.
    #[error("{host} did not answer the start, and does not know the session: {why}")]
    Unconfirmed {
        /// In the configuration.
        host: String,
        /// What came of the start.
        why: String,
    },
    /// The host says that it failed.
    #[error("the training failed on {host}: {text}")]
    Failed {
        /// In the configuration.
        host: String,
        /// The host's own words.
        text: String,
    },
    /// It is not there any more.
    #[error("{host} no longer knows the session: {why}")]
    Lost {
        /// In the configuration.
        host: String,
        /// What is known.
        why: String,
    },
    /// It ended early, and not because of us.
    #[error("the session was stopped on {host}, and not from here")]
    StoppedElsewhere {
        /// In the configuration.
        host: String,
    },
    /// A series that was to be loaded first.
    #[error("{series} could not be loaded")]
    DataMissing {
        /// `EURUSD 1h`.
        series: String,
    },
    /// No model has that name.
    #[error("no model is called {id}")]
    ModelNotFound {
        /// As asked.
        id: String,
    },
    /// Several have it.
    #[error("{id} fits {count} models")]
    ModelAmbiguous {
        /// As asked.
        id: String,
        /// How many.
        count: usize,
    },
    /// Of the registry.
    #[error(transparent)]
    Operation(#[from] OperationError),
    /// Of a load.
    #[error(transparent)]
    Data(#[from] MarketDataError),
    /// Of the ledger.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// A defect of ours.
    #[error("the request met a defect; the daemon's log tells more")]
    Defect,
}

fn listed(label: &str, mistakes: &[Mistake]) -> String {
    let one = |mistake: &Mistake| format!("\n{label}:{}: {}", mistake.line, mistake.what);
    mistakes.iter().map(one).collect()
}

impl Reasoned for TrainingError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::Invalid(_) => &reason::REQUEST_INVALID,
            Self::StrategyTooLarge { .. } => &reason::STRATEGY_TOO_LARGE,
            Self::StrategyInvalid { .. } => &reason::STRATEGY_INVALID,
            Self::NoSymbols { .. } => &reason::TRAINING_NO_SYMBOLS,
            Self::TimeframeNotInStrategy { .. } => &reason::TIMEFRAME_NOT_IN_STRATEGY,
            Self::DatesReversed { .. } => &reason::RANGE_INVALID,
            Self::NoHosts => &reason::TRAINING_NOT_CONFIGURED,
            Self::HostUnknown { .. } | Self::LabelsUnknown { .. } => &reason::HOST_NOT_FOUND,
            Self::NotSent { source, .. } | Self::NotStarted { source, .. } => source.reason(),
            Self::Unconfirmed { .. } => &reason::START_UNCONFIRMED,
            Self::Failed { .. } => &reason::TRAINING_FAILED,
            Self::Lost { .. } => &reason::SESSION_LOST,
            Self::StoppedElsewhere { .. } => &reason::SESSION_STOPPED,
            Self::DataMissing { .. } => &reason::LOAD_INCOMPLETE,
            Self::ModelNotFound { .. } => &reason::MODEL_NOT_FOUND,
            Self::ModelAmbiguous { .. } => &reason::MODEL_AMBIGUOUS,
            Self::Operation(error) => error.reason(),
            Self::Data(error) => error.reason(),
            Self::Store(error) => error.reason(),
            Self::Defect => &reason::INTERNAL,
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NotSent { source, .. } | Self::NotStarted { source, .. } => source.metadata(),
            Self::Unconfirmed { host, .. }
            | Self::Failed { host, .. }
            | Self::Lost { host, .. }
            | Self::StoppedElsewhere { host } => vec![("host", host.clone())],
            Self::StrategyInvalid { label, mistakes } => {
                let first = mistakes.first().map_or(1, |mistake| mistake.line);
                vec![("file", label.clone()), ("line", first.to_string())]
            }
            Self::TimeframeNotInStrategy { has, .. } => vec![("timeframes", has.clone())],
            Self::Operation(error) => error.metadata(),
            Self::Data(error) => error.metadata(),
            Self::Store(error) => error.metadata(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NotSent { source, .. } | Self::NotStarted { source, .. } => source.retry_after(),
            Self::Data(error) => error.retry_after(),
            _ => None,
        }
    }
}
