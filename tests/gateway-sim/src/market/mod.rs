//! The simulated market: which contracts exist, when they trade and what they cost.
//!
//! Nothing here knows of sockets, frames or requests; `tests/layers.rs` keeps it so.

mod bar;
mod calendar;
mod contract;
mod csv;
mod currencies;
mod generate;
mod hours;
mod noise;
mod period;
mod replay;
mod schedule;
mod span;
#[cfg(test)]
mod tests;
mod universe;
mod zone;

use std::path::Path;
use std::sync::Arc;

pub(crate) use bar::{Bar, BarSize, Stamp, What};
pub(crate) use contract::{Contract, Query, SecurityType};
pub(crate) use hours::hours;
pub(crate) use replay::ReplayError;
pub(crate) use span::Span;

use contract::Prices;

/// Bars up to this size are kept for half a year only.
const SMALL_BAR_SECONDS: i64 = 30;
const SMALL_BAR_DEPTH_SECONDS: i64 = 183 * 86_400;

/// Everything that can be asked for, fixed at start.
#[derive(Debug)]
pub(crate) struct Market {
    contracts: Vec<Arc<Contract>>,
    seed: u64,
}

/// One question for bars: what ends before `end`, looking back over `span`.
#[derive(Clone, Debug)]
pub(crate) struct BarQuery {
    pub(crate) contract: Arc<Contract>,
    pub(crate) size: BarSize,
    pub(crate) span: Span,
    pub(crate) what: What,
    pub(crate) regular: bool,
    /// Epoch seconds, exclusive.
    pub(crate) end: i64,
    /// Epoch seconds: nothing generated happens at or after it.
    pub(crate) now: i64,
}

impl Market {
    /// The built-in contracts, each replaced by the replayed one of the same name where there is one.
    pub(crate) fn open(seed: u64, replay: Option<&Path>) -> Result<Self, ReplayError> {
        let replayed = replay.map(replay::read_folder).transpose()?.unwrap_or_default();
        let mut contracts: Vec<_> = universe::contracts().into_iter().map(Arc::new).collect();
        contracts.retain(|built_in| !replayed.iter().any(|other| built_in.names_same_asset(other)));
        contracts.extend(replayed.into_iter().map(Arc::new));
        Ok(Self { contracts, seed })
    }

    pub(crate) fn find(&self, query: &Query) -> Vec<Arc<Contract>> {
        self.contracts.iter().filter(|contract| query.matches(contract)).cloned().collect()
    }

    pub(crate) fn search(&self, pattern: &str) -> Vec<Arc<Contract>> {
        self.contracts.iter().filter(|contract| contract.is_like(pattern)).cloned().collect()
    }

    /// The bars a query covers, ascending. Empty when there are none.
    pub(crate) fn bars(&self, query: &BarQuery) -> Vec<Bar> {
        match &query.contract.prices {
            Prices::Replayed(files) => {
                files.get(query.size).map_or_else(Vec::new, |series| series.slice(query, &query.contract.schedule))
            }
            Prices::Generated(tape) => tape.bars(self.seed, query),
        }
    }
}

impl Contract {
    /// Start of the earliest data, epoch seconds.
    pub(crate) fn head(&self) -> Option<i64> {
        match &self.prices {
            Prices::Replayed(files) => files.head(),
            Prices::Generated(tape) => Some(tape.head),
        }
    }
}
