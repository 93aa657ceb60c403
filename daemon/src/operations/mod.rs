//! Everything long: one life cycle, one progress shape, one way to watch and cancel, one ledger that survives a
//! restart.
//!
//! The registry knows no loads: who starts one hands it the future, and registers by kind how to start it again.
//! An operation is in the ledger before its caller hears of it, and its end is there before a watcher sees it.

mod changes;
mod entries;
mod entry;
mod error;
mod find;
mod history;
mod list;
mod prune;
mod registry;
mod running;
mod share;
mod state;
mod work;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use error::OperationError;
pub use list::{Filter, Page};
pub use prune::Keep;
pub use registry::{NewOperation, Registry, Started};
pub use share::Requested;
pub use state::State;
pub use work::{Context, End, Outcome, Retry, Starter};

use crate::{error::Failure, model::Nanos};

/// An operation at one moment; shared, because many watch it.
pub type Snapshot = Arc<Operation>;

/// What is known of an operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `op_<kind>_<ULID>`.
    pub id: String,
    /// `load`, `import`.
    pub kind: String,
    /// Where it is in its life.
    pub state: State,
    /// What it works on, for people.
    pub subject: String,
    /// Made by the client.
    pub request_id: String,
    /// How to start it again, for its kind; JSON.
    pub spec: String,
    /// When it was entered.
    pub created: Nanos,
    /// When its work began.
    pub started: Option<Nanos>,
    /// When it ended.
    pub ended: Option<Nanos>,
    /// How far it is.
    pub progress: Progress,
    /// Why it did not complete.
    pub failure: Option<Failure>,
    /// What it achieved, for its kind, as JSON; also of one that failed halfway.
    pub result: Option<String>,
    /// The operation that this one retries.
    pub retry_of: Option<String>,
}

impl Operation {
    /// 0 to 100, while the total is known: 100 is what has completed, whatever was counted, and nothing else.
    pub fn percent(&self) -> Option<f64> {
        let counted = self.progress.percent()?;
        Some(if self.state == State::Completed { 100.0 } else { counted.min(ALMOST) })
    }
}

/// Everything is counted, the end is not recorded yet.
const ALMOST: f64 = 99.9;

/// One shape of progress for all kinds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Finished units.
    pub done: u64,
    /// All units; 0 while unknown.
    pub total: u64,
    /// What is counted.
    pub unit: String,
    /// What is being done now.
    pub message: String,
    /// Of an operation that does several things: each of them. The counts above are their sums.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// What only its kind knows, for its kind to read.
    #[serde(default)]
    pub detail: Option<serde_json::Value>,
}

/// One of several things that an operation does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// For people: `NVDA 1h`.
    pub name: String,
    /// A [`State`].
    pub state: String,
    /// As in [`Progress`].
    pub done: u64,
    /// As in [`Progress`].
    pub total: u64,
    /// As in [`Progress`].
    pub message: String,
}

impl Part {
    /// Not begun yet.
    pub fn named(name: String) -> Self {
        Self { name, state: State::Pending.name().into(), done: 0, total: 0, message: String::new() }
    }
}

impl Progress {
    /// Lets a part change as if it were a progress of its own, and adds up.
    fn change_part(&mut self, index: usize, change: impl FnOnce(&mut Self)) {
        let Some(part) = self.parts.get_mut(index) else { return };
        let mut own = Self { done: part.done, total: part.total, message: part.message.clone(), ..Self::default() };
        change(&mut own);
        (part.done, part.total, part.message) = (own.done, own.total, own.message);
        self.done = self.parts.iter().map(|part| part.done).sum();
        self.total = self.parts.iter().map(|part| part.total).sum();
    }

    /// 0 to 100, while the total is known. Of parts, the mean: how much there is of those to come is not known.
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    fn percent(&self) -> Option<f64> {
        let of = |done: u64, total: u64| (total > 0).then(|| 100.0 * done.min(total) as f64 / total as f64);
        if self.parts.is_empty() {
            return of(self.done, self.total);
        }
        let part = |part: &Part| match State::parse(&part.state) {
            Some(state) if state.is_final() => 100.0,
            _ => of(part.done, part.total).unwrap_or(0.0),
        };
        Some(self.parts.iter().map(part).sum::<f64>() / self.parts.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_completed_is_whole() {
        let mut operation = Operation {
            id: "op_load_1".into(),
            kind: "load".into(),
            state: State::Pending,
            subject: "AAPL 1h".into(),
            request_id: "1".into(),
            spec: String::new(),
            created: 0,
            started: None,
            ended: None,
            progress: Progress { done: 4, total: 4, ..Progress::default() },
            failure: None,
            result: None,
            retry_of: None,
        };
        for state in State::ALL {
            operation.state = state;
            assert_eq!(operation.percent() == Some(100.0), state == State::Completed, "{state:?}");
        }
        operation.state = State::Completed;
        operation.progress.done = 1;
        assert_eq!(operation.percent(), Some(100.0), "a training that stopped early is over, too");
        operation.progress.total = 0;
        assert_eq!(operation.percent(), None);
    }
}
