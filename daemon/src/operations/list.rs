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
        let newest_first = |a: &Snapshot, b: &Snapshot| (b.created, &b.id).cmp(&(a.created, &a.id));
        let entries = self.entries();
        let mut operations: Vec<Snapshot> = entries.values().map(|entry| entry.snapshot()).filter(fits).collect();
        let last = entries.get(after).map(|entry| entry.snapshot());
        drop(entries);
        let total = operations.len();
        match last {
            Some(last) => operations.retain(|one| newest_first(&last, one).is_lt()),
            None if after.is_empty() => {}
            None => operations.clear(),
        }
        let more = operations.len() > size;
        if more {
            // ten of thousands are found without sorting all of them
            operations.select_nth_unstable_by(size, newest_first);
            operations.truncate(size);
        }
        operations.sort_unstable_by(newest_first);
        let next = operations.last().filter(|_| more).map(|last| last.id.clone()).unwrap_or_default();
        Page { operations, next, total }
    }
}
