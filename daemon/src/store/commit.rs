//! Writing bars, in an order in which a crash at any moment loses nothing and claims nothing:
//!
//! 1. stage and sync the new files; 2. announce their checksums in the ledger; 3. rename, sync the folders;
//! 4. record files and coverage in one transaction; 5. only then tell anyone.
//!
//! Killed after 3, a file equals its announcement and is adopted at the next start. Killed before, nothing happened. A year
//! without bars is announced as an empty file, and removed in 3. What is replaced on purpose has a second name before 2.

use std::{collections::BTreeMap, sync::PoisonError, time::Instant};

use super::{
    ImportRow, RevisionRow, SeriesState, Store, StoreError,
    files::{self, Replaced},
    ledger::{
        self, PartitionRow,
        series::{self, Files},
    },
    staging::{Coming, kept_rows, staged_name},
    year_range,
};
use crate::{
    metrics::metrics,
    model::{Bars, Basis, Coverage, Nanos, SeriesKey, Source, TimeRange},
};

/// Why an interval counts as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoverageKind {
    /// The source answered with bars.
    Bars,
    /// Asked, and there is nothing.
    None,
}

impl CoverageKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bars => "bars",
            Self::None => "none",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Bars, Self::None].into_iter().find(|kind| kind.name() == text)
    }
}

/// What becomes of the files that are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aside {
    /// Nothing: the new ones hold all that was good in them.
    Gone,
    /// They are damaged: somebody may want to look at them.
    Damaged,
    /// They are kept, so that it can be undone.
    Kept {
        /// Who replaces them.
        operation: String,
        /// Why, for people.
        why: String,
    },
}

/// What becomes true together.
#[derive(Debug)]
pub struct Commit {
    /// Session and prices.
    pub basis: Basis,
    /// Where the new bars came from.
    pub source: Source,
    /// The basis was inferred.
    pub assumed: bool,
    /// All bars of each year that changes, sorted; none: the year is removed.
    pub years: Vec<(i16, Bars)>,
    /// Intervals that are known from now on.
    pub cover: Vec<(TimeRange, CoverageKind)>,
    /// Intervals whose knowledge is void. Void before the rename.
    // a damaged or a refetched partition does not hold what was known of the old one
    pub uncover: Vec<TimeRange>,
    /// What becomes of the old files.
    pub aside: Aside,
    /// Where the new bars disagree with stored ones.
    pub revisions: Vec<RevisionRow>,
    /// Provenance, for imports.
    pub import: Option<ImportRow>,
    /// When the source was asked.
    pub as_of: Nanos,
}

/// A file that took its place.
struct Done {
    file: PartitionRow,
    replaced: Replaced,
}

fn put(state: &mut SeriesState, file: PartitionRow) {
    if file.is_nothing() {
        state.partitions.remove(&file.year);
    } else {
        state.partitions.insert(file.year, file);
    }
}

/// Whether the old file is in its place again.
fn put_back(replaced: Replaced) -> bool {
    replaced.put_back().inspect_err(|error| tracing::error!(%error, "cannot put the old file back")).is_ok()
}

impl Store {
    /// Makes a commit durable, or changes nothing when the disk is full. The caller is the only writer of the series. Blocks.
    pub fn commit(&self, key: &SeriesKey, commit: Commit) -> Result<(), StoreError> {
        let begun = Instant::now();
        let bars = commit.years.iter().map(|(_, bars)| bars.len()).sum();
        self.commit_durably(key, commit)?;
        metrics().committed(bars, begun.elapsed());
        Ok(())
    }

