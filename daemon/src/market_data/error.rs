//! What can be wrong with a request for bars.

use std::sync::Arc;

use ktrdr_proto::reason::{self, Reason};

use crate::{
    error::Reasoned,
    gateway::GatewayError,
    model::{Basis, InvalidSymbol, SeriesKey, Session, Symbol, Timeframe, WhatToShow},
    operations::OperationError,
    store::{SeriesState, Store, StoreError},
};

/// An error of this layer, or of one below that stopped it.
#[derive(Debug, thiserror::Error)]
pub enum MarketDataError {
    /// Not a symbol.
    #[error(transparent)]
    Symbol(#[from] InvalidSymbol),
    /// Missing or unknown.
    #[error("the timeframe is missing or unknown")]
    Timeframe,
    /// The gateway has no live bars of it.
    #[error("live bars are 5s long or longer, not {timeframe}")]
    NotLive {
        /// Their size.
        timeframe: Timeframe,
    },
    /// Of whose market nothing is known.
    #[error("no calendar is known for {name:?}")]
    Calendar {
        /// As asked, cut.
        name: String,
    },
    /// Another field is wrong.
    #[error("{0}")]
    Request(&'static str),
    /// The end is not after the start.
    #[error("the end of the range is not after its start")]
    RangeInvalid,
    /// It begins after now.
    #[error("the range begins in the future")]
    RangeInFuture,
    /// Beyond what IB keeps.
    #[error("IB keeps bars of {timeframe} for six months only")]
    TooOld {
        /// Their size.
        timeframe: Timeframe,
    },
    /// Such prices do not exist.
    #[error("IB has no {} of {symbol}", what.name())]
    Prices {
        /// Of what.
        symbol: Symbol,
        /// Which.
        what: WhatToShow,
    },
    /// IB refuses an end date for it, so its history cannot be had in parts.
    #[error(
        "{symbol} is a continuous future: IB gives its history in one piece up to now only; load single contracts such as {example}"
    )]
    Continuous {
        /// Which.
        symbol: Symbol,
        /// A contract of the same family, as it is typed.
        example: String,
    },
    /// Nothing is stored.
    #[error("no bars of {key} are stored{}", also(there))]
    SeriesNotFound {
        /// Which.
        key: SeriesKey,
        /// Of the same symbol.
        there: Vec<Timeframe>,
    },
    /// Its bars are of another kind.
    #[error("{key} is stored with {stored}, not with {asked}")]
    SessionMismatch {
        /// Which.
        key: SeriesKey,
        /// What is stored.
        stored: Basis,
        /// What was asked for.
        asked: Basis,
    },
    /// New prices are stored ones times a number.
    #[error(
        "the new prices of {key} fit a {new}-for-{old} split since the stored ones were loaded ({bars} bars compared)"
    )]
    SplitSuspected {
        /// Which.
        key: SeriesKey,
        /// Shares afterwards.
        new: u32,
        /// Shares before.
        old: u32,
        /// Compared.
        bars: usize,
    },
    /// The same without a split that explains it.
    #[error(
        "the stored prices of {key} are {ratio:.4} times the new ones, all {bars} that both have: its adjustment has changed"
    )]
    AdjustmentChanged {
        /// Which.
        key: SeriesKey,
        /// Stored by new.
        ratio: f64,
        /// Compared.
        bars: usize,
    },
    /// An answer lacks too much of what is stored.
    #[error("{vanished} of {of} stored bars of {key} are absent in what came for their time; nothing was changed")]
    Vanished {
        /// Which.
        key: SeriesKey,
        /// Absent ones.
        vanished: u64,
        /// Stored ones.
        of: u64,
    },
    /// Nothing of it was ever replaced on purpose, or nobody remembers.
    #[error("nothing of {key} was replaced that could be restored")]
    NothingKept {
        /// Which.
        key: SeriesKey,
    },
    /// Another operation writes it.
    #[error("{key} is being written by operation {operation}")]
    SeriesBusy {
        /// Which.
        key: SeriesKey,
        /// By whom.
        operation: String,
    },
    /// Live bars waited for the end of another operation until there were too many.
    #[error("the series was being written by another operation for too long")]
    Behind,
    /// The name of a file tells neither symbol nor timeframe.
    #[error("the name {label:?} does not tell symbol and timeframe")]
    FileName {
        /// Its last part, cut.
        label: String,
    },
    /// No such zone.
    #[error("there is no time zone {name:?}")]
    TimeZone {
        /// As sent, cut.
        name: String,
    },
    /// No row of the file could be stored.
    #[error("no bar of {label:?} could be stored")]
    NothingStored {
        /// Its last part, cut.
        label: String,
    },
    /// From the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// From the gateway.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// From the registry.
    #[error(transparent)]
    Operation(#[from] OperationError),
    /// Other imports hold all the memory that they may have together.
    #[error("the imports that are under way hold as much as they may together")]
    TooManyUploads,
    /// A blocking task of ours ended badly.
    #[error("the request met a defect")]
    Defect,
}

