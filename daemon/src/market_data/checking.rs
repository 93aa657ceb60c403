//! Reading stored bars for a check, year by year: memory does not grow with the series.

use super::{
    MarketData, MarketDataError,
    calendar::Calendar,
    check::{Checked, Checker, Subject},
    closing::closed_until,
};
use crate::{
    clock,
    model::{Basis, Nanos, SeriesKey, TimeRange},
    store::{Store, StoreError},
};

/// One series, checked.
#[derive(Debug)]
pub struct CheckedSeries {
    /// Which.
    pub key: SeriesKey,
    /// Session and prices.
    pub basis: Basis,
    /// By which calendar.
    pub calendar: Option<&'static Calendar>,
    /// First stored bar and last.
    pub ends: Option<(Nanos, Nanos)>,
    /// What came out.
    pub checked: Checked,
}

impl MarketData {
    /// Every rule on every stored bar of a series. Never touches the gateway.
    pub async fn check(&self, key: SeriesKey) -> Result<CheckedSeries, MarketDataError> {
        let known = self.reference.known(&key.symbol).await?;
        let calendar = Calendar::of_contract(&key.symbol, known.as_ref().map(|known| &*known.contract));
        let store = self.reference.store.clone();
        let checking = tokio::task::spawn_blocking(move || check(&store, key, calendar));
        checking.await.map_err(|_| MarketDataError::Defect)?
    }
}

fn check(store: &Store, key: SeriesKey, calendar: Option<&'static Calendar>) -> Result<CheckedSeries, MarketDataError> {
    let state = store.state(&key).filter(|state| state.bars() > 0);
    let Some(state) = state else { return Err(MarketDataError::SeriesNotFound { key }) };
    let now = clock::now();
    let zone = calendar.map_or(jiff::tz::TimeZone::UTC, |calendar| calendar.zone().clone());
    let mut checker = Checker::new(Subject {
        key: key.clone(),
        basis: state.basis,
        coverage: state.coverage.clone(),
        calendar,
        closed: closed_until(now, key.timeframe, &zone),
        now,
    });
    for opened in store.open_years(&key, &TimeRange::ALL)? {
        let year = opened.year();
        match opened.bars() {
            Ok(bars) => checker.bars(&bars),
            Err(StoreError::Damaged { .. }) => state.held_in(year).into_iter().for_each(|held| checker.damaged(held)),
            Err(error) => return Err(error.into()),
        }
    }
    let ends = state.first().zip(state.last());
    Ok(CheckedSeries { key, basis: state.basis, calendar, ends, checked: checker.finish() })
}
