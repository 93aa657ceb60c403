//! Undoing what replaced stored bars on purpose: a repair, a series loaded anew, a deletion, or another undoing.

use std::collections::BTreeMap;

use super::{MarketData, MarketDataError, occupancy::Writer};
use crate::{
    clock,
    model::{Basis, SeriesKey, Session, Source, WhatToShow},
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
        let waiting = self.occupancy.wait_and_occupy(&key, Writer::live(), |other| other.brief).await;
        let occupied =
            waiting.map_err(|other| MarketDataError::SeriesBusy { key: key.clone(), operation: other.operation })?;
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
    let Some(last) = rows.last() else { return Err(MarketDataError::NothingKept { key: key.clone() }) };
    // an operation may have replaced a year more than once: as it was before the first time
    let mut first: BTreeMap<i16, &KeptRow> = BTreeMap::new();
    for row in &rows {
        first.entry(row.year).or_insert(row);
    }
    let state = store.state(key);
    let bars_in = |year: &i16| state.as_ref().map_or(0, |state| state.bars_in(*year));
    let restored = Restored {
        operation: last.operation.clone(),
        why: last.why.clone(),
        years: first.keys().copied().collect(),
        bars: (first.keys().map(bars_in).sum(), first.values().map(|row| row.rows).sum()),
    };
    if dry_run {
        return Ok(restored);
    }
    let years = first.iter().map(|(year, row)| Ok((*year, store.read_kept(key, row)?)));
    let years = years.collect::<Result<Vec<_>, MarketDataError>>()?;
    let usual = Basis { session: Session::AllHours, what: WhatToShow::usual(&key.symbol) };
    let commit = Commit {
        basis: state.as_ref().map_or(usual, |state| state.basis),
        source: state.as_ref().map_or(Source::Mixed, |state| state.source),
        assumed: state.as_ref().is_some_and(|state| state.assumed),
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
