//! The first step of a commit: new files beside the dataset, second names for those that are replaced on purpose.

use super::{
    Aside, Checksum, Commit, KeptRow, SeriesState, Store, StoreError,
    files::{self, Old, Staged},
    kept,
    ledger::PartitionRow,
    parquet,
};
use crate::model::SeriesKey;

/// A file on its way; without one, the year is removed.
pub(super) struct Coming {
    pub(super) file: PartitionRow,
    pub(super) staged: Option<Staged>,
    /// The second name of the old one.
    pub(super) kept: Option<String>,
}

pub(super) fn staged_name(key: &SeriesKey, year: i16) -> String {
    format!("{}.{}.{year}", key.symbol, key.timeframe.folder())
}

/// What is replaced on purpose; a year that held nothing, too: undoing removes it again.
pub(super) fn kept_rows(commit: &Commit, coming: &[Coming], before: &SeriesState) -> Vec<KeptRow> {
    let Aside::Kept { operation, why } = &commit.aside else { return Vec::new() };
    let row = |coming: &Coming| {
        let old = before.partitions.get(&coming.file.year).filter(|_| coming.kept.is_some());
        KeptRow {
            id: 0,
            year: coming.file.year,
            operation: operation.clone(),
            why: why.clone(),
            at: commit.as_of,
            file: coming.kept.clone().zip(old.map(|old| old.checksum)),
            rows: old.map_or(0, |old| old.rows),
            ends: old.map_or((0, 0), |old| (old.first, old.last)),
            coverage: Vec::new(),
        }
    };
    coming.iter().map(row).collect()
}

impl Store {
    /// Step 1. Years whose bytes are already there are left alone.
    pub(super) fn stage(
        &self,
        key: &SeriesKey,
        commit: &Commit,
        before: Option<&SeriesState>,
    ) -> Result<Vec<Coming>, StoreError> {
        let mut coming = Vec::new();
        for (year, bars) in &commit.years {
            let stored = before.and_then(|state| state.partitions.get(year));
            let (Some(first), Some(last)) = (bars.start.first(), bars.start.last()) else {
                if stored.is_some() {
                    let kept = self.keep_old(key, *year, stored, &commit.aside)?;
                    coming.push(Coming { file: PartitionRow::nothing(*year), staged: None, kept });
                }
                continue;
            };
            let bytes = parquet::encode(bars, key, commit.basis).map_err(StoreError::encode)?;
            let checksum = Checksum::of(&bytes);
            if commit.aside != Aside::Damaged && stored.is_some_and(|file| file.checksum == checksum) {
                continue;
            }
            let file = PartitionRow { year: *year, checksum, rows: bars.len() as u64, first: *first, last: *last };
            let staged = Staged::write(&self.layout, &staged_name(key, *year), &bytes)?;
            let kept = if stored.is_some() { self.keep_old(key, *year, stored, &commit.aside)? } else { None };
            coming.push(Coming { file, staged: Some(staged), kept });
        }
        Ok(coming)
    }

    /// A second name for the file of a year, if it is wanted.
    fn keep_old(
        &self,
        key: &SeriesKey,
        year: i16,
        stored: Option<&PartitionRow>,
        aside: &Aside,
    ) -> Result<Option<String>, StoreError> {
        let Aside::Kept { operation, .. } = aside else { return Ok(None) };
        let name = kept::name(&self.layout, key, year, operation);
        let link = || files::link(&self.layout.partition(key, year), &self.layout.kept().join(&name));
        let linked = match (link(), stored) {
            // only the bucket has it
            (Old::Missing, Some(stored)) => match self.download(key, stored)? {
                Some(bytes) => self.put_back(key, year, &bytes).map(drop).map(|()| link())?,
                None => Old::Missing,
            },
            (linked, _) => linked,
        };
        match linked {
            Old::Linked => Ok(Some(name)),
            Old::Missing => Ok(None),
            Old::Failed(error) => Err(error),
        }
    }
}
