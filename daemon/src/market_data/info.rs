//! What is known of stored series: their files, their coverage, what sources said otherwise, what can be restored.

use std::sync::Arc;

use super::{
    MarketData, MarketDataError, Validated,
    calendar::{Calendar, may_hold_bars},
    validate::told,
};
use crate::{
    clock,
    gateway::Contract,
    model::{Coverage, SeriesKey, Symbol, TimeRange, Timeframe},
    store::{KeptRow, RevisionRow, SeriesState, Store, StoreError},
};

/// Revisions that are told.
const REVISIONS: u32 = 100;

/// All series of a symbol.
#[derive(Debug)]
pub struct SymbolInfo {
    /// In its one spelling.
    pub symbol: Symbol,
    /// What is remembered of its contract.
    pub contract: Option<Validated>,
    /// Of its market.
    pub calendar: Option<&'static Calendar>,
    /// By timeframe.
    pub series: Vec<SeriesInfo>,
}

/// One of them.
#[derive(Debug)]
pub struct SeriesInfo {
    /// Which.
    pub key: SeriesKey,
    /// Bars, files, coverage.
    pub state: Arc<SeriesState>,
    /// Where nothing is missing between the first stored bar and the last, ascending: known complete, or closed.
    pub complete: Vec<TimeRange>,
    /// The latest first.
    pub revisions: Vec<RevisionRow>,
    /// Oldest first.
    pub kept: Vec<KeptRow>,
}

/// One file, looked at.
#[derive(Debug)]
pub struct VerifiedFile {
    /// Of which series.
    pub key: SeriesKey,
    /// Of which year.
    pub year: i16,
    /// Its bars, as recorded.
    pub bars: u64,
    /// Its size, as recorded.
    pub size_bytes: u64,
    /// What is wrong with it.
    pub damage: Option<String>,
}

impl MarketData {
    /// Never touches the gateway.
    pub async fn info(&self, symbol: Symbol, timeframe: Option<Timeframe>) -> Result<SymbolInfo, MarketDataError> {
        let known = self.reference.known(&symbol).await?;
        let calendar = Calendar::of_contract(&symbol, known.as_ref().map(|known| &*known.contract));
        let mut series = self.list();
        series.retain(|(key, _)| key.symbol == symbol && timeframe.is_none_or(|one| one == key.timeframe));
        if series.is_empty() {
            let timeframe = timeframe.unwrap_or(Timeframe::Days1);
            return Err(MarketDataError::not_found(&self.reference.store, SeriesKey { symbol, timeframe }));
        }
        let store = self.reference.store.clone();
        let remembered = known.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let one = |(key, state): (SeriesKey, Arc<SeriesState>)| {
                let (revisions, kept) = (store.revisions(&key, REVISIONS)?, store.kept(&key)?);
                let complete = complete(&key, &state, remembered.as_ref().map(|known| &*known.contract));
                Ok::<_, StoreError>(SeriesInfo { key, state, complete, revisions, kept })
            };
            series.into_iter().map(one).collect::<Result<Vec<_>, _>>()
        });
        let series = reading.await.map_err(|_| MarketDataError::Defect)??;
        let contract = known.map(|known| told(symbol.clone(), known, clock::now()));
        Ok(SymbolInfo { symbol, contract, calendar, series })
    }

    /// Reads every file of a series, and says of each whether it is what was written.
    pub async fn verify(&self, key: SeriesKey) -> Result<Vec<VerifiedFile>, MarketDataError> {
        let state = self.range(&key)?;
        let store = self.reference.store.clone();
        let reading = tokio::task::spawn_blocking(move || {
            state.files().map(|(year, bars, size_bytes, _)| look(&store, &key, (year, bars, size_bytes))).collect()
        });
        reading.await.map_err(|_| MarketDataError::Defect)?
    }
}

fn complete(key: &SeriesKey, state: &SeriesState, contract: Option<&Contract>) -> Vec<TimeRange> {
    let whole =
        state.ends().and_then(|(first, last)| TimeRange::new(first, last.saturating_add(key.timeframe.step())).ok());
    let Some(whole) = whole else { return Vec::new() };
    let mut complete: Coverage = std::iter::once(whole).collect();
    for part in may_hold_bars(&state.coverage.missing(&whole), key, state.basis.session, contract) {
        complete.remove(&part);
    }
    complete.intervals().to_vec()
}

fn look(
    store: &Store,
    key: &SeriesKey,
    (year, bars, size_bytes): (i16, u64, u64),
) -> Result<VerifiedFile, MarketDataError> {
    let damage = match store.read_year(key, year) {
        Ok(_) => None,
        Err(StoreError::Damaged { why, .. }) => Some(why),
        Err(error) => return Err(error.into()),
    };
    Ok(VerifiedFile { key: key.clone(), year, bars, size_bytes, damage })
}
