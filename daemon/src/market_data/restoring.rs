//! Undoing what replaced stored bars on purpose: a repair, a series loaded anew, a deletion, or another undoing.

use std::collections::BTreeMap;

use super::{MarketData, MarketDataError, occupancy::Writer};
use crate::{
    clock,
    model::SeriesKey,
    store::{Aside, Commit, KeptRow, Store, year_range},
};

/// What was undone, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Whose work it was.
    pub operation: String,
    /// Why it had replaced them, for people.
    pub why: String,
    /// Years that are as they were, ascending.
    pub years: Vec<i16>,
    /// Bars of those years before and after.
    pub bars: (u64, u64),
}

impl MarketData {
    /// Undoes the latest replacement of a series, or that of one operation. What it replaces is kept in turn, so that this can
    /// be undone, too.
    pub async fn restore(
        &self,
        key: SeriesKey,
        operation: Option<String>,
        dry_run: bool,
    ) -> Result<Restored, MarketDataError> {
        let occupied = self.occupancy.occupy_unless_busy(&key, Writer::brief()).await?;
        let store = self.reference.store.clone();
        let restoring = tokio::task::spawn_blocking(move || {
            let _occupied = occupied;
            restore(&store, &key, operation.as_deref(), dry_run)
        });
        restoring.await.map_err(|_| MarketDataError::Defect)?
    }
}

fn restore(
    store: &Store,
    key: &SeriesKey,
    operation: Option<&str>,
    dry_run: bool,
) -> Result<Restored, MarketDataError> {
    let all = store.kept(key)?;
    let wanted = operation.or(all.last().map(|row| row.operation.as_str()));
    let rows: Vec<&KeptRow> = all.iter().filter(|row| Some(row.operation.as_str()) == wanted).collect();
    let (Some(last), Some(state)) = (rows.last(), store.state(key)) else {
        return Err(MarketDataError::NothingKept { key: key.clone() });
    };
    // an operation may have replaced a year more than once: as it was before the first time
    let mut first: BTreeMap<i16, &KeptRow> = BTreeMap::new();
    for row in &rows {
        first.entry(row.year).or_insert(row);
    }
    let restored = Restored {
        operation: last.operation.clone(),
        why: last.why.clone(),
        years: first.keys().copied().collect(),
        bars: (first.keys().map(|year| state.bars_in(*year)).sum(), first.values().map(|row| row.rows).sum()),
    };
    if dry_run {
        return Ok(restored);
    }
    let years = first.iter().map(|(year, row)| Ok((*year, store.read_kept(key, row)?)));
    let years = years.collect::<Result<Vec<_>, MarketDataError>>()?;
    let commit = Commit {
        basis: state.basis,
        source: state.source,
        assumed: state.assumed,
        years,
        cover: first.values().flat_map(|row| row.coverage.iter().map(|(part, kind, _)| (*part, *kind))).collect(),
        uncover: first.keys().filter_map(|year| year_range(*year)).collect(),
        aside: Aside::Kept {
            operation: format!("restore_{}", ulid::Ulid::generate()),
            why: format!("{} was undone", last.operation),
        },
        revisions: Vec::new(),
        import: None,
        as_of: clock::now(),
    };
    store.commit(key, commit)?;
    store.forget_kept(&rows.into_iter().cloned().collect::<Vec<_>>())?;
    Ok(restored)
}