impl MarketDataError {
    /// The case that the ledger knows, when bars are of two scales.
    pub(super) fn scale_case(&self) -> Option<&'static str> {
        match self {
            Self::SplitSuspected { .. } => Some("split"),
            Self::AdjustmentChanged { .. } => Some("adjustment"),
            _ => None,
        }
    }

    /// With what is stored of the symbol instead.
    pub(super) fn not_found(store: &Store, key: SeriesKey) -> Self {
        let all = store.list().into_iter().filter(|(other, state)| other.symbol == key.symbol && state.bars() > 0);
        Self::SeriesNotFound { there: all.map(|(other, _)| other.timeframe).collect(), key }
    }
}

/// A series that has bars.
pub(super) fn stored(store: &Store, key: &SeriesKey) -> Result<Arc<SeriesState>, MarketDataError> {
    let state = store.state(key).filter(|state| state.bars() > 0);
    state.ok_or_else(|| MarketDataError::not_found(store, key.clone()))
}

fn also(there: &[Timeframe]) -> String {
    let there: Vec<String> = there.iter().map(Timeframe::to_string).collect();
    if there.is_empty() { String::new() } else { format!("; of the symbol there are {}", there.join(", ")) }
}

impl Reasoned for MarketDataError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::Symbol(_) => &reason::SYMBOL_INVALID,
            Self::Timeframe | Self::NotLive { .. } => &reason::TIMEFRAME_INVALID,
            Self::Request(_) | Self::TimeZone { .. } | Self::Continuous { .. } => &reason::REQUEST_INVALID,
            Self::RangeInvalid => &reason::RANGE_INVALID,
            Self::RangeInFuture => &reason::RANGE_IN_FUTURE,
            Self::Prices { .. } => &reason::WHAT_TO_SHOW_UNAVAILABLE,
            Self::TooOld { .. } => &reason::HISTORY_UNAVAILABLE,
            Self::SeriesNotFound { .. } => &reason::SERIES_NOT_FOUND,
            Self::Calendar { .. } => &reason::CALENDAR_UNKNOWN,
            Self::SessionMismatch { .. } => &reason::SESSION_MISMATCH,
            Self::NothingKept { .. } => &reason::NOTHING_KEPT,
            Self::SplitSuspected { .. } => &reason::SPLIT_SUSPECTED,
            Self::AdjustmentChanged { .. } => &reason::ADJUSTMENT_CHANGED,
            Self::Vanished { .. } => &reason::BARS_VANISHED,
            Self::SeriesBusy { .. } | Self::Behind => &reason::SERIES_BUSY,
            Self::FileName { .. } => &reason::FILE_NAME_UNRECOGNISED,
            Self::NothingStored { .. } => &reason::NOTHING_STORED,
            Self::Store(error) => error.reason(),
            Self::Gateway(error) => error.reason(),
            Self::Operation(error) => error.reason(),
            Self::TooManyUploads => &reason::TOO_MANY_UPLOADS,
            Self::Defect => &reason::INTERNAL,
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        let series =
            |key: &SeriesKey| vec![("symbol", key.symbol.to_string()), ("timeframe", key.timeframe.to_string())];
        match self {
            Self::SeriesNotFound { key, .. }
            | Self::NothingKept { key }
            | Self::SplitSuspected { key, .. }
            | Self::AdjustmentChanged { key, .. }
            | Self::Vanished { key, .. } => series(key),
            Self::SeriesBusy { key, operation } => {
                let mut metadata = series(key);
                metadata.push(("operation", operation.clone()));
                metadata
            }
            Self::SessionMismatch { key, stored, .. } => {
                let hours = match stored.session {
                    Session::AllHours => "without --trading-hours",
                    Session::RegularHours => "with --trading-hours",
                };
                let mut metadata = series(key);
                metadata.push(("stored", stored.to_string()));
                metadata.push(("flags", format!("{hours}, --what {}", stored.what.name())));
                metadata
            }
            Self::Store(error) => error.metadata(),
            Self::Gateway(error) => error.metadata(),
            Self::Operation(error) => error.metadata(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            Self::Gateway(error) => error.retry_after(),
            Self::Store(error) => error.retry_after(),
            Self::Operation(error) => error.retry_after(),
            _ => None,
        }
    }
}
