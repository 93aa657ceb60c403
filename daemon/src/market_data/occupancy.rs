//! Which operation writes which series: at most one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::LoadRequest;
use crate::model::SeriesKey;

/// Who writes a series, and what with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Writer {
    /// Empty until the operation has one.
    pub(super) operation: String,
    /// What a load was asked for; an import has none.
    pub(super) request: Option<LoadRequest>,
}

/// Series that are being written.
#[derive(Debug, Clone, Default)]
pub(super) struct Occupancy(Arc<Mutex<HashMap<SeriesKey, Writer>>>);

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

    /// The writer without a name has one now; unless it has ended, and another has come.
    pub(super) fn name(&self, key: &SeriesKey, operation: &str) {
        if let Some(writer) = self.writers().get_mut(key).filter(|writer| writer.operation.is_empty()) {
            operation.clone_into(&mut writer.operation);
        }
    }

    fn writers(&self) -> MutexGuard<'_, HashMap<SeriesKey, Writer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        self.occupancy.writers().remove(&self.key);
    }
}
