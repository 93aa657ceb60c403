//! Giving up what could still be restored, for room on the disk: when somebody says so, or after the days that are
//! configured.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{MarketData, MarketDataError};
use crate::{
    clock,
    model::{DAY, Nanos},
};

/// Between two looks; what is kept is kept for days.
const PAUSE: Duration = Duration::from_hours(24);

impl MarketData {
    /// Gives up what was replaced longer ago than `days`, now and once a day, until `stop`.
    pub async fn keep_compacted(self, days: u32, stop: CancellationToken) {
        loop {
            match self.compact(days, false).await {
                Ok((0, _)) => {}
                Ok((files, bytes)) => tracing::info!(files, bytes, days, "gave up what was replaced long ago"),
                Err(error) => {
                    let error = crate::error::in_line(&error);
                    tracing::warn!(error, "what was replaced long ago could not be given up; tried again in a day");
                }
            }
            if stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                return;
            }
        }
    }

    /// Files and bytes of what was replaced so many days ago, or more; removed unless it is a dry run.
    pub async fn compact(&self, older_than_days: u32, dry_run: bool) -> Result<(u64, u64), MarketDataError> {
        let before = clock::now().saturating_sub(Nanos::from(older_than_days).saturating_mul(DAY));
        let store = self.reference.store.clone();
        let compacting = tokio::task::spawn_blocking(move || store.compact(before, dry_run));
        Ok(compacting.await.map_err(|_| MarketDataError::Defect)??)
    }
}
