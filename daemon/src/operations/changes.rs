//! A count of what has changed about the operations: who has made something of them knows by it whether that still holds.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The count. It goes up while a change is made, under the lock that hides it until it is made: so who reads the count first and the
/// operations then has seen every change that is counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes(Arc<AtomicU64>);

impl Changes {
    /// So many until now.
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// One more. The lock must be held.
    pub(super) fn one(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}
