//! Which operation writes which series: at most one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::model::SeriesKey;

/// Series that are being written, each with its operation's id (empty until it has one).
#[derive(Debug, Clone, Default)]
pub(super) struct Occupancy(Arc<Mutex<HashMap<SeriesKey, String>>>);

/// Writes one series until it is dropped.
#[derive(Debug)]
pub(super) struct Occupied {
    occupancy: Occupancy,
    key: SeriesKey,
}

impl Occupancy {
    /// The id of the writer there is, if there is one.
    pub(super) fn occupy(&self, key: &SeriesKey, operation: &str) -> Result<Occupied, String> {
        let mut writers = self.writers();
        if let Some(writer) = writers.get(key) {
            return Err(writer.clone());
        }
        writers.insert(key.clone(), operation.to_owned());
        Ok(Occupied { occupancy: self.clone(), key: key.clone() })
    }

    /// The writer has its id now; unless it has ended already.
    pub(super) fn name(&self, key: &SeriesKey, operation: &str) {
        if let Some(writer) = self.writers().get_mut(key) {
            operation.clone_into(writer);
        }
    }

    fn writers(&self) -> MutexGuard<'_, HashMap<SeriesKey, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        self.occupancy.writers().remove(&self.key);
    }
}
