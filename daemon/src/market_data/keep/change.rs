//! Bars that are taken away or replaced on purpose. What was there is kept, and can be restored.

use std::collections::BTreeMap;

use super::{Keeper, trust::lacks_too_much};
use crate::{
    market_data::MarketDataError,
    model::{Bars, Nanos, Source, TimeRange},
    store::{Aside, Commit, CoverageKind, RevisionRow, SeriesState},
};

/// A whole series, told anew.
#[derive(Debug)]
pub(in crate::market_data) struct Anew {
    pub(in crate::market_data) operation: String,
    pub(in crate::market_data) why: String,
    pub(in crate::market_data) years: BTreeMap<i16, Bars>,
    pub(in crate::market_data) cover: Vec<(TimeRange, CoverageKind)>,
    /// Why, for the ledger.
    pub(in crate::market_data) revision: RevisionRow,
}

impl Keeper {
    /// Replaces all of a series; the old files are kept. Blocks.
    pub(in crate::market_data) fn replace(&mut self, anew: Anew, state: &SeriesState) -> Result<(), MarketDataError> {
        let mut years = anew.years;
        let told: u64 = years.values().map(|bars| bars.len() as u64).sum();
        let vanished = state.bars().saturating_sub(told);
        if lacks_too_much(vanished, state.bars()) {
            return Err(MarketDataError::Vanished { key: self.key.clone(), vanished, of: state.bars() });
        }
        for year in state.years_in(&TimeRange::ALL) {
            years.entry(year).or_default();
        }
        self.recent = None;
        let Anew { operation, why, cover, revision, .. } = anew;
        let commit = Commit {
            basis: state.basis,
            source: Source::Gateway,
            assumed: false,
            years: years.into_iter().collect(),
            cover,
            uncover: vec![TimeRange::ALL],
            aside: Aside::Kept { operation, why },
            as_of: revision.at,
            revisions: vec![revision],
            import: None,
        };
        Ok(self.store.commit(&self.key, commit)?)
    }

    /// Takes single bars away; what is known of their time stays. The old files are kept. Blocks.
    pub(in crate::market_data) fn drop_bars(
        &mut self,
        starts: &[Nanos],
        operation: &str,
        why: &str,
        now: Nanos,
    ) -> Result<u64, MarketDataError> {
        let (Some(first), Some(last)) = (starts.first(), starts.last()) else { return Ok(0) };
        let range = TimeRange::new(*first, last.saturating_add(1)).map_err(|_| MarketDataError::RangeInvalid)?;
        self.take_away(&range, |start| starts.binary_search(&start).is_ok(), Vec::new(), (operation, why, now))
    }

    /// Takes a range away, and what is known of it. The old files are kept. Blocks.
    pub(in crate::market_data) fn delete(
        &mut self,
        range: &TimeRange,
        operation: &str,
        why: &str,
        now: Nanos,
    ) -> Result<u64, MarketDataError> {
        self.take_away(range, |start| range.contains(start), vec![*range], (operation, why, now))
    }

    /// How many bars a range holds. Blocks.
    pub(in crate::market_data) fn count(&mut self, range: &TimeRange) -> Result<u64, MarketDataError> {
        let Some(state) = self.store.state(&self.key) else { return Ok(0) };
        let mut count = 0;
        for year in state.years_in(range) {
            count += self.look(year)?.rows_in(range).len() as u64;
        }
        Ok(count)
    }

    fn take_away(
        &mut self,
        range: &TimeRange,
        goes: impl Fn(Nanos) -> bool,
        uncover: Vec<TimeRange>,
        (operation, why, now): (&str, &str, Nanos),
    ) -> Result<u64, MarketDataError> {
        let Some(state) = self.store.state(&self.key) else { return Ok(0) };
        let (mut years, mut gone) = (Vec::new(), 0);
        for year in state.years_in(range) {
            let bars = self.store.read_year(&self.key, year)?;
            let left: Bars = bars.iter().filter(|bar| !goes(bar.start)).collect();
            gone += (bars.len() - left.len()) as u64;
            if left.len() < bars.len() {
                years.push((year, left));
            }
        }
        if gone == 0 && uncover.is_empty() {
            return Ok(0);
        }
        self.recent = None;
        let commit = Commit {
            basis: state.basis,
            source: state.source,
            assumed: state.assumed,
            years,
            cover: Vec::new(),
            uncover,
            aside: Aside::Kept { operation: operation.into(), why: why.into() },
            revisions: Vec::new(),
            import: None,
            as_of: now,
        };
        self.store.commit(&self.key, commit)?;
        Ok(gone)
    }
}
