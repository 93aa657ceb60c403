//! What can be asked of a load.

use serde::{Deserialize, Serialize};

use crate::{
    market_data::plan::Order,
    model::{Basis, Nanos, SeriesKey},
};

/// What a load brings in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// From the last known instant up to now.
    Tail,
    /// From the earliest bar there is up to the first stored one.
    Backfill,
    /// From the earliest bar there is up to now, holes included.
    Full,
    /// Nothing is fetched.
    Local,
}

impl Mode {
    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tail => "tail",
            Self::Backfill => "backfill",
            Self::Full => "full",
            Self::Local => "local",
        }
    }
}

/// What to do when what comes is of another scale than what is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnSplit {
    /// Fail, and change nothing.
    #[default]
    Fail,
    /// Load the whole series anew.
    Refetch,
}

/// A checked request.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadRequest {
    /// Which series.
    pub key: SeriesKey,
    /// What to bring in; with a bound, only the order of the steps.
    pub mode: Mode,
    /// First wanted instant.
    pub start: Option<Nanos>,
    /// First instant not wanted.
    pub end: Option<Nanos>,
    /// Session and prices.
    pub basis: Basis,
    /// When what comes is of another scale.
    pub on_split: OnSplit,
    /// Ask also for what is known, and compare.
    pub verify: bool,
}

impl LoadRequest {
    /// Neither a start nor an end was given.
    pub(super) fn is_undated(&self) -> bool {
        self.start.is_none() && self.end.is_none()
    }

    pub(super) fn order(&self) -> Order {
        let oldest_first = self.mode == Mode::Tail && self.is_undated();
        if oldest_first { Order::OldestFirst } else { Order::NewestFirst }
    }
}
