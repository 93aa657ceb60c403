//! New bars into the store: read the years they touch, merge, commit.
//!
//! `trust` says what is not believed, `change` takes away and replaces on purpose.

mod change;
mod trust;

use std::collections::BTreeMap;

use super::{
    MarketDataError,
    merge::{Report, merge},
    revise::Revisions,
};
use crate::{
    model::{Bars, Basis, Coverage, Nanos, SeriesKey, Source, TimeRange},
    store::{Aside, Commit, CoverageKind, ImportRow, Store, StoreError, year_of, year_range, year_start},
};
pub(super) use change::Anew;

/// Writes one series; its owner is the only writer.
#[derive(Debug)]
pub(super) struct Keeper {
    store: Store,
    key: SeriesKey,
    /// The year written last, as it is stored: most steps of a load go on in it.
    recent: Option<(i16, Bars)>,
    /// Damaged years, as far as they have come again.
    rescued: BTreeMap<i16, Rescue>,
}

/// A damaged year is replaced once all of what it held was delivered again. Until then it stays damaged: a part of it
/// must not be served as if it were whole.
#[derive(Debug)]
struct Rescue {
    bars: Bars,
    delivered: Coverage,
    /// From its first recorded bar to its last.
    held: TimeRange,
    cover: Vec<(TimeRange, CoverageKind)>,
    error: StoreError,
}

/// What becomes durable together.
#[derive(Debug)]
pub(super) struct Delivery {
    /// Whose it is; `live` for live bars.
    pub(super) operation: String,
    pub(super) basis: Basis,
    pub(super) source: Source,
    pub(super) assumed: bool,
    pub(super) bars: Bars,
    /// All bars that came, for the comparison with stored ones, where `bars` are only some of them.
    pub(super) evidence: Option<Bars>,
    /// What was asked for; bars outside it are ignored.
    pub(super) range: TimeRange,
    pub(super) cover: Vec<(TimeRange, CoverageKind)>,
    pub(super) as_of: Nanos,
    /// For an import; its counts are filled in here.
    pub(super) import: Option<ImportRow>,
    /// Why, where files whose bars are revised are kept, to be restored.
    pub(super) keep_old: Option<&'static str>,
}

impl Keeper {
    pub(super) fn new(store: Store, key: SeriesKey) -> Self {
        Self { store, key, recent: None, rescued: BTreeMap::new() }
    }

    /// Merges and commits, or changes nothing: bars of another scale are never mixed in, and an answer that lacks much of
    /// what is stored is not believed. Blocks.
    pub(super) fn keep(&mut self, mut delivery: Delivery) -> Result<Report, MarketDataError> {
        self.find_damage(&delivery.range)?;
        self.check_scale(delivery.evidence.as_ref().unwrap_or(&delivery.bars))?;
        let state = self.store.state(&self.key);
        let mut revisions = Revisions::new(state.as_deref(), delivery.source);
        let mut report = Report::default();
        let (mut years, mut uncover, mut cover) = (Vec::new(), Vec::new(), std::mem::take(&mut delivery.cover));
        for (year, rows) in by_year(&delivery.bars) {
            let bars = delivery.bars.slice(rows);
            if let Some(rescue) = self.rescued.get_mut(&year) {
                let (merged, one) = merge(&rescue.bars, &bars, &delivery.range, |_| {});
                (rescue.bars, report) = (merged, report + one);
                continue;
            }
            let (merged, one) = merge(&self.stored(year)?, &bars, &delivery.range, |one| revisions.note(one));
            report = report + one;
            if one.added + one.revised > 0 {
                years.push((year, merged));
            }
        }
        self.check_vanished(&delivery, state.as_deref(), report)?;
        let last = years.last().cloned();
        for (year, rescue) in self.rescue(&delivery.range, &mut cover) {
            uncover.extend(year_range(year));
            cover.extend(rescue.cover);
            years.push((year, rescue.bars));
        }
        self.recent = None; // unknown until the commit has succeeded
        let aside = match delivery.keep_old {
            _ if !uncover.is_empty() => Aside::Damaged,
            Some(why) => Aside::Kept { operation: delivery.operation.clone(), why: why.into() },
            None => Aside::Gone,
        };
        let revisions = revisions.rows(&delivery.operation, delivery.source, delivery.as_of);
        self.store.commit(
            &self.key,
            Commit {
                basis: delivery.basis,
                source: delivery.source,
                assumed: delivery.assumed,
                years,
                cover,
                uncover,
                aside,
                revisions,
                import: delivery.import.map(|row| ImportRow { added: report.added, revised: report.revised, ..row }),
                as_of: delivery.as_of,
            },
        )?;
        self.recent = last;
        Ok(report)
    }

    /// The damage that is left: of years that did not come again as a whole.
    pub(super) fn damage(&mut self) -> Option<StoreError> {
        std::mem::take(&mut self.rescued).into_values().next().map(|rescue| rescue.error)
    }

