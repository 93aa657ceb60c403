//! Who is running: start, find, watch, cancel, retry.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use tokio::sync::{Notify, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

use super::{
    Context, Keep, Operation, OperationError, Outcome, Progress, Snapshot, Starter, State,
    changes::Changes,
    entry::Entry,
    history::History,
    share::{Requested, Shares},
    work::Retry,
};
use crate::{
    clock,
    store::{OperationRow, Store},
};

/// A handle; cheap to clone.
#[derive(Clone)]
pub struct Registry(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) keep: Keep,
    /// Pending and running ones.
    pub(super) open: AtomicUsize,
    /// Since the last look at what may be forgotten.
    pub(super) ends: AtomicUsize,
    pub(super) many_ended: Notify,
    pub(super) history: History,
    pub(super) changes: Changes,
    pub(super) starters: Mutex<HashMap<&'static str, Starter>>,
    /// Held while an operation is entered, so that one request id cannot enter twice.
    pub(super) entering: tokio::sync::Mutex<()>,
    pub(super) tasks: TaskTracker,
    /// Of those who have operations open.
    pub(super) shares: Shares,
    pub(super) stop: CancellationToken,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("open", &self.running()).finish_non_exhaustive()
    }
}

/// What is entered.
#[derive(Debug)]
pub struct NewOperation {
    /// `load`, `import`.
    pub kind: &'static str,
    /// What it works on, for people.
    pub subject: String,
    /// What asks for it.
    pub request: Requested,
    /// How to start it again; JSON. Also tells two requests with one id apart.
    pub spec: String,
    /// The operation that this one retries.
    pub retry_of: Option<String>,
    /// It stays pending until its work says that it has begun: it waits for its turn.
    pub waits: bool,
}

/// A started operation, or the one that the same request started before.
#[derive(Debug, Clone)]
pub struct Started {
    /// As it is now.
    pub operation: Snapshot,
    /// It existed before.
    pub joined: bool,
    /// It was started by an equal request.
    pub same_request: bool,
}

/// Everything that an operation does is told with the request that wanted it.
fn span_of(operation: &Operation) -> tracing::Span {
    let Operation { id, subject, request_id, .. } = operation;
    tracing::info_span!(parent: None, "operation", id, subject, request_id)
}

impl Registry {
    /// Tells how operations of a kind are started again.
    pub fn register(&self, kind: &'static str, starter: Starter) {
        self.0.starters.lock().unwrap_or_else(PoisonError::into_inner).insert(kind, starter);
    }

