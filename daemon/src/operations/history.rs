//! What earlier lives of the daemon left in the ledger. What had not ended is known from the beginning; what had is counted when it
//! is first asked for, at the latest when the daemon is ready: nobody waits for thousands of old operations to be told a range.

use std::sync::{
    Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{Notify, OnceCell};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Keep, Registry, Snapshot,
    changes::Changes,
    entries::Entries,
    entry::{self, Entry},
    registry::Inner,
    share::Shares,
};
use crate::{
    clock,
    store::{Counted, OperationRow, Store, StoreError},
};

/// All operations that had not ended, and how many had.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Those that had not ended when this life began.
    pub(super) left: Vec<Arc<Entry>>,
    entries: OnceCell<RwLock<Entries>>,
    /// Why the others are not known.
    unread: Mutex<Option<StoreError>>,
}

impl Registry {
    /// Reads what the ledger has of operations that had not ended; what a crash cut off becomes `interrupted`, but for the
    /// `lasting` kinds: their work goes on elsewhere, and is followed again with [`go_on`](Self::go_on). One who asks has
    /// at most `most_of_one` open. Blocks.
    pub fn open(
        store: Store,
        keep: Keep,
        lasting: &[&str],
        most_of_one: usize,
        stop: CancellationToken,
    ) -> Result<Self, StoreError> {
        let (now, mut left) = (clock::now(), Vec::new());
        for row in store.unfinished_operations()? {
            let mut operation = entry::revive(row);
            if !operation.state.is_final() && !lasting.contains(&operation.kind.as_str()) {
                entry::cut_off(&mut operation, now);
                tracing::info!(operation = operation.id, subject = operation.subject, "was interrupted");
                store.put_operation_blocking(OperationRow::from(&operation))?;
                continue;
            }
            left.push(operation);
        }
        let open = left.len();
        let changes = Changes::default();
        let left = left.into_iter().map(|operation| Arc::new(Entry::new(operation, changes.clone()))).collect();
        Ok(Self(Arc::new(Inner {
            store,
            keep,
            open: open.into(),
            ends: AtomicUsize::new(0),
            many_ended: Notify::new(),
            history: History { left, ..History::default() },
            changes,
            starters: Mutex::default(),
            entering: tokio::sync::Mutex::default(),
            tasks: TaskTracker::new(),
            shares: Shares::new(most_of_one),
            stop,
        })))
    }

    /// Those in memory, and how many others there are; those of earlier lives are counted where they were not yet.
    async fn known(&self) -> &RwLock<Entries> {
        let history = &self.0.history;
        let read = async {
            let left = history.left.iter().map(|entry| entry.snapshot().id.as_str().into()).collect();
            let earlier = self.0.store.counted_operations(left).await.unwrap_or_else(|error| {
                tracing::error!(%error, "old operations cannot be read");
                *history.unread.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Counted::default()
            });
            RwLock::new(Entries::new(&history.left, earlier))
        };
        history.entries.get_or_init(|| read).await
    }

    /// The same to look at: many may at once.
    pub(super) async fn entries(&self) -> RwLockReadGuard<'_, Entries> {
        self.known().await.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same to change.
    pub(super) async fn entries_mut(&self) -> RwLockWriteGuard<'_, Entries> {
        let entries = self.known().await.write().unwrap_or_else(PoisonError::into_inner);
        self.0.changes.one();
        entries
    }

    /// Those in memory; without waiting for the others.
    pub(super) fn whole_ones(&self) -> Vec<Arc<Entry>> {
        let Some(entries) = self.0.history.entries.get() else { return self.0.history.left.clone() };
        let entries = entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.all().cloned().collect()
    }

    /// Counts what is not counted yet; an error is told once.
    pub async fn remember(&self) -> Result<(), StoreError> {
        drop(self.entries().await);
        let unread = self.0.history.unread.lock().unwrap_or_else(PoisonError::into_inner).take();
        unread.map_or(Ok(()), Err)
    }

    /// One that had not ended when this life began.
    pub fn left_behind(&self, id: &str) -> Option<Snapshot> {
        self.0.history.left.iter().map(|entry| entry.snapshot()).find(|operation| operation.id == id)
    }

    /// How many have not ended.
    pub fn running(&self) -> usize {
        self.0.open.load(Ordering::Relaxed)
    }
}
