//! Where an answer disagrees with stored bars, as the ledger keeps it (pure): counted by case, with a few examples.

use serde::{Deserialize, Serialize};

use super::merge::{Case, Disagreement};
use crate::{
    model::{Bar, Nanos, Source},
    store::{RevisionRow, SeriesState},
};

/// Examples of each case.
const EXAMPLES: usize = 20;

/// One bar before and after. Prices are open, high, low and close.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Example {
    /// Its start.
    pub start: Nanos,
    /// As it was stored.
    pub stored: ([f64; 4], Option<f64>),
    /// As it was told; absent when it was not.
    pub told: Option<([f64; 4], Option<f64>)>,
}

impl From<Disagreement> for Example {
    fn from(one: Disagreement) -> Self {
        let values = |bar: Bar| ([bar.open, bar.high, bar.low, bar.close], bar.volume);
        Self { start: one.stored.start, stored: values(one.stored), told: one.told.map(values) }
    }
}

/// Disagreements of one delivery.
#[derive(Debug)]
pub(super) struct Revisions {
    /// Start of the newest stored bar.
    newest: Option<Nanos>,
    other_source: bool,
    found: Vec<Found>,
}

#[derive(Debug)]
struct Found {
    case: Case,
    bars: u64,
    first: Nanos,
    last: Nanos,
    examples: Vec<Example>,
}

impl Revisions {
    /// Of bars from `source` against a series.
    pub(super) fn new(state: Option<&SeriesState>, source: Source) -> Self {
        let other_source = state.is_some_and(|state| state.source != source);
        Self { newest: state.and_then(SeriesState::last), other_source, found: Vec::new() }
    }

    pub(super) fn note(&mut self, one: Disagreement) {
        let start = one.stored.start;
        let case = match one.case {
            Case::Revised if self.other_source => Case::OtherSource,
            Case::Revised if Some(start) == self.newest => Case::RevisedLast,
            case => case,
        };
        let at = self.found.iter().position(|found| found.case == case).unwrap_or_else(|| {
            self.found.push(Found { case, bars: 0, first: start, last: start, examples: Vec::new() });
            self.found.len() - 1
        });
        let found = &mut self.found[at];
        found.bars += 1;
        (found.first, found.last) = (found.first.min(start), found.last.max(start));
        if found.examples.len() < EXAMPLES {
            found.examples.push(one.into());
        }
    }

    pub(super) fn rows(self, operation: &str, source: Source, at: Nanos) -> Vec<RevisionRow> {
        let row = |found: Found| RevisionRow {
            at,
            operation: operation.into(),
            source,
            kind: found.case.name().into(),
            bars: found.bars,
            first: found.first,
            last: found.last,
            examples: serde_json::to_string(&found.examples).unwrap_or_default(),
        };
        self.found.into_iter().map(row).collect()
    }
}