    fn commit_durably(&self, key: &SeriesKey, mut commit: Commit) -> Result<(), StoreError> {
        let before = self.state(key);
        if before.as_deref().is_some_and(|state| state.basis != commit.basis) {
            // what is known of one session or kind of price says nothing about another
            commit.uncover.push(TimeRange::ALL);
        }
        let coming = self.stage(key, &commit, before.as_deref())?;
        let holds_bars = before.as_deref().is_some_and(|state| !state.partitions.is_empty());
        let brings_bars = !commit.years.is_empty();
        let (source, assumed) = match before.as_deref().filter(|_| holds_bars) {
            Some(_) if commit.uncover.contains(&TimeRange::ALL) => (commit.source, commit.assumed),
            Some(state) if brings_bars => (state.source.joined(commit.source), state.assumed && commit.assumed),
            Some(state) => (state.source, state.assumed),
            None => (commit.source, commit.assumed),
        };
        let id = self.announce(key, &commit, &coming, before.as_deref(), (source, assumed))?;

        let mut state = match before.as_deref() {
            Some(state) => state.clone(),
            None => SeriesState {
                basis: commit.basis,
                source,
                assumed,
                partitions: BTreeMap::new(),
                coverage: Coverage::default(),
            },
        };
        (state.basis, state.source, state.assumed) = (commit.basis, source, assumed);
        let series = self.enter(key, state.clone());

        let _files = series.files.write().unwrap_or_else(PoisonError::into_inner);
        let (uncover, cover) = (commit.uncover.clone(), commit.cover.clone());
        let mut replaced = Vec::with_capacity(coming.len());
        let names = coming.iter().filter_map(|coming| coming.kept.clone()).collect::<Vec<_>>();
        let renamed = self.replace_files(key, coming, commit.aside == Aside::Damaged, &mut replaced);
        let never_recorded = renamed.is_err();
        let files = replaced.iter().map(|one| one.file).collect();
        let outcome = renamed.and_then(|()| self.record(id, files, commit));
        for range in &uncover {
            state.coverage.remove(range);
        }
        match outcome {
            Ok(()) => {
                for one in &replaced {
                    put(&mut state, one.file);
                    self.mark_upload(key, one.file.year, one.file.is_nothing());
                }
                for (range, _) in cover {
                    state.coverage.insert(range);
                }
                series.replace(state);
                self.notice_change();
                Ok(())
            }
            Err(error) => {
                // A full disk must leave all as it was. After any other failure the ledger may or may not have the new
                // files; they stay, since both its recorded and its announced checksums are believed.
                let back = never_recorded || matches!(error, StoreError::Full { .. });
                let stays = |one: Done| (!back || !put_back(one.replaced)).then_some(one.file);
                replaced.into_iter().rev().filter_map(stays).for_each(|file| put(&mut state, file));
                if back {
                    self.forget_kept_names(key, &names);
                }
                if before.is_none() && state.partitions.is_empty() {
                    self.forget(key);
                } else {
                    series.replace(state);
                }
                Err(error)
            }
        }
    }

    /// Step 3. What took its place is in `replaced`, also when a later one does not.
    fn replace_files(
        &self,
        key: &SeriesKey,
        coming: Vec<Coming>,
        keep_damaged: bool,
        replaced: &mut Vec<Done>,
    ) -> Result<(), StoreError> {
        for Coming { file, staged, .. } in coming {
            let target = self.layout.partition(key, file.year);
            let old = match staged {
                Some(staged) => staged.publish(&self.layout, &target, keep_damaged)?,
                None => files::remove(&self.layout, &staged_name(key, file.year), &target)?,
            };
            replaced.push(Done { file, replaced: old });
        }
        Ok(())
    }

    /// Step 2. Nothing to rename needs no announcement, only the series itself.
    fn announce(
        &self,
        key: &SeriesKey,
        commit: &Commit,
        coming: &[Coming],
        before: Option<&SeriesState>,
        (source, assumed): (Source, bool),
    ) -> Result<i64, StoreError> {
        let (key, basis, uncover) = (key.clone(), commit.basis, commit.uncover.clone());
        let kept = before.map(|state| kept_rows(commit, coming, state)).unwrap_or_default();
        let files: Vec<_> = coming.iter().map(|coming| coming.file).collect();
        // memory knows what the files are, also after a step 4 that failed: a new announcement must not hide that
        let before: Vec<_> = files.iter().filter_map(|file| before?.partitions.get(&file.year).copied()).collect();
        self.ledger.call_blocking(move |ledger| {
            let id = series::upsert(ledger, &key, basis, source, assumed)?;
            for mut row in kept {
                if let Some(year) = year_range(row.year) {
                    row.coverage = series::covered_in(ledger, id, year)?;
                }
                ledger::kept::add(ledger, id, &row)?;
            }
            for range in uncover {
                series::uncover(ledger, id, range)?;
            }
            before.iter().try_for_each(|file| series::put_file(ledger, Files::Partition, id, file))?;
            files.iter().try_for_each(|file| series::put_file(ledger, Files::Pending, id, file))?;
            Ok(id)
        })
    }

