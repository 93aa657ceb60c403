//! What is to be watched, and whether it can be.

use super::HISTORY_MAX;
use crate::{
    market_data::MarketDataError,
    model::{Basis, Instrument, SECOND, SeriesKey},
    store::Store,
};

/// What is to be watched.
#[derive(Debug, Clone)]
pub struct LiveRequest {
    /// Which series.
    pub key: SeriesKey,
    /// Session and prices.
    pub basis: Basis,
    /// Store the bars that close.
    pub keep: bool,
    /// So many of the last closed bars to begin with.
    pub history: u32,
}

impl LiveRequest {
    /// What is wrong with it, where that can be seen before the gateway is asked.
    pub(super) fn check(&self, store: &Store) -> Result<(), MarketDataError> {
        let Self { key, basis, .. } = self;
        if key.timeframe.step() < 5 * SECOND {
            return Err(MarketDataError::NotLive { timeframe: key.timeframe });
        }
        if self.history > HISTORY_MAX {
            return Err(MarketDataError::Request("at most 300 bars of history come with live bars"));
        }
        if !basis.what.exists_for(&key.symbol) {
            return Err(MarketDataError::Prices { symbol: key.symbol.clone(), what: basis.what });
        }
        if !self.keep {
            return Ok(());
        }
        if matches!(key.symbol.instrument(), Instrument::Continuous { .. }) {
            return Err(MarketDataError::Request(
                "the bars of a continuous future are not stored; watch it without keeping",
            ));
        }
        match store.state(key).filter(|state| state.bars() > 0) {
            Some(state) if state.basis != *basis => {
                Err(MarketDataError::SessionMismatch { key: key.clone(), stored: state.basis, asked: *basis })
            }
            _ => Ok(()),
        }
    }
}
