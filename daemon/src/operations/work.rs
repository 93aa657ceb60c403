//! What the work of an operation sees, and what it gives back.

use std::{pin::Pin, sync::Arc};

use tokio_util::sync::CancellationToken;

use super::{OperationError, Progress, Started, State, entry::Entry};
use crate::error::Failure;

/// Handed to the work: who it is, whether to stop, where to report progress.
#[derive(Debug, Clone)]
pub struct Context {
    pub(super) entry: Arc<Entry>,
    pub(super) stop: CancellationToken,
    pub(super) part: Option<usize>,
}

impl Context {
    /// The operation's id.
    pub fn id(&self) -> String {
        self.entry.snapshot().id.clone()
    }

    /// Fires when somebody cancels, or the daemon stops.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Changes the progress; watchers see the latest only.
    pub fn progress(&self, change: impl FnOnce(&mut Progress)) {
        self.entry.modify(|operation| match self.part {
            None => change(&mut operation.progress),
            Some(part) => operation.progress.change_part(part, change),
        });
    }

    /// For one of several things that the operation does: what it reports is reported of that one.
    #[must_use]
    pub fn part(&self, index: usize) -> Self {
        Self { part: Some(index), ..self.clone() }
    }

    /// Where the part is now; of the whole, its registry decides.
    pub fn enter(&self, state: State) {
        self.entry.modify(|operation| {
            if let Some(part) = self.part.and_then(|index| operation.progress.parts.get_mut(index)) {
                state.name().clone_into(&mut part.state);
            }
        });
    }

    /// Where the part, or the whole, is.
    pub fn state(&self) -> State {
        let operation = self.entry.snapshot();
        let part = self.part.and_then(|index| operation.progress.parts.get(index));
        part.and_then(|part| State::parse(&part.state)).unwrap_or(operation.state)
    }
}

/// How the work ended.
#[derive(Debug)]
pub struct Outcome {
    /// What was achieved.
    pub result: Option<serde_json::Value>,
    /// Why it did not complete; ignored when it was told to stop.
    pub failure: Option<Failure>,
    /// It stopped because it was told to.
    pub stopped: bool,
}

impl Outcome {
    /// Everything done.
    pub fn completed(result: serde_json::Value) -> Self {
        Self { result: Some(result), failure: None, stopped: false }
    }

    /// Ended early, with what was achieved until then.
    pub fn failed(result: Option<serde_json::Value>, failure: Failure) -> Self {
        Self { result, failure: Some(failure), stopped: false }
    }

    /// Told to stop, with what was achieved until then.
    pub fn stopped(result: serde_json::Value) -> Self {
        Self { result: Some(result), failure: None, stopped: true }
    }
}

/// Starts an operation of one kind again, from its spec.
pub type Starter =
    Arc<dyn Fn(Retry) -> Pin<Box<dyn Future<Output = Result<Started, OperationError>> + Send>> + Send + Sync>;

/// What a [`Starter`] needs.
#[derive(Debug, Clone)]
pub struct Retry {
    /// Of the operation that is retried.
    pub spec: String,
    /// Its id.
    pub retry_of: String,
    /// Of the new request.
    pub request_id: String,
}
