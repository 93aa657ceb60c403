//! Which operation writes which series: at most one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::{LoadRequest, MarketDataError};
use crate::model::SeriesKey;

/// Who writes a series, and what with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Writer {
    /// Empty until the operation has one.
    pub(super) operation: String,
    /// What a load was asked for; an import has none.
    pub(super) request: Option<LoadRequest>,
    /// No operation, and soon over: others wait for that.
    pub(super) brief: bool,
}

impl Writer {
    pub(super) fn load(request: LoadRequest) -> Self {
        Self { operation: String::new(), request: Some(request), brief: false }
    }

    pub(super) fn import(operation: &str) -> Self {
        Self { operation: operation.into(), request: None, brief: false }
    }

    /// Live bars that are added, or a change that takes a moment.
    pub(super) fn brief() -> Self {
        Self { operation: String::new(), request: None, brief: true }
    }
}

/// Series that are being written.
#[derive(Debug, Clone, Default)]
pub(super) struct Occupancy {
    writers: Arc<Mutex<HashMap<SeriesKey, Writer>>>,
    /// A writer has ended.
    ended: Arc<Notify>,
}

/// Writes one series until it is dropped.
#[derive(Debug)]
pub(super) struct Occupied {
    occupancy: Occupancy,
    key: SeriesKey,
}

impl Occupancy {
    /// Fails with the writer there is.
    pub(super) fn occupy(&self, key: &SeriesKey, writer: Writer) -> Result<Occupied, Writer> {
        let mut writers = self.writers();
        if let Some(other) = writers.get(key) {
            return Err(other.clone());
        }
        writers.insert(key.clone(), writer);
        Ok(Occupied { occupancy: self.clone(), key: key.clone() })
    }

    /// Like [`occupy`](Self::occupy), but waits while `until_ended` says so of the writer there is.
    pub(super) async fn wait_and_occupy(
        &self,
        key: &SeriesKey,
        writer: Writer,
        until_ended: impl Fn(&Writer) -> bool,
    ) -> Result<Occupied, Writer> {
        loop {
            let ended = self.ended.notified();
            match self.occupy(key, writer.clone()) {
                Err(other) if until_ended(&other) => ended.await,
                outcome => return outcome,
            }
        }
    }

    /// Waits for brief writers, and fails while an operation writes the series.
    pub(super) async fn occupy_unless_busy(
        &self,
        key: &SeriesKey,
        writer: Writer,
    ) -> Result<Occupied, MarketDataError> {
        let waiting = self.wait_and_occupy(key, writer, |other| other.brief).await;
        waiting.map_err(|other| MarketDataError::SeriesBusy { key: key.clone(), operation: other.operation })
    }

    /// The writer without a name has one now; unless it has ended, and another has come.
    pub(super) fn name(&self, key: &SeriesKey, operation: &str) {
        let unnamed = |writer: &&mut Writer| writer.operation.is_empty() && !writer.brief;
        if let Some(writer) = self.writers().get_mut(key).filter(unnamed) {
            operation.clone_into(&mut writer.operation);
        }
    }

    fn writers(&self) -> MutexGuard<'_, HashMap<SeriesKey, Writer>> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        self.occupancy.writers().remove(&self.key);
        self.occupancy.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Symbol, Timeframe};

    #[tokio::test]
    async fn who_is_ready_to_wait_writes_after_the_writer_there_is() {
        let (occupancy, ready) = (Occupancy::default(), |_: &Writer| true);
        let key = SeriesKey { symbol: Symbol::parse("AAPL").unwrap(), timeframe: Timeframe::Days1 };
        let first = occupancy.occupy(&key, Writer::import("op_1")).unwrap();
        assert_eq!(occupancy.occupy(&key, Writer::brief()).unwrap_err().operation, "op_1");
        let only_brief = occupancy.wait_and_occupy(&key, Writer::brief(), |writer| writer.brief).await;
        assert_eq!(only_brief.unwrap_err().operation, "op_1");
        let second = tokio::spawn({
            let (occupancy, key) = (occupancy.clone(), key.clone());
            async move { occupancy.wait_and_occupy(&key, Writer::brief(), ready).await.unwrap() }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        let second = second.await.unwrap();
        assert!(occupancy.occupy(&key, Writer::brief()).unwrap_err().brief);
        drop(second);
        drop(occupancy.occupy(&key, Writer::brief()).unwrap());
    }
}
