//! The requests of one connection that are being worked on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::protocol::request::Kind;

#[derive(Debug)]
pub(crate) struct OpenRequests {
    shared: Arc<Shared>,
    by_id: Mutex<HashMap<i32, (Kind, CancellationToken)>>,
}

impl OpenRequests {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, by_id: Mutex::new(HashMap::new()) }
    }

    /// What tells the request that it is cancelled; `None` if one of this id is open already.
    pub(crate) fn accept(&self, kind: Kind, id: i32) -> Option<CancellationToken> {
        let mut by_id = self.lock();
        if by_id.contains_key(&id) {
            return None;
        }
        let cancelled = CancellationToken::new();
        by_id.insert(id, (kind, cancelled.clone()));
        self.shared.ledger.accepted_request(&self.shared.clock, kind);
        Some(cancelled)
    }

    /// Ends a request, by its answer or its cancel, whichever comes first. False if it had ended before.
    pub(crate) fn end(&self, id: i32) -> bool {
        let Some((kind, cancelled)) = self.lock().remove(&id) else {
            return false;
        };
        cancelled.cancel();
        self.shared.ledger.ended_request(kind);
        true
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Ends all: the connection is gone.
    pub(crate) fn end_all(&self) {
        let open: Vec<_> = self.lock().drain().collect();
        for (_, (kind, cancelled)) in &open {
            cancelled.cancel();
            self.shared.ledger.ended_request(*kind);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i32, (Kind, CancellationToken)>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
