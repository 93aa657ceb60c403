//! Looks for operations: in memory, and among those that only the ledger has.

use std::sync::Arc;

use super::{
    OperationError, Registry, Snapshot,
    entry::{self, Entry},
};
use crate::store::{Ended, EndedRows, Place};

impl Registry {
    /// By id or unique prefix.
    pub(super) async fn find(&self, id: &str) -> Result<Arc<Entry>, OperationError> {
        let shown = || id.chars().take(40).collect();
        match self.named(id).await? {
            Some(entry) => Ok(entry),
            None if id.is_empty() => Err(OperationError::NotFound { id: shown() }),
            None => match self.starting_with(id).await? {
                (Some(entry), 1) => Ok(entry),
                (None, _) => Err(OperationError::NotFound { id: shown() }),
                (Some(_), count) => Err(OperationError::Ambiguous { id: shown(), count }),
            },
        }
    }

    /// By its whole id, here or in the ledger.
    pub(super) async fn named(&self, id: &str) -> Result<Option<Arc<Entry>>, OperationError> {
        let here = self.entries().await.get(id).cloned();
        if here.is_some() || id.is_empty() {
            return Ok(here);
        }
        let row = self.0.store.ended_operation(id.to_owned()).await.map_err(OperationError::Store)?;
        Ok(row.map(|row| Arc::new(Entry::of_ledger(entry::revive(row)))))
    }

    /// One of those whose id begins so, and how many there are.
    async fn starting_with(&self, prefix: &str) -> Result<(Option<Arc<Entry>>, usize), OperationError> {
        let (mut one, mut count, without) = {
            let entries = self.entries().await;
            let mut fitting = entries.starting_with(prefix);
            let one = fitting.next().cloned();
            let count = fitting.count() + usize::from(one.is_some());
            (one, count, entries.ids())
        };
        let which = Ended { id: prefix.to_owned(), without, ..Ended::default() };
        if let Some(row) = self.ended(which.clone(), None, 1, 0).await?.rows.pop() {
            one.get_or_insert_with(|| Arc::new(Entry::of_ledger(entry::revive(row))));
            // it may have been forgotten since
            count += self.count_ended(which).await?.max(1);
        }
        Ok((one, count))
    }

    /// How many the ledger has.
    pub(super) async fn count_ended(&self, which: Ended) -> Result<usize, OperationError> {
        self.0.store.count_ended_operations(which).await.map_err(OperationError::Store)
    }

    /// From the ledger, newest first, at most `most`, and fewer when they are long. The chunks of the page before had so many `bytes`.
    pub(super) async fn ended(
        &self,
        which: Ended,
        before: Option<Place>,
        most: usize,
        bytes: usize,
    ) -> Result<EndedRows, OperationError> {
        self.0.store.ended_operations(which, before, most, bytes).await.map_err(OperationError::Store)
    }

    /// The one of a request, if it is not in memory.
    pub(super) async fn left_memory(&self, request_id: &str) -> Result<Option<Snapshot>, OperationError> {
        let row = self.0.store.operation_of_request(request_id.to_owned()).await.map_err(OperationError::Store)?;
        Ok(row.map(|row| Arc::new(entry::revive(row))))
    }
}
