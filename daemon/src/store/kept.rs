//! Replaced files, for as long as somebody may want them back.

use std::{collections::HashSet, fs, io, os::unix::fs::MetadataExt};

use bytes::Bytes;

use super::{
    Checksum, KeptRow, Layout, RevisionRow, Store, StoreError,
    ledger::{kept, revisions, series},
    parquet,
};
use crate::model::{Bars, Nanos, SECOND, SeriesKey};

impl Store {
    /// Files of a series that were replaced on purpose, oldest first. Blocks.
    pub fn kept(&self, key: &SeriesKey) -> Result<Vec<KeptRow>, StoreError> {
        let key = key.clone();
        self.ledger.call_blocking(move |ledger| match series::id(ledger, &key)? {
            Some(id) => kept::all(ledger, id),
            None => Ok(Vec::new()),
        })
    }

    /// The bars of one of them, checked. Blocks.
    pub fn read_kept(&self, key: &SeriesKey, row: &KeptRow) -> Result<Bars, StoreError> {
        let Some((name, checksum)) = &row.file else { return Ok(Bars::default()) };
        let path = self.layout.kept().join(name);
        let damaged = |why: &str| StoreError::Damaged { key: key.clone(), year: row.year, why: why.into() };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged("the kept file is missing")),
            Err(error) => return Err(StoreError::io(&path, error)),
        };
        if Checksum::of(&bytes) != *checksum {
            return Err(damaged("the kept file is not the one that was kept"));
        }
        parquet::decode(Bytes::from(bytes)).map_err(|_| damaged("the kept file cannot be decoded"))
    }

    /// Gives up the right to have these back. Blocks.
    pub fn forget_kept(&self, rows: &[KeptRow]) -> Result<(), StoreError> {
        let ids = rows.iter().map(|row| row.id).collect::<Vec<_>>();
        self.ledger.call_blocking(move |ledger| kept::forget(ledger, &ids))?;
        for (name, _) in rows.iter().filter_map(|row| row.file.as_ref()) {
            let path = self.layout.kept().join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StoreError::io(&path, error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Gives up what was replaced before an instant, and damaged files that are older; files and bytes. Blocks.
    pub fn compact(&self, before: Nanos, dry_run: bool) -> Result<(u64, u64), StoreError> {
        let old = self.ledger.call_blocking(move |ledger| kept::before(ledger, before))?;
        let kept = old.iter().filter_map(|row| row.file.as_ref());
        let (mut files, mut bytes) = kept.fold((0, 0), |(files, bytes), (_, one)| (files + 1, bytes + one.length));
        if !dry_run {
            self.forget_kept(&old)?;
        }
        for entry in fs::read_dir(self.layout.damaged()).into_iter().flatten().flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if meta.ctime().saturating_mul(SECOND) < before {
                (files, bytes) = (files + 1, bytes + meta.len());
                if !dry_run {
                    fs::remove_file(entry.path()).map_err(|error| StoreError::io(&entry.path(), error))?;
                }
            }
        }
        Ok((files, bytes))
    }

    /// For a commit that was undone. A convenience: what stays is undone by nobody's wish.
    pub(super) fn forget_kept_names(&self, key: &SeriesKey, names: &[String]) {
        if names.is_empty() {
            return;
        }
        let forgotten = self.kept(key).and_then(|rows| {
            let undone = |row: &KeptRow| row.file.as_ref().is_some_and(|(file, _)| names.contains(file));
            self.forget_kept(&rows.into_iter().filter(undone).collect::<Vec<_>>())
        });
        if let Err(error) = forgotten {
            tracing::warn!(series = %key, %error, "files that were kept for nothing stay");
        }
    }

    /// When bars of a series were last imported. Blocks.
    pub fn last_import(&self, key: &SeriesKey) -> Result<Option<Nanos>, StoreError> {
        let key = key.clone();
        self.ledger.call_blocking(move |ledger| match series::id(ledger, &key)? {
            Some(id) => series::last_import(ledger, id),
            None => Ok(None),
        })
    }

    /// What sources said otherwise of a series, the latest first. Blocks.
    pub fn revisions(&self, key: &SeriesKey, limit: u32) -> Result<Vec<RevisionRow>, StoreError> {
        let key = key.clone();
        self.ledger.call_blocking(move |ledger| match series::id(ledger, &key)? {
            Some(id) => revisions::latest(ledger, id, limit),
            None => Ok(Vec::new()),
        })
    }

    /// Removes what a crash kept without a word in the ledger. A convenience: failures are only told.
    pub(super) fn sweep_kept(&self) -> Result<(), StoreError> {
        let folder = self.layout.kept();
        let Ok(entries) = fs::read_dir(&folder) else { return Ok(()) };
        let known: HashSet<String> = self.ledger.call_blocking(|ledger| kept::names(ledger))?.into_iter().collect();
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !known.contains(&name)
                && let Err(error) = fs::remove_file(entry.path())
            {
                tracing::warn!(path = %entry.path().display(), %error, "cannot remove a file that nobody speaks of");
            }
        }
        Ok(())
    }
}

/// What a replaced file is called.
pub(super) fn name(layout: &Layout, key: &SeriesKey, year: i16, operation: &str) -> String {
    let base = format!("{}.{}.{year}.{operation}", key.symbol, key.timeframe.folder());
    // one operation may replace a year more than once
    let free = |number: &u32| !layout.kept().join(format!("{base}.{number}.parquet")).exists();
    let number = (1..u32::MAX).find(free).unwrap_or(u32::MAX);
    format!("{base}.{number}.parquet")
}