    /// Step 4.
    fn record(&self, id: i64, files: Vec<PartitionRow>, commit: Commit) -> Result<(), StoreError> {
        self.ledger.call_blocking(move |ledger| {
            for file in &files {
                if file.is_nothing() {
                    series::drop_file(ledger, id, file.year)?;
                } else {
                    series::put_file(ledger, Files::Partition, id, file)?;
                }
                series::drop_pending(ledger, id, file.year)?;
                ledger::uploads::mark(ledger, id, file.year, file.is_nothing())?;
            }
            commit.revisions.iter().try_for_each(|row| ledger::revisions::add(ledger, id, row))?;
            for (range, kind) in &commit.cover {
                series::cover(ledger, id, *range, *kind, commit.source, commit.as_of)?;
            }
            commit.import.iter().try_for_each(|import| series::add_import(ledger, id, import))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Bar, Session, Symbol, Timeframe, WhatToShow},
        store::{Layout, year_start},
    };

    fn key() -> SeriesKey {
        SeriesKey { symbol: Symbol::parse("AAPL").unwrap(), timeframe: Timeframe::Days1 }
    }

    fn bars(year: i16, days: i64, close: f64) -> Bars {
        let start = year_start(year);
        (0..days)
            .map(|day| Bar {
                start: start + day * crate::model::DAY,
                open: 1.0,
                high: 9.0,
                low: 1.0,
                close,
                volume: None,
            })
            .collect()
    }

    fn range(year: i16, days: i64) -> TimeRange {
        TimeRange::new(year_start(year), year_start(year) + days * crate::model::DAY).unwrap()
    }

    fn commit(years: Vec<(i16, Bars)>, cover: Vec<TimeRange>) -> Commit {
        Commit {
            basis: Basis { session: Session::AllHours, what: WhatToShow::Trades },
            source: Source::Gateway,
            assumed: false,
            years,
            cover: cover.into_iter().map(|range| (range, CoverageKind::Bars)).collect(),
            uncover: Vec::new(),
            aside: Aside::Gone,
            revisions: Vec::new(),
            import: None,
            as_of: 0,
        }
    }

    fn open(folder: &tempfile::TempDir) -> Store {
        Store::open(Layout::new(folder.path().to_path_buf())).unwrap()
    }

    /// Steps 1 and 2, as `commit` does them.
    fn announced(store: &Store, next: &Commit) -> Vec<Coming> {
        let before = store.state(&key());
        let coming = store.stage(&key(), next, before.as_deref()).unwrap();
        store.announce(&key(), next, &coming, before.as_deref(), (Source::Gateway, false)).unwrap();
        coming
    }

    /// Everything but step 4; the files that took their places.
    fn renamed(store: &Store, next: &Commit) -> Vec<PartitionRow> {
        let publish = |Coming { file, staged, .. }| {
            staged.unwrap().publish(&store.layout, &store.layout.partition(&key(), file.year), false).unwrap();
            file
        };
        announced(store, next).into_iter().map(publish).collect()
    }

    #[test]
    fn what_was_committed_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let years = vec![(2023, bars(2023, 5, 2.0)), (2024, bars(2024, 3, 3.0))];
        open(&folder).commit(&key(), commit(years.clone(), vec![range(2023, 400)])).unwrap();

        let store = open(&folder);
        let state = store.state(&key()).unwrap();
        assert_eq!((state.bars(), state.coverage.intervals()), (8, &[range(2023, 400)][..]));
        assert_eq!(
            (state.first(), state.last()),
            (Some(year_start(2023)), Some(year_start(2024) + 2 * crate::model::DAY))
        );
        for (year, expected) in years {
            assert_eq!(store.read_year(&key(), year).unwrap(), expected);
        }
        assert_eq!(store.list().len(), 1);
    }

    #[test]
    fn a_rename_before_a_crash_is_adopted_and_claims_no_coverage() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        store.commit(&key(), commit(vec![(2024, bars(2024, 3, 3.0))], vec![range(2024, 3)])).unwrap();
        // everything but step 4
        let next = commit(vec![(2024, bars(2024, 9, 3.0))], vec![range(2024, 9)]);
        renamed(&store, &next);
        drop(store);