    /// Enters an operation durably, then lets `work` begin. The same request twice is one operation, also of a caller that gave
    /// up in between.
    pub async fn start<F>(
        &self,
        new: NewOperation,
        work: impl FnOnce(Context) -> F + Send + 'static,
    ) -> Result<Started, OperationError>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let (registry, asked) = (self.clone(), Instant::now());
        let entering = async move { registry.enter(new, asked, work).await };
        tokio::spawn(entering.in_current_span()).await.unwrap_or(Err(OperationError::Defect))
    }

    async fn enter<F: Future<Output = Outcome> + Send + 'static>(
        &self,
        new: NewOperation,
        asked: Instant,
        work: impl FnOnce(Context) -> F + Send + 'static,
    ) -> Result<Started, OperationError> {
        let _entering = self.0.entering.lock().await;
        if let Some(operation) = self.started_before(&new).await? {
            return Ok(Started { operation, joined: true, same_request: true });
        }
        if self.0.stop.is_cancelled() {
            return Err(OperationError::ShuttingDown);
        }
        let share = self.0.shares.take(new.request.by.as_ref())?;
        let operation = Operation {
            id: format!("op_{}_{}", new.kind, ulid::Ulid::generate()),
            kind: new.kind.into(),
            state: State::Pending,
            subject: new.subject,
            request_id: new.request.id,
            spec: new.spec,
            created: clock::now(),
            started: None,
            ended: None,
            progress: Progress::default(),
            failure: None,
            result: None,
            retry_of: new.retry_of,
        };
        let row = OperationRow::from(&operation);
        self.0.store.put_new_operation(row, asked).await.map_err(OperationError::Store)?;
        let span = span_of(&operation);
        let entry = Arc::new(Entry::new(operation, self.0.changes.clone()));
        let started = entry.snapshot();
        self.entries_mut().await.insert(entry.clone());
        self.0.open.fetch_add(1, Ordering::Relaxed);
        let waits = new.waits;
        let registry = self.clone();
        let whole = async move {
            registry.run(entry, waits, work).await;
            drop(share);
        };
        self.0.tasks.spawn(whole.instrument(span));
        Ok(Started { operation: started, joined: false, same_request: true })
    }

    /// Takes up the operations of a lasting kind that an earlier life of the daemon left behind.
    pub fn go_on<F>(&self, kind: &str, work: impl FnOnce(Context) -> F + Clone + Send + 'static)
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        for entry in self.0.history.left.iter().filter(|entry| entry.is_left(kind)).cloned() {
            let operation = entry.snapshot();
            tracing::info!(operation = operation.id, subject = operation.subject, "goes on");
            let span = span_of(&operation);
            let (registry, work) = (self.clone(), work.clone());
            self.0.tasks.spawn(async move { registry.run(entry, true, work).await }.instrument(span));
        }
    }

    /// The operation that the same request started; an error when the id was used for another request.
    pub async fn started_before(&self, new: &NewOperation) -> Result<Option<Snapshot>, OperationError> {
        let id = &new.request.id;
        let printable = id.bytes().all(|byte| byte.is_ascii_graphic());
        if id.is_empty() || id.len() > 64 || !printable {
            return Err(OperationError::RequestIdInvalid);
        }
        let here = self.entries().await.of_request(id).map(|entry| entry.snapshot());
        let before = match here {
            Some(operation) => Some(operation),
            None => self.left_memory(id).await?,
        };
        match before {
            Some(before) if before.kind == new.kind && before.spec == new.spec => Ok(Some(before)),
            Some(_) => Err(OperationError::RequestIdReused { request_id: id.clone() }),
            None => Ok(None),
        }
    }

    /// By id or unique prefix.
    pub async fn get(&self, id: &str) -> Result<Snapshot, OperationError> {
        Ok(self.find(id).await?.snapshot())
    }

    /// Follows one; the sender never waits for a receiver, and may be gone when it has ended.
    pub async fn watch(&self, id: &str) -> Result<watch::Receiver<Snapshot>, OperationError> {
        Ok(self.find(id).await?.watch())
    }

    /// Pending and running ones.
    pub fn unfinished(&self) -> Vec<Snapshot> {
        let whole = self.whole_ones().into_iter().map(|entry| entry.snapshot());
        whole.filter(|operation| !operation.state.is_final()).collect()
    }

    /// Asks one to stop and waits for its end. `true`: it had ended before.
    pub async fn cancel(&self, id: &str, note: &str) -> Result<(Snapshot, bool), OperationError> {
        let entry = self.find(id).await?;
        if entry.snapshot().state.is_final() {
            return Ok((entry.snapshot(), true));
        }
        tracing::info!(operation = entry.snapshot().id, note, "cancel asked for");
        entry.cancel(note);
        let mut changes = entry.watch();
        // the sender lives in `entry`, so waiting cannot fail
        let ended = changes.wait_for(|operation| operation.state.is_final()).await.map(|end| end.clone());
        Ok((ended.unwrap_or_else(|_| entry.snapshot()), false))
    }

    /// Starts one again, as a new operation linked to it.
    pub async fn retry(&self, id: &str, request: Requested) -> Result<Started, OperationError> {
        let operation = self.get(id).await?;
        let refuse = |why| Err(OperationError::NotRetryable { id: operation.id.clone(), why });
        if !operation.state.is_retryable() {
            return refuse(if operation.state.is_final() { "it completed" } else { "it is still running" });
        }
        let starter =
            self.0.starters.lock().unwrap_or_else(PoisonError::into_inner).get(operation.kind.as_str()).cloned();
        let Some(starter) = starter else {
            return refuse("the daemon does not keep what it needs");
        };
        starter(Retry { spec: operation.spec.clone(), retry_of: operation.id.clone(), request }).await
    }

    /// Waits until no work is left; called after the stop token has fired.
    pub async fn drained(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}
