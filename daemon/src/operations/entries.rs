//! The operations that are in memory: those that have not ended, and the newest ends. Found by id, by age, and by the request that
//! started them. What orders them never changes in the life of an operation, so a look touches only what it answers with.
//!
//! All others are in the ledger alone. Of them, memory has how many there are and how new the newest is: most lists need no more.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    ops::Bound,
    sync::Arc,
};

use super::{Operation, Snapshot, State, entry::Entry};
use crate::{
    model::Nanos,
    store::{Counted, Forgotten, Place},
};

/// Ends that stay in memory: people look at what they have just done.
const WHOLE: usize = 100;

/// Where an operation is in the order of the lists.
pub(super) fn place(operation: &Operation) -> Place {
    (operation.created, operation.id.clone())
}

/// What is known of those that only the ledger has.
#[derive(Debug, Default)]
struct There {
    /// How many, by kind and state.
    counts: HashMap<(String, State), usize>,
    /// None of them is newer.
    newest: Option<Place>,
}

impl There {
    fn count(&mut self, kind: &str, state: State) -> &mut usize {
        self.counts.entry((kind.to_owned(), state)).or_default()
    }
}

#[derive(Debug, Default)]
pub(super) struct Entries {
    ids: BTreeMap<Arc<str>, Arc<Entry>>,
    /// By when it was created, and its id: the order of the lists.
    ages: BTreeMap<(Nanos, Arc<str>), Arc<Entry>>,
    requests: HashMap<Arc<str>, Arc<Entry>>,
    /// Those that have ended, in the order of their ends.
    ended: VecDeque<Arc<str>>,
    there: There,
}

impl Entries {
    /// Beside these, there are those of earlier lives.
    pub(super) fn new(left: &[Arc<Entry>], earlier: Counted) -> Self {
        let mut entries = Self::default();
        for (kind, state, count) in earlier.counts {
            *entries.there.count(&kind, State::recorded(&state)) += count;
        }
        entries.there.newest = earlier.newest;
        for entry in left {
            entries.insert(entry.clone());
        }
        entries
    }

    pub(super) fn insert(&mut self, entry: Arc<Entry>) {
        let operation = entry.snapshot();
        let id: Arc<str> = operation.id.as_str().into();
        self.ages.insert((operation.created, id.clone()), entry.clone());
        self.requests.insert(operation.request_id.as_str().into(), entry.clone());
        self.ids.insert(id, entry);
    }

    fn remove(&mut self, id: &str) -> Option<Snapshot> {
        let (id, entry) = self.ids.remove_entry(id)?;
        let operation = entry.snapshot();
        // unless the request has started another one since
        let request = operation.request_id.as_str();
        if self.requests.get(request).is_some_and(|started| Arc::ptr_eq(started, &entry)) {
            self.requests.remove(request);
        }
        self.ages.remove(&(operation.created, id));
        Some(operation)
    }

    /// The ledger has it no more.
    pub(super) fn forget(&mut self, forgotten: &Forgotten) {
        if self.remove(&forgotten.id).is_none() {
            let count = self.there.count(&forgotten.kind, State::recorded(&forgotten.state));
            *count = count.saturating_sub(1);
        }
    }

    /// One has ended: those that ended long before it leave memory.
    pub(super) fn ended(&mut self, id: &str) {
        self.ended.push_back(id.into());
        for _ in WHOLE..self.ended.len() {
            let Some(id) = self.ended.pop_front() else { return };
            if self.must_stay(&id) {
                self.ended.push_back(id);
            } else {
                self.leave(&id);
            }
        }
    }

    /// Nobody else has it, or somebody looks at it.
    fn must_stay(&self, id: &str) -> bool {
        self.ids.get(id).is_some_and(|entry| !entry.is_recorded() || entry.is_watched())
    }

    /// The ledger alone has it from now on.
    fn leave(&mut self, id: &str) {
        let Some(operation) = self.remove(id) else { return };
        *self.there.count(&operation.kind, operation.state) += 1;
        let place = Some(place(&operation));
        if place > self.there.newest {
            self.there.newest = place;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Arc<Entry>> {
        self.ids.get(id)
    }

    pub(super) fn of_request(&self, request_id: &str) -> Option<&Arc<Entry>> {
        self.requests.get(request_id)
    }

    /// Those whose id begins so, by id.
    pub(super) fn starting_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Arc<Entry>> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        self.ids.range::<str, _>(from).take_while(move |(id, _)| id.starts_with(prefix)).map(|(_, entry)| entry)
    }

    /// By id.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.ids.values()
    }

    /// Their ids.
    pub(super) fn ids(&self) -> HashSet<Arc<str>> {
        self.ids.keys().cloned().collect()
    }

    /// Newest first; with `before`, those older than it.
    pub(super) fn newest_first(&self, before: Option<&Place>) -> impl Iterator<Item = &Arc<Entry>> {
        let end = before.map_or(Bound::Unbounded, |(created, id)| Bound::Excluded((*created, id.as_str().into())));
        self.ages.range((Bound::Unbounded, end)).rev().map(|(_, entry)| entry)
    }

    /// How many only the ledger has, of the kinds and states that `fit`.
    pub(super) fn there(&self, fit: impl Fn(&str, State) -> bool) -> usize {
        let counts = self.there.counts.iter().filter(|((kind, state), _)| fit(kind, *state));
        counts.map(|(_, count)| count).sum()
    }

    /// The newest of those that only the ledger has is newer than this; or was, before it was forgotten.
    pub(super) fn is_newest_there(&self, than: &Place) -> bool {
        self.there.newest.as_ref().is_some_and(|newest| newest > than)
    }
}
