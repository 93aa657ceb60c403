//! Taking bars away, and what is known of their time. Undone by `restoring`.

use super::{MarketData, MarketDataError, keep::Keeper, occupancy::Writer};
use crate::{
    clock,
    model::{Nanos, SeriesKey, TimeRange},
};

/// What was deleted, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// Bars that were taken away.
    pub bars: u64,
    /// Bars that stay.
    pub left: u64,
    /// What undoes it; `None` when nothing was done.
    pub operation: Option<String>,
}

impl MarketData {
    /// Open bounds mean everything.
    pub async fn delete(
        &self,
        key: SeriesKey,
        start: Option<Nanos>,
        end: Option<Nanos>,
        dry_run: bool,
    ) -> Result<Deleted, MarketDataError> {
        let range = TimeRange::new(start.unwrap_or(Nanos::MIN), end.unwrap_or(Nanos::MAX));
        let range = range.map_err(|_| MarketDataError::RangeInvalid)?;
        self.range(&key)?;
        let occupied = self.occupancy.occupy_unless_busy(&key, Writer::brief()).await?;
        let store = self.reference.store.clone();
        let deleting = tokio::task::spawn_blocking(move || {
            let _occupied = occupied;
            let stored = store.state(&key).map_or(0, |state| state.bars());
            let mut keeper = Keeper::new(store, key);
            let operation = format!("delete_{}", ulid::Ulid::generate());
            let bars = if dry_run {
                keeper.count(&range)?
            } else {
                keeper.delete(&range, &operation, "bars were deleted", clock::now())?
            };
            let done = !dry_run && bars > 0;
            Ok(Deleted { bars, left: stored - bars, operation: done.then_some(operation) })
        });
        deleting.await.map_err(|_| MarketDataError::Defect)?
    }
}