    /// Years of the range whose files are not what the ledger says begin anew.
    fn find_damage(&mut self, range: &TimeRange) -> Result<(), StoreError> {
        let Some(state) = self.store.state(&self.key) else { return Ok(()) };
        for year in state.years_in(&whole_years(range)) {
            let known_good = self.recent.as_ref().is_some_and(|(recent, _)| *recent == year);
            if known_good || self.rescued.contains_key(&year) {
                continue;
            }
            match self.store.verify_year(&self.key, year) {
                Ok(()) => {}
                Err(error @ StoreError::Damaged { .. }) => {
                    let Some(held) = state.held_in(year) else { continue };
                    let (bars, delivered, cover) = (Bars::default(), Coverage::default(), Vec::new());
                    self.rescued.insert(year, Rescue { bars, delivered, held, cover, error });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes out of `cover` what belongs to damaged years, and returns those that are whole again.
    fn rescue(&mut self, range: &TimeRange, cover: &mut Vec<(TimeRange, CoverageKind)>) -> Vec<(i16, Rescue)> {
        for (year, rescue) in &mut self.rescued {
            let Some(own) = year_range(*year) else { continue };
            if let Some(part) = range.intersection(&own) {
                rescue.delivered.insert(part);
            }
            let mut others = Vec::with_capacity(cover.len());
            for (covered, kind) in cover.drain(..) {
                rescue.cover.extend(covered.intersection(&own).map(|part| (part, kind)));
                others.extend(covered.without(&own).map(|part| (part, kind)));
            }
            *cover = others;
        }
        let whole = |rescue: &Rescue| rescue.delivered.missing(&rescue.held).is_empty() && !rescue.bars.is_empty();
        let done: Vec<i16> = self.rescued.iter().filter(|(_, one)| whole(one)).map(|(year, _)| *year).collect();
        done.into_iter().filter_map(|year| self.rescued.remove(&year).map(|rescue| (year, rescue))).collect()
    }

    /// The bars of a year, read once.
    fn look(&mut self, year: i16) -> Result<&Bars, StoreError> {
        let known = self.recent.take_if(|(recent, _)| *recent == year);
        let read = |store: &Store, key| Ok::<_, StoreError>((year, store.read_year(key, year)?));
        let known = known.map_or_else(|| read(&self.store, &self.key), Ok)?;
        Ok(&self.recent.insert(known).1)
    }

    fn stored(&mut self, year: i16) -> Result<Bars, StoreError> {
        match self.recent.take_if(|(recent, _)| *recent == year) {
            Some((_, bars)) => Ok(bars),
            None => self.store.read_year(&self.key, year),
        }
    }
}

/// The range, widened to full years.
pub(super) fn whole_years(range: &TimeRange) -> TimeRange {
    let (first, last) = (year_of(range.start()), year_of(range.end().saturating_sub(1)));
    TimeRange::new(year_start(first), year_start(last.saturating_add(1))).unwrap_or(*range)
}

/// Runs of rows with one year, in order.
pub(super) fn by_year(bars: &Bars) -> Vec<(i16, std::ops::Range<usize>)> {
    let mut runs = Vec::new();
    let mut from = 0;
    while let Some(start) = bars.start.get(from) {
        let year = year_of(*start);
        let next = year_start(year.saturating_add(1));
        let to = bars.start.partition_point(|start| *start < next).max(from + 1);
        runs.push((year, from..to));
        from = to;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::*, store::Layout};

    #[test]
    fn a_damaged_year_is_replaced_once_all_of_it_came_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Layout::new(folder.path().to_path_buf())).unwrap();
        let key = SeriesKey { symbol: Symbol::parse("AAPL").unwrap(), timeframe: Timeframe::Days1 };
        let delivery = |from: i64, days: i64| {
            let at = year_start(2024) + from * DAY;
            let bar = |day| Bar { start: at + day * DAY, open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: None };
            let range = TimeRange::new(at, at + days * DAY).unwrap();
            Delivery {
                basis: Basis { session: Session::AllHours, what: WhatToShow::Trades },
                source: Source::Gateway,
                assumed: false,
                bars: (0..days).map(bar).collect(),
                range,
                cover: vec![(range, CoverageKind::Bars)],
                as_of: 0,
                import: None,
                evidence: None,
                operation: "test".into(),
                keep_old: None,
            }
        };
        Keeper::new(store.clone(), key.clone()).keep(delivery(0, 200)).unwrap();
        std::fs::write(Layout::new(folder.path().to_path_buf()).partition(&key, 2024), "damage").unwrap();
        assert!(store.read_year(&key, 2024).is_err());

        // a part of it: still damaged, and said so
        let mut keeper = Keeper::new(store.clone(), key.clone());
        keeper.keep(delivery(200, 1)).unwrap();
        assert!(matches!(keeper.damage(), Some(StoreError::Damaged { year: 2024, .. })));
        assert!(store.read_year(&key, 2024).is_err());

        // all of it, in pieces
        let mut keeper = Keeper::new(store.clone(), key.clone());
        for from in [150, 100, 50] {
            keeper.keep(delivery(from, 50)).unwrap();
            assert!(store.read_year(&key, 2024).is_err(), "whole only at the end");
        }
        keeper.keep(delivery(0, 50)).unwrap();
        assert!(keeper.damage().is_none());
        assert_eq!(store.read_year(&key, 2024).unwrap().len(), 200);
        assert_eq!(std::fs::read_dir(folder.path().join("damaged")).unwrap().count(), 1, "the damaged file is kept");
    }
}
