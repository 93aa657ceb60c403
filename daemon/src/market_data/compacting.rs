//! Giving up what could still be restored, for room on the disk.

use super::{MarketData, MarketDataError};
use crate::{
    clock,
    model::{DAY, Nanos},
};

impl MarketData {
    /// Files and bytes of what was replaced so many days ago, or more; removed unless it is a dry run.
    pub async fn compact(&self, older_than_days: u32, dry_run: bool) -> Result<(u64, u64), MarketDataError> {
        let before = clock::now().saturating_sub(Nanos::from(older_than_days).saturating_mul(DAY));
        let store = self.reference.store.clone();
        let compacting = tokio::task::spawn_blocking(move || store.compact(before, dry_run));
        Ok(compacting.await.map_err(|_| MarketDataError::Defect)??)
    }
}
