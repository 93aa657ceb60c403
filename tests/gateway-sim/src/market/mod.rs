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
mod live;
mod noise;
mod period;
mod replay;
mod rules;
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
pub(crate) use currencies::pair;
pub(crate) use hours::hours;
pub(crate) use live::Follower;
pub(crate) use replay::ReplayError;
pub(crate) use rules::price_steps;
pub(crate) use schedule::WallSession;
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
    /// `always_open` lets the built-in ones trade at all hours of every day.
    /// Which futures there are follows from `now`, epoch seconds.
    pub(crate) fn open(seed: u64, replay: Option<&Path>, always_open: bool, now: i64) -> Result<Self, ReplayError> {
        let replayed = replay.map(replay::read_folder).transpose()?.unwrap_or_default();
        let mut built_in = universe::contracts(now);
        if always_open {
            for contract in &mut built_in {
                contract.schedule.never_close();
            }
        }
        let mut contracts: Vec<_> = built_in.into_iter().map(Arc::new).collect();
        contracts.retain(|built_in| !replayed.iter().any(|other| built_in.names_same_asset(other)));
        contracts.extend(replayed.into_iter().map(Arc::new));
        Ok(Self { contracts, seed })
    }

    pub(crate) fn find(&self, query: &Query, now: i64) -> Vec<Arc<Contract>> {
        let lives = |contract: &Contract| query.may_have_expired() || !contract.has_expired(now);
        self.contracts.iter().filter(|contract| query.matches(contract) && lives(contract)).cloned().collect()
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

impl BarQuery {
    /// The sessions it covers, by the exchange's wall clock.
    pub(crate) fn sessions(&self) -> Vec<WallSession> {
        let schedule = &self.contract.schedule;
        let head = self.contract.head().unwrap_or(self.end);
        let first = period::first_date(schedule, self.regular, self.end, self.span, head);
        let sessions = schedule.starting(first, self.regular);
        sessions.take_while(|session| session.open < self.end).map(|session| schedule.wall(session)).collect()
    }
}

impl Contract {
    pub(crate) fn has_expired(&self, now: i64) -> bool {
        self.last_day.is_some_and(|day| day < self.schedule.local_date(now))
    }

    /// Start of the earliest data, epoch seconds.
    pub(crate) fn head(&self) -> Option<i64> {
        match &self.prices {
            Prices::Replayed(files) => files.head(),
            Prices::Generated(tape) => Some(tape.head),
        }
    }
}
