//! All operations that are remembered, found by id, by age and, those in memory, by the request that started them. What orders them
//! never changes in the life of an operation, so a look touches only what it answers with.
//!
//! What has ended leaves memory for the ledger, but for the newest ends: of the others, a [`Trace`] of some hundred bytes says that
//! they are there. It has only what lists need; the ledger knows the rest, requests included.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    ops::Bound,
    sync::Arc,
};

use super::{State, entry::Entry, prune::Age};
use crate::{model::Nanos, store::EndedRow};

/// Ends that stay whole: people look at what they have just done.
const WHOLE: usize = 100;

/// What stays in memory of an operation whose rest is in the ledger: what it is found and counted by.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    pub(super) kind: Arc<str>,
    pub(super) state: State,
    created: Nanos,
    ended: Nanos,
}

/// Where an operation is.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// In memory.
    Whole(Arc<Entry>),
    /// In the ledger.
    Trace(Trace),
}

impl Known {
    /// When it was entered, and when it ended.
    fn age(&self) -> Age {
        match self {
            Self::Whole(entry) => {
                let operation = entry.snapshot();
                Age { created: operation.created, ended: operation.ended }
            }
            Self::Trace(trace) => Age { created: trace.created, ended: Some(trace.ended) },
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Entries {
    ids: BTreeMap<Arc<str>, Known>,
    /// When it was created, and its id: the order of the lists.
    ages: BTreeSet<(Nanos, Arc<str>)>,
    /// Whole ones, by the id of the request.
    requests: HashMap<Arc<str>, Arc<Entry>>,
    /// Whole ones that have ended, in the order of their ends.
    ended: VecDeque<Arc<str>>,
    /// One text for each kind.
    kinds: HashSet<Arc<str>>,
}

impl Entries {
    pub(super) fn insert(&mut self, entry: Arc<Entry>) {
        let operation = entry.snapshot();
        self.requests.insert(operation.request_id.as_str().into(), entry.clone());
        self.add(operation.id.as_str().into(), Known::Whole(entry));
    }

    /// One that ended in an earlier life.
    pub(super) fn insert_ended(&mut self, row: EndedRow) {
        let trace = Trace {
            kind: self.kind(&row.kind),
            state: State::parse(&row.state).unwrap_or(State::Failed),
            created: row.created,
            ended: row.ended,
        };
        self.add(row.id.into(), Known::Trace(trace));
    }

    fn add(&mut self, id: Arc<str>, known: Known) {
        self.ages.insert((known.age().created, id.clone()));
        self.ids.insert(id, known);
    }

    pub(super) fn remove(&mut self, id: &str) {
        let Some((id, known)) = self.ids.remove_entry(id) else { return };
        if let Known::Whole(entry) = &known {
            self.forget_request(entry);
        }
        self.ages.remove(&(known.age().created, id));
    }

    /// Unless it has started another one since.
    fn forget_request(&mut self, entry: &Arc<Entry>) {
        let request = &entry.snapshot().request_id;
        if self.requests.get(request.as_str()).is_some_and(|started| Arc::ptr_eq(started, entry)) {
            self.requests.remove(request.as_str());
        }
    }

    /// One has ended: those that ended long before it leave memory.
    pub(super) fn ended(&mut self, id: &str) {
        self.ended.push_back(id.into());
        for _ in WHOLE..self.ended.len() {
            let Some(id) = self.ended.pop_front() else { return };
            if !self.reduced(&id) {
                self.ended.push_back(id);
            }
        }
    }

    /// Leaves a trace of one; not of one that nobody else has, or that somebody looks at.
    fn reduced(&mut self, id: &Arc<str>) -> bool {
        let Some(Known::Whole(entry)) = self.ids.get(id).cloned() else { return true };
        let operation = entry.snapshot();
        let (Some(ended), true, false) = (operation.ended, entry.is_recorded(), entry.is_watched()) else {
            return false;
        };
        let trace =
            Trace { kind: self.kind(&operation.kind), state: operation.state, created: operation.created, ended };
        self.forget_request(&entry);
        self.ids.insert(id.clone(), Known::Trace(trace));
        true
    }

    fn kind(&mut self, kind: &str) -> Arc<str> {
        if let Some(known) = self.kinds.get(kind) {
            return known.clone();
        }
        let new: Arc<str> = kind.into();
        self.kinds.insert(new.clone());
        new
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Known> {
        self.ids.get(id)
    }

    /// Of whole ones.
    pub(super) fn of_request(&self, request_id: &str) -> Option<&Arc<Entry>> {
        self.requests.get(request_id)
    }

    /// Those whose id begins so, by id.
    pub(super) fn starting_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a Arc<str>, &'a Known)> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        self.ids.range::<str, _>(from).take_while(move |(id, _)| id.starts_with(prefix))
    }

    /// By id.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Arc<str>, &Known)> {
        self.ids.iter()
    }

    /// Of all of them, by id.
    pub(super) fn ages(&self) -> impl Iterator<Item = (&Arc<str>, Age)> {
        self.ids.iter().map(|(id, known)| (id, known.age()))
    }

    /// Newest first; with `after`, those older than it.
    pub(super) fn newest_first(&self, after: Option<(&str, &Known)>) -> impl Iterator<Item = (&Arc<str>, &Known)> {
        let end = after.map_or(Bound::Unbounded, |(id, known)| Bound::Excluded((known.age().created, id.into())));
        self.ages.range((Bound::Unbounded, end)).rev().filter_map(|(_, id)| self.ids.get_key_value(id))
    }
}
