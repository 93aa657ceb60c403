//! The operations in memory, found by id, by age and by the request that started them. What orders them never changes
//! in the life of an operation, so a look touches only what it answers with.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

use super::entry::Entry;
use crate::model::Nanos;

/// When it was created, and its id: the order of the lists.
type Age = (Nanos, String);

#[derive(Debug, Default)]
pub(super) struct Entries {
    ids: BTreeMap<String, Arc<Entry>>,
    ages: BTreeMap<Age, Arc<Entry>>,
    requests: HashMap<String, Arc<Entry>>,
}

impl Entries {
    pub(super) fn insert(&mut self, entry: Arc<Entry>) {
        let operation = entry.snapshot();
        self.ages.insert((operation.created, operation.id.clone()), entry.clone());
        self.requests.insert(operation.request_id.clone(), entry.clone());
        self.ids.insert(operation.id.clone(), entry);
    }

    pub(super) fn remove(&mut self, id: &str) {
        let Some(entry) = self.ids.remove(id) else { return };
        let operation = entry.snapshot();
        self.ages.remove(&(operation.created, operation.id.clone()));
        self.requests.remove(&operation.request_id);
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

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.ids.values()
    }

    /// Newest first; with `after`, those older than it.
    pub(super) fn newest_first(&self, after: Option<&Entry>) -> impl Iterator<Item = &Arc<Entry>> {
        let end = after.map_or(Bound::Unbounded, |entry| {
            let operation = entry.snapshot();
            Bound::Excluded((operation.created, operation.id.clone()))
        });
        self.ages.range((Bound::Unbounded, end)).rev().map(|(_, entry)| entry)
    }
}
