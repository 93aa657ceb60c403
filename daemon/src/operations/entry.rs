//! One operation in memory, and its row in the ledger.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use ktrdr_proto::reason;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{End, Operation, Outcome, Progress, Snapshot, State, changes::Changes};
use crate::{clock, error::Failure, model::Nanos, store::OperationRow};

/// An operation that can be watched and cancelled.
#[derive(Debug)]
pub(super) struct Entry {
    operation: watch::Sender<Snapshot>,
    /// Fired by a person; the stop of the daemon has a token of its own.
    pub(super) cancel: CancellationToken,
    /// Why that person wanted it.
    note: Mutex<String>,
    /// The last change of state is on the disk.
    recorded: AtomicBool,
    /// Of all operations.
    changes: Changes,
}

impl Entry {
    /// One that only the ledger has: a look at it, which never changes.
    pub(super) fn of_ledger(operation: Operation) -> Self {
        Self::new(operation, Changes::default())
    }

    /// One of those in memory, and what counts their changes.
    pub(super) fn new(operation: Operation, changes: Changes) -> Self {
        Self {
            operation: watch::Sender::new(Snapshot::new(operation)),
            cancel: CancellationToken::new(),
            note: Mutex::default(),
            recorded: true.into(),
            changes,
        }
    }

    /// Asks the work to stop; the first reason given is kept.
    pub(super) fn cancel(&self, note: &str) {
        let mut kept = self.note.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.cancel.is_cancelled() {
            note.clone_into(&mut kept);
        }
        self.cancel.cancel();
    }

    /// It has not ended, and is of that kind.
    pub(super) fn is_left(&self, kind: &str) -> bool {
        let operation = self.operation.borrow();
        operation.kind == kind && !operation.state.is_final()
    }

    /// The ledger knows its last change of state.
    pub(super) fn is_recorded(&self) -> bool {
        self.recorded.load(Ordering::Relaxed)
    }

    /// Whether it does.
    pub(super) fn set_recorded(&self, recorded: bool) {
        self.recorded.store(recorded, Ordering::Relaxed);
    }

    /// Somebody looks at it.
    pub(super) fn is_watched(&self) -> bool {
        self.operation.receiver_count() > 0
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.operation.borrow().clone()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Snapshot> {
        self.operation.subscribe()
    }

    /// Changes a copy, so that a watcher's snapshot never changes under it.
    pub(super) fn modify(&self, change: impl FnOnce(&mut Operation)) {
        self.change(|snapshot| change(Snapshot::make_mut(snapshot)));
    }

    /// Every change is counted before anybody can see it.
    fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        self.operation.send_modify(|snapshot| {
            change(snapshot);
            self.changes.one();
        });
    }

    /// The operation as it would be after `change`, not yet visible to anyone.
    pub(super) fn changed(&self, change: impl FnOnce(&mut Operation)) -> Operation {
        let mut operation = Operation::clone(&self.snapshot());
        change(&mut operation);
        operation
    }

    pub(super) fn publish(&self, operation: Operation) {
        self.change(|snapshot| *snapshot = Snapshot::new(operation));
    }
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

impl From<&Operation> for OperationRow {
    fn from(operation: &Operation) -> Self {
        Self {
            id: operation.id.clone(),
            kind: operation.kind.clone(),
            state: operation.state.name().into(),
            subject: operation.subject.clone(),
            request_id: operation.request_id.clone(),
            spec: operation.spec.clone(),
            created: operation.created,
            started: operation.started,
            ended: operation.ended,
            progress: json(&operation.progress),
            failure: operation.failure.as_ref().map(json),
            result: operation.result.clone(),
            retry_of: operation.retry_of.clone(),
        }
    }
}

/// Reads a row of an earlier life.
pub(super) fn revive(row: OperationRow) -> Operation {
    let state = State::recorded(&row.state);
    Operation {
        id: row.id,
        kind: row.kind,
        state,
        subject: row.subject,
        request_id: row.request_id,
        spec: row.spec,
        created: row.created,
        started: row.started,
        ended: row.ended,
        progress: serde_json::from_str::<Progress>(&row.progress).unwrap_or_default(),
        failure: row.failure.and_then(|text| serde_json::from_str::<Failure>(&text).ok()),
        result: row.result,
        retry_of: row.retry_of,
    }
}

/// One that the end of the daemon cut off.
pub(super) fn cut_off(operation: &mut Operation, now: Nanos) {
    operation.state = State::Interrupted;
    operation.ended = Some(not_before(operation, now));
    operation.failure = Some(interruption());
}

pub(super) fn interruption() -> Failure {
    Failure::new(&reason::INTERRUPTED, "the daemon stopped while the operation was running")
}

/// Now, by a clock that may have been set back: nothing ends, or begins to work, before it began.
pub(super) fn not_before(operation: &Operation, now: Nanos) -> Nanos {
    now.max(operation.started.unwrap_or(operation.created))
}

/// What the end of the work makes of the operation.
pub(super) fn ended(entry: &Entry, outcome: Outcome) -> Operation {
    let by_person = entry.cancel.is_cancelled();
    let (state, failure) = match outcome.end {
        End::Stopped if by_person => {
            let note = entry.note.lock().unwrap_or_else(PoisonError::into_inner);
            let why = if note.is_empty() { String::new() } else { format!(": {note}") };
            let failure = Failure::new(&reason::CANCELLED, format!("the operation was cancelled{why}"));
            (State::Cancelled, Some(failure.with("operation", entry.snapshot().id.clone())))
        }
        End::Stopped | End::Left => (State::Interrupted, Some(interruption())),
        End::Failed(failure) => (State::Failed, Some(failure)),
        End::Interrupted(failure) => (State::Interrupted, Some(failure)),
        End::Completed => (State::Completed, None),
    };
    entry.changed(|operation| {
        (operation.state, operation.failure) = (state, failure);
        operation.result = outcome.result.as_ref().map(json);
        operation.ended = Some(not_before(operation, clock::now()));
        operation.progress.message.clear();
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_lets_nothing_end_before_it_began() {
        let mut operation = Operation {
            id: "op_load_1".into(),
            kind: "load".into(),
            state: State::Running,
            subject: "AAPL 1h".into(),
            request_id: "1".into(),
            spec: String::new(),
            created: 90,
            started: None,
            ended: None,
            progress: Progress::default(),
            failure: None,
            result: None,
            retry_of: None,
        };
        assert_eq!(not_before(&operation, 50), 90);
        operation.started = Some(100);
        cut_off(&mut operation, 50);
        assert_eq!(operation.ended, Some(100));
        cut_off(&mut operation, 150);
        assert_eq!(operation.ended, Some(150));
    }
}
