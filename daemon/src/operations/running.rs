//! The life of one operation: its work begins, ends, and each change is on the disk before anybody sees it.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::FutureExt;
use ktrdr_proto::reason;

use super::{
    Context, End, Operation, Outcome, Registry,
    entry::{self, Entry},
    prune::ENDS,
};
use crate::{
    error::Failure,
    metrics::metrics,
    store::{OperationRow, StoreError},
};

/// Each takes as long as a job waits for the ledger: a minute together.
const ENDS_TRIED: u32 = 12;

impl Registry {
    /// Its last change of state is on the disk.
    pub async fn is_recorded(&self, id: &str) -> bool {
        self.named(id).await.is_ok_and(|found| found.is_some_and(|entry| entry.is_recorded()))
    }

    pub(super) async fn daemon_stops(&self) {
        self.0.stop.cancelled().await;
    }

    pub(super) fn context(&self, entry: &Arc<Entry>) -> Context {
        Context { registry: self.clone(), entry: entry.clone(), stop: entry.cancel.child_token(), part: None }
    }

    /// Lets the work begin and end, and records both. One that `waits` says itself when it begins.
    pub(super) async fn run<F>(self, entry: Arc<Entry>, waits: bool, work: impl FnOnce(Context) -> F)
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let context = self.context(&entry);
        if !waits {
            context.begun().await;
        }
        // either token stops the work; which one fired decides what the end is called
        let stop = context.stop.clone();
        let daemon_stops = self.0.stop.clone();
        let mut work = Box::pin(AssertUnwindSafe(work(context)).catch_unwind());
        let outcome = tokio::select! {
            outcome = &mut work => outcome,
            () = daemon_stops.cancelled() => {
                stop.cancel();
                work.await
            }
        };
        let outcome = outcome.unwrap_or_else(|_| {
            Outcome::failed(
                None,
                Failure::new(&reason::INTERNAL, "the operation met a defect; the daemon's log tells more"),
            )
        });
        if matches!(outcome.end, End::Left) {
            return;
        }
        let ended = entry::ended(&entry, outcome);
        let took =
            ended.ended.zip(ended.started.or(Some(ended.created))).map_or(0, |(end, start)| (end - start).max(0));
        metrics().operation_ended(&ended.kind, ended.state.name(), Duration::from_nanos(took.unsigned_abs()));
        self.settle(&entry, ended).await;
        self.entries_mut().await.ended(&entry.snapshot().id);
        if self.0.ends.fetch_add(1, Ordering::Relaxed) + 1 >= ENDS {
            self.0.many_ended.notify_one();
        }
    }

    /// A change of state: on the disk first, then visible.
    pub(super) async fn settle(&self, entry: &Entry, operation: Operation) {
        let from = entry.snapshot().state;
        debug_assert!(from.may_become(operation.state), "{from:?} → {:?}", operation.state);
        let stored = self.record(&operation).await;
        entry.set_recorded(stored.is_ok());
        if let Err(error) = stored {
            // a restart will find it running and call it interrupted, which is true enough
            tracing::error!(error = crate::error::in_line(&error), "an operation's state could not be recorded");
        }
        let because = operation.failure.as_ref().map(|failure| failure.reason.as_str());
        tracing::info!(from = from.name(), to = operation.state.name(), because, "operation changed");
        if operation.state.is_final() {
            self.0.open.fetch_sub(1, Ordering::Relaxed);
        }
        entry.publish(operation);
    }

    /// Tries once more to record what has ended while that could not be done.
    pub(super) async fn record_late(&self) {
        for entry in self.whole_ones().into_iter().filter(|entry| !entry.is_recorded()) {
            let operation = entry.snapshot();
            if operation.state.is_final() {
                entry.set_recorded(self.record(&operation).await.is_ok());
            }
        }
    }

    /// An end is tried again and again while another program keeps the ledger locked: a restart would call it interrupted.
    async fn record(&self, operation: &Operation) -> Result<(), StoreError> {
        let mut tries = if operation.state.is_final() { ENDS_TRIED } else { 1 };
        loop {
            tries -= 1;
            match self.0.store.put_operation(OperationRow::from(operation)).await {
                Err(StoreError::Locked { .. }) if tries > 0 && !self.0.stop.is_cancelled() => {}
                done => return done,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, thread, time::Duration};

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{
        operations::{Keep, NewOperation, Requested, State},
        store::{Layout, Store},
    };

    fn registry(folder: &Path) -> Registry {
        let store = Store::open(Layout::new(folder.to_path_buf())).unwrap();
        Registry::open(store, Keep::default(), &[], 9, CancellationToken::new()).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_end_is_recorded_although_the_ledger_is_locked_for_longer_than_one_try() {
        let folder = tempfile::tempdir().unwrap();
        let lived = registry(folder.path());
        let ledger = rusqlite::Connection::open(Layout::new(folder.path().to_path_buf()).ledger()).unwrap();
        let new = NewOperation {
            kind: "load",
            subject: "AAPL 1h".into(),
            request: Requested { id: "1".into(), by: None },
            spec: String::new(),
            retry_of: None,
            waits: false,
        };
        let work = |_| async move {
            ledger.execute_batch("BEGIN EXCLUSIVE").unwrap();
            thread::spawn(move || {
                thread::sleep(Duration::from_secs(7));
                drop(ledger);
            });
            Outcome::completed(serde_json::json!({}))
        };
        let id = lived.start(new, work).await.unwrap().operation.id.clone();
        lived.watch(&id).await.unwrap().wait_for(|operation| operation.state.is_final()).await.unwrap();
        assert!(lived.is_recorded(&id).await);
        drop(lived);
        assert_eq!(registry(folder.path()).get(&id).await.unwrap().state, State::Completed);
    }
}