        let store = open(&folder);
        let state = store.state(&key()).unwrap();
        assert_eq!((state.bars(), state.coverage.intervals()), (9, &[range(2024, 3)][..]));
        assert_eq!(store.read_year(&key(), 2024).unwrap(), bars(2024, 9, 3.0));
    }

    #[test]
    fn an_announcement_without_rename_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        store.commit(&key(), commit(vec![(2024, bars(2024, 3, 3.0))], vec![range(2024, 3)])).unwrap();
        let next = commit(vec![(2024, bars(2024, 9, 3.0))], vec![]);
        std::mem::forget(announced(&store, &next)); // as kill -9 would: the staged file stays
        drop(store);

        let store = open(&folder);
        assert_eq!(store.read_year(&key(), 2024).unwrap(), bars(2024, 3, 3.0));
        assert_eq!(std::fs::read_dir(store.layout.staging()).unwrap().count(), 0);
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        store.commit(&key(), commit(vec![(2024, bars(2024, 30, 3.0))], vec![])).unwrap();
        let path = store.layout.partition(&key(), 2024);
        let good = std::fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(store.read_year(&key(), 2024), Err(StoreError::Damaged { year: 2024, .. })), "{at}");
        }
        std::fs::write(&path, &good[..good.len() / 2]).unwrap();
        assert!(store.verify_year(&key(), 2024).is_err());
        std::fs::remove_file(&path).unwrap();
        assert!(store.verify_year(&key(), 2024).is_err());
        std::fs::write(&path, good).unwrap();
        assert!(store.verify_year(&key(), 2024).is_ok());
    }

    #[test]
    fn replacing_damage_voids_what_was_known_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        store.commit(&key(), commit(vec![(2024, bars(2024, 30, 3.0))], vec![range(2023, 500)])).unwrap();
        let mut replacement = commit(vec![(2024, bars(2024, 2, 4.0))], vec![range(2024, 2)]);
        replacement.uncover = vec![TimeRange::new(year_start(2024), year_start(2025)).unwrap()];
        replacement.aside = Aside::Damaged;
        store.commit(&key(), replacement).unwrap();
        let expected = [TimeRange::new(year_start(2023), year_start(2024) + 2 * crate::model::DAY).unwrap()];
        assert_eq!(store.state(&key()).unwrap().coverage.intervals(), expected);
        assert_eq!(open(&folder).state(&key()).unwrap().coverage.intervals(), expected);
    }

    #[test]
    fn the_dataset_holds_partitions_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        store.commit(&key(), commit(vec![(2023, bars(2023, 5, 2.0)), (2024, bars(2024, 3, 3.0))], vec![])).unwrap();
        let mut folders = vec![store.layout.bars()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    assert_eq!(entry.file_name(), "bars.parquet");
                }
            }
        }
    }

    #[test]
    fn an_announcement_outlives_the_commits_of_other_years() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        store.commit(&key(), commit(vec![(2024, bars(2024, 3, 3.0))], vec![range(2024, 3)])).unwrap();
        // as commit() does it, with record() failing (disk full in the ledger)
        let next = commit(vec![(2024, bars(2024, 9, 3.0))], vec![]);
        let mut state = SeriesState::clone(&store.state(&key()).unwrap());
        state.partitions.extend(renamed(&store, &next).into_iter().map(|file| (file.year, file)));
        store.entry(&key()).unwrap().replace(state);
        // space again; the load goes on in another year
        store.commit(&key(), commit(vec![(2023, bars(2023, 3, 3.0))], vec![])).unwrap();
        assert!(store.read_year(&key(), 2024).is_ok());
        drop(store);
        let after = open(&folder).read_year(&key(), 2024);
        assert!(after.is_ok(), "{after:?}");
    }

    #[test]
    fn a_commit_that_fails_halfway_leaves_good_years_good() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        store.commit(&key(), commit(vec![(2023, bars(2023, 3, 3.0))], vec![])).unwrap();
        let blocked = store.layout.partition(&key(), 2024);
        std::fs::write(blocked.parent().unwrap(), "in the way").unwrap();
        let next = commit(vec![(2023, bars(2023, 9, 3.0)), (2024, bars(2024, 9, 3.0))], vec![]);
        store.commit(&key(), next).unwrap_err();
        let after = store.read_year(&key(), 2023);
        assert!(after.is_ok(), "{after:?}");
    }

    #[test]
    fn a_commit_that_fails_halfway_changes_nothing_on_the_disk_and_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        store.commit(&key(), commit(vec![(2022, bars(2022, 3, 3.0))], vec![range(2022, 3)])).unwrap();
        let blocked = store.layout.partition(&key(), 2024);
        std::fs::write(blocked.parent().unwrap(), "in the way").unwrap();
        let years = vec![(2022, bars(2022, 9, 3.0)), (2023, bars(2023, 9, 3.0)), (2024, bars(2024, 9, 3.0))];
        store.commit(&key(), commit(years, vec![range(2022, 9)])).unwrap_err();
        for store in [store, open(&folder)] {
            let state = store.state(&key()).unwrap();
            assert_eq!((state.bars(), state.coverage.intervals()), (3, &[range(2022, 3)][..]));
            assert_eq!(store.read_year(&key(), 2022).unwrap(), bars(2022, 3, 3.0));
            assert!(!store.layout.partition(&key(), 2023).exists());
            assert_eq!(std::fs::read_dir(store.layout.staging()).unwrap().count(), 0);
        }
    }
}
