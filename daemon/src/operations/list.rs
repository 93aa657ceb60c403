//! Lists of operations, page by page.

use super::{Registry, Snapshot, State};

/// Which operations are listed; empty means any.
#[derive(Debug, Default)]
pub struct Filter {
    /// States.
    pub states: Vec<State>,
    /// Kind.
    pub kind: String,
}

/// A part of the list.
#[derive(Debug)]
pub struct Page {
    /// Newest first.
    pub operations: Vec<Snapshot>,
    /// Id to go on after; empty on the last page.
    pub next: String,
    /// Matching operations in all.
    pub total: usize,
}

impl Registry {
    /// A page of the list, newest first, after the operation `after` (empty: from the newest).
    pub fn list(&self, filter: &Filter, after: &str, size: usize) -> Page {
        let fits = |operation: &Snapshot| {
            (filter.states.is_empty() || filter.states.contains(&operation.state))
                && (filter.kind.is_empty() || filter.kind == operation.kind)
        };
        let mut all: Vec<Snapshot> = self.entries().values().map(|entry| entry.snapshot()).filter(fits).collect();
        all.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
        let total = all.len();
        let from =
            if after.is_empty() { 0 } else { all.iter().position(|one| one.id == after).map_or(total, |at| at + 1) };
        let operations: Vec<_> = all[from..].iter().take(size).cloned().collect();
        let more = from + operations.len() < total;
        let next = operations.last().filter(|_| more).map(|last| last.id.clone()).unwrap_or_default();
        Page { operations, next, total }
    }
}
