//! Lists of operations, page by page.

use super::{Registry, Snapshot, State, entries::Entries};

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

impl Filter {
    fn is_any(&self) -> bool {
        self.states.is_empty() && self.kind.is_empty()
    }

    fn fits(&self, operation: &Snapshot) -> bool {
        (self.states.is_empty() || self.states.contains(&operation.state))
            && (self.kind.is_empty() || self.kind == operation.kind)
    }

    /// Matching operations in all; only a filter has to look at each of them.
    fn total(&self, entries: &Entries) -> usize {
        if self.is_any() { entries.len() } else { entries.all().filter(|entry| self.fits(&entry.snapshot())).count() }
    }
}

impl Registry {
    /// A page of the list, newest first, after the operation `after` (empty: from the newest).
    pub fn list(&self, filter: &Filter, after: &str, size: usize) -> Page {
        let entries = self.entries();
        let last = entries.get(after).map(AsRef::as_ref);
        let total = filter.total(&entries);
        if last.is_none() && !after.is_empty() {
            return Page { operations: Vec::new(), next: String::new(), total };
        }
        let mut fitting = entries.newest_first(last).map(|entry| entry.snapshot()).filter(|one| filter.fits(one));
        let operations: Vec<Snapshot> = fitting.by_ref().take(size).collect();
        let more = fitting.next().is_some();
        let next = operations.last().filter(|_| more).map(|last| last.id.clone()).unwrap_or_default();
        Page { operations, next, total }
    }
}
