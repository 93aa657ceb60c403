//! What the work of an operation sees, and what it gives back.

use std::{pin::Pin, sync::Arc};

use tokio_util::sync::CancellationToken;

use super::{
    OperationError, Progress, Registry, Requested, Snapshot, Started, State,
    entry::{self, Entry},
};
use crate::{clock, error::Failure};

/// Handed to the work: who it is, whether to stop, where to report progress.
#[derive(Debug, Clone)]
pub struct Context {
    pub(super) registry: Registry,
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

    /// It as it is now.
    pub fn operation(&self) -> Snapshot {
        self.entry.snapshot()
    }

    /// A person, not the end of the daemon, wants it to stop.
    pub fn is_cancelled(&self) -> bool {
        self.entry.cancel.is_cancelled()
    }

    /// Asks it to stop, as a person would.
    pub fn cancel(&self, note: &str) {
        self.entry.cancel(note);
    }

    /// Fires when the daemon stops, whoever else wants what.
    pub async fn daemon_stops(&self) {
        self.registry.daemon_stops().await;
    }

    /// Somebody looks at it right now.
    pub fn is_watched(&self) -> bool {
        self.entry.is_watched()
    }

    /// The work of one that waited for its turn begins; once.
    pub async fn begun(&self) {
        if self.entry.snapshot().state == State::Pending {
            let running = self.entry.changed(|operation| {
                operation.state = State::Running;
                operation.started = Some(entry::not_before(operation, clock::now()));
            });
            self.registry.settle(&self.entry, running).await;
        }
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
    /// Which end it was.
    pub end: End,
}

/// The ends of work.
#[derive(Debug)]
pub enum End {
    /// Everything done.
    Completed,
    /// It gave up.
    Failed(Failure),
    /// Something else cut it off.
    Interrupted(Failure),
    /// It was told to stop: by a person, or because the daemon ends.
    Stopped,
    /// The daemon ends, the work does not: the next life takes it up again.
    Left,
}

impl Outcome {
    /// Everything done.
    pub fn completed(result: serde_json::Value) -> Self {
        Self { result: Some(result), end: End::Completed }
    }

    /// Ended early, with what was achieved until then.
    pub fn failed(result: Option<serde_json::Value>, failure: Failure) -> Self {
        Self { result, end: End::Failed(failure) }
    }

    /// Cut off, with what was achieved until then.
    pub fn interrupted(result: Option<serde_json::Value>, failure: Failure) -> Self {
        Self { result, end: End::Interrupted(failure) }
    }

    /// Told to stop, with what was achieved until then.
    pub fn stopped(result: serde_json::Value) -> Self {
        Self { result: Some(result), end: End::Stopped }
    }

    /// It goes on elsewhere.
    pub fn left() -> Self {
        Self { result: None, end: End::Left }
    }

    /// Why it did not complete.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.end {
            End::Failed(failure) | End::Interrupted(failure) => Some(failure),
            End::Completed | End::Stopped | End::Left => None,
        }
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
    /// What asks for it.
    pub request: Requested,
}
