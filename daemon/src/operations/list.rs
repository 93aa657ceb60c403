//! Lists of operations, page by page: out of memory as far as it goes, then out of the ledger.

use std::{collections::HashSet, sync::Arc};

use super::{
    OperationError, Registry, Snapshot, State,
    entries::{Entries, place},
    entry::{self, Entry},
};
use crate::store::{Ended, EndedRows, Place};

/// Read from the ledger at a time: others wait for it meanwhile.
const AT_A_TIME: usize = 200;

/// Which operations are listed; empty means any.
#[derive(Debug, Default)]
pub struct Filter {
    /// States.
    pub states: Vec<State>,
    /// Kind.
    pub kind: String,
    /// How the id begins.
    pub id: String,
}

/// A part of the list.
#[derive(Debug)]
pub struct Page {
    /// Newest first.
    pub operations: Vec<Snapshot>,
    /// Where to go on after; absent on the last page.
    pub next: Option<Place>,
    /// Matching operations in all.
    pub total: usize,
}

/// What memory has of a page.
struct Begun {
    /// Newest first.
    operations: Vec<Snapshot>,
    /// As far as memory knows.
    total: usize,
    /// Of these, the ledger alone may have some of the page.
    there: Option<Ended>,
}

impl Page {
    /// Only the first ones of it.
    pub fn shorten(&mut self, to: usize) {
        if to < self.operations.len() {
            self.operations.truncate(to);
            self.next = self.operations.last().map(|last| place(last));
        }
    }
}

impl Filter {
    fn is_any(&self) -> bool {
        self.states.is_empty() && self.kind.is_empty() && self.id.is_empty()
    }

    fn fits(&self, kind: &str, state: State) -> bool {
        (self.states.is_empty() || self.states.contains(&state)) && (self.kind.is_empty() || self.kind == kind)
    }

    fn row(&self, entry: &Entry) -> Option<Snapshot> {
        let operation = entry.snapshot();
        (self.fits(&operation.kind, operation.state) && operation.id.starts_with(&self.id)).then_some(operation)
    }

    /// At most `most` of those after `before`. Only a filter has to look at each of them for the total.
    fn begin(&self, entries: &Entries, before: Option<&Place>, most: usize) -> Begun {
        let operations: Vec<_> = entries.newest_first(before).filter_map(|entry| self.row(entry)).take(most).collect();
        let here =
            if self.is_any() { entries.len() } else { entries.all().filter_map(|entry| self.row(entry)).count() };
        let there = entries.there(|kind, state| self.fits(kind, state));
        let last = operations.last().filter(|_| operations.len() == most);
        let is_page = last.is_some_and(|last| !entries.is_newest_there(&place(last)));
        Begun {
            total: if self.id.is_empty() { here + there } else { here },
            there: (there > 0 && !(is_page && self.id.is_empty())).then(|| self.ended(entries.ids())),
            operations,
        }
    }

    /// The same for the ledger.
    fn ended(&self, without: HashSet<Arc<str>>) -> Ended {
        let states = self.states.iter().map(|state| state.name().to_owned()).collect();
        Ended { states, kind: self.kind.clone(), id: self.id.clone(), without }
    }
}

impl Registry {
    /// Goes up whenever a list could be another one. To be read before the list that it is kept with.
    pub fn changes(&self) -> u64 {
        self.0.changes.count()
    }

    /// A page of the list, newest first: of those older than `after`, which may be gone itself.
    pub async fn list(&self, filter: &Filter, after: Option<&Place>, size: usize) -> Result<Page, OperationError> {
        // one more than asked for tells that there are more
        let most = size.saturating_add(1);
        let Begun { mut operations, mut total, there } = filter.begin(&*self.entries().await, after, most);
        let mut next = None;
        if let Some(which) = there {
            if !filter.id.is_empty() {
                total += self.count_ended(which.clone()).await?;
            }
            let (read, until) = self.of_ledger(which, after.cloned(), most).await?;
            // older ones come after those that were not read
            operations.retain(|one| until.as_ref().is_none_or(|until| place(one) >= *until));
            operations.extend(read);
            operations.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
            next = until;
        }
        let mut page = Page { operations, next, total };
        page.shorten(size);
        Ok(page)
    }

    /// Newest first, at most `most`; and where it stopped before that, because they are long.
    async fn of_ledger(
        &self,
        which: Ended,
        mut before: Option<Place>,
        most: usize,
    ) -> Result<(Vec<Snapshot>, Option<Place>), OperationError> {
        let (mut all, mut held): (Vec<Snapshot>, _) = (Vec::new(), 0);
        while all.len() < most {
            let some = AT_A_TIME.min(most - all.len());
            let EndedRows { rows, bytes, is_long } = self.ended(which.clone(), before, some, held).await?;
            let is_last = rows.len() < some;
            all.extend(rows.into_iter().map(|row| Arc::new(entry::revive(row))));
            (before, held) = (all.last().map(|last| place(last)), bytes);
            if is_long {
                return Ok((all, before));
            }
            if is_last {
                break;
            }
        }
        Ok((all, None))
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Mutex};

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{
        error::Failure,
        operations::{Keep, NewOperation, Operation, Outcome, Requested},
        store::{Layout, Store},
    };

    const COUNT: usize = 250;

    fn registry(folder: &Path) -> Registry {
        let store = Store::open(Layout::new(folder.to_path_buf())).unwrap();
        Registry::open(store, Keep::default(), &[], COUNT, CancellationToken::new()).unwrap()
    }

    fn new(number: usize) -> NewOperation {
        NewOperation {
            kind: if number.is_multiple_of(2) { "load" } else { "import" },
            subject: format!("S{number} 1h"),
            request: Requested { id: format!("request-{number}"), by: None },
            spec: format!("{{\"number\":{number}}}"),
            retry_of: None,
            waits: false,
        }
    }

    async fn ended(registry: &Registry, number: usize) -> Snapshot {
        let result = serde_json::json!({"number": number});
        let failure = || Failure::new(&ktrdr_proto::reason::INTERNAL, "as asked");
        let is_failed = number.is_multiple_of(3);
        let outcome = if is_failed { Outcome::failed(Some(result), failure()) } else { Outcome::completed(result) };
        ended_with(registry, number, outcome).await
    }

    async fn ended_with(registry: &Registry, number: usize, outcome: Outcome) -> Snapshot {
        let started = registry.start(new(number), |_| async { outcome }).await.unwrap();
        let mut watch = registry.watch(&started.operation.id).await.unwrap();
        watch.wait_for(|operation| operation.state.is_final()).await.unwrap().clone()
    }

    fn told(operation: &Operation) -> String {
        format!("{operation:?}")
    }

    /// All pages.
    async fn listed(registry: &Registry, filter: &Filter) -> Vec<String> {
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let page = registry.list(filter, after.as_ref(), 70).await.unwrap();
            listed.extend(page.operations.iter().map(|one| told(one)));
            after = page.next;
            if after.is_none() {
                assert_eq!(page.total, listed.len());
                return listed;
            }
        }
    }

    /// Whatever is asked of it says the same of all of them, in this life and in the next one.
    async fn says_all(registry: &Registry, all: &[Snapshot]) {
        let mut newest_first: Vec<_> = all.to_vec();
        newest_first.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
        let by_state = |state| Filter { states: vec![state], ..Filter::default() };
        let filters = [
            Filter::default(),
            by_state(State::Failed),
            by_state(State::Completed),
            by_state(State::Running),
            Filter { kind: "load".into(), ..by_state(State::Failed) },
            Filter { kind: "train".into(), ..Filter::default() },
            Filter { id: "op_import_".into(), ..Filter::default() },
            Filter { id: all[17].id.clone(), ..Filter::default() },
        ];
        for filter in filters {
            let is_meant = |one: &Snapshot| filter.fits(&one.kind, one.state) && one.id.starts_with(&filter.id);
            let meant: Vec<_> = newest_first.iter().filter(|one| is_meant(one)).map(|one| told(one)).collect();
            assert_eq!(listed(registry, &filter).await, meant, "{filter:?}");
        }
        let between = (newest_first[16].created, String::new());
        let page = registry.list(&Filter::default(), Some(&between), 70).await.unwrap();
        assert_eq!((page.total, told(&page.operations[0])), (all.len(), told(&newest_first[17])), "after none of them");
        for (number, operation) in all.iter().enumerate() {
            assert_eq!(told(&registry.get(&operation.id).await.unwrap()), told(operation));
            assert!(registry.is_recorded(&operation.id).await);
            let again = registry.started_before(&new(number)).await.unwrap().unwrap();
            assert_eq!(again.id, operation.id);
            let other = NewOperation { spec: "{}".into(), ..new(number) };
            assert!(matches!(registry.started_before(&other).await, Err(OperationError::RequestIdReused { .. })));
        }
        let (cancelled, before) = registry.cancel(&all[0].id, "").await.unwrap();
        assert!(before && told(&cancelled) == told(&all[0]));
        assert!(matches!(registry.get("op_l").await, Err(OperationError::Ambiguous { .. })));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_left_memory_is_listed_found_and_joined_like_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let lived = registry(folder.path());
        let mut all = Vec::new();
        for number in 0..COUNT {
            all.push(ended(&lived, number).await);
        }
        says_all(&lived, &all).await;
        lived.drained().await;
        assert_eq!(lived.whole_ones().len(), 100);
        drop(lived);
        let next = registry(folder.path());
        assert!(next.whole_ones().is_empty());
        says_all(&next, &all).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_that_is_at_work_since_long_has_its_place_among_those_that_only_the_ledger_has() {
        let folder = tempfile::tempdir().unwrap();
        let registry = registry(folder.path());
        let end = CancellationToken::new();
        let mut all = Vec::new();
        for number in 0..COUNT {
            if number.is_multiple_of(90) {
                let ends = end.clone();
                let work = move |_| async move {
                    ends.cancelled().await;
                    Outcome::completed(serde_json::json!({}))
                };
                registry.start(new(number), work).await.unwrap();
            } else {
                all.push(ended(&registry, number).await);
            }
        }
        all.extend(registry.unfinished());
        assert_eq!(all.len(), COUNT);
        all.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
        let told: Vec<_> = all.iter().map(|one| told(one)).collect();
        assert_eq!(listed(&registry, &Filter::default()).await, told);
        end.cancel();
        registry.drained().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_end_that_could_not_be_recorded_is_recorded_later() {
        let folder = tempfile::tempdir().unwrap();
        let lived = registry(folder.path());
        let operation = ended(&lived, 1).await;
        let ledger = rusqlite::Connection::open(Layout::new(folder.path().to_path_buf()).ledger()).unwrap();
        ledger.execute("UPDATE operation SET state = 'running', ended_ns = NULL", []).unwrap();
        lived.entries().await.get(&operation.id).unwrap().set_recorded(false);
        lived.prune().await;
        assert!(lived.is_recorded(&operation.id).await);
        drop(lived);
        assert_eq!(told(&registry(folder.path()).get(&operation.id).await.unwrap()), told(&operation));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_forgotten_is_counted_no_more_wherever_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Layout::new(folder.path().to_path_buf())).unwrap();
        let keep = Keep { days: 1, count: 100 };
        let registry = Registry::open(store, keep, &[], COUNT, CancellationToken::new()).unwrap();
        let mut all = Vec::new();
        for number in 0..COUNT {
            all.push(ended(&registry, number).await);
        }
        // the newest end is the oldest of all: it is forgotten out of memory, others out of the ledger
        let ledger = rusqlite::Connection::open(Layout::new(folder.path().to_path_buf()).ledger()).unwrap();
        for gone in [&all[3].id, &all[7].id, &all[COUNT - 1].id] {
            ledger.execute("UPDATE operation SET created_ns = 1, ended_ns = 2 WHERE id = ?1", [gone]).unwrap();
        }
        registry.prune().await;
        let page = registry.list(&Filter::default(), None, 1_000).await.unwrap();
        assert_eq!((page.total, page.operations.len()), (COUNT - 3, COUNT - 3));
        let failed = Filter { states: vec![State::Failed], ..Filter::default() };
        let page = registry.list(&failed, None, 1_000).await.unwrap();
        assert_eq!((page.total, page.operations.len()), (COUNT.div_ceil(3) - 2, COUNT.div_ceil(3) - 2));
        assert!(matches!(registry.get(&all[7].id).await, Err(OperationError::NotFound { .. })));
    }

    fn long(bytes: usize) -> Outcome {
        Outcome::completed(serde_json::json!("x".repeat(bytes)))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn long_results_make_short_pages() {
        let folder = tempfile::tempdir().unwrap();
        let lived = registry(folder.path());
        let mut all = Vec::new();
        for number in 0..5 {
            let one = ended_with(&lived, number, long(2 << 20)).await;
            all.push(told(&one));
        }
        lived.drained().await;
        drop(lived);
        all.reverse();
        let next = registry(folder.path());
        let page = next.list(&Filter::default(), None, 70).await.unwrap();
        assert_eq!((page.operations.len(), page.total, page.next.is_some()), (2, 5, true));
        assert_eq!(listed(&next, &Filter::default()).await, all);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_at_work_among_long_results_comes_in_its_turn() {
        let folder = tempfile::tempdir().unwrap();
        let registry = registry(folder.path());
        let end = CancellationToken::new();
        let (mut all, ends) = (Vec::new(), end.clone());
        let work = move |_| async move {
            ends.cancelled().await;
            Outcome::completed(serde_json::json!({}))
        };
        let mut watch = registry.watch(&registry.start(new(0), work).await.unwrap().operation.id).await.unwrap();
        all.push(told(&watch.wait_for(|operation| operation.state == State::Running).await.unwrap()));
        // newer than the one at work, and out of memory
        for number in 1..105 {
            let outcome = long(if number < 5 { 2 << 20 } else { 1 });
            let one = ended_with(&registry, number, outcome).await;
            all.push(told(&one));
        }
        wait_until(|| registry.whole_ones().len() == 101).await;
        all.reverse();
        assert_eq!(listed(&registry, &Filter::default()).await, all);
        end.cancel();
        registry.drained().await;
    }

    /// What happens after the end of an operation was told.
    async fn wait_until(mut is_so: impl FnMut() -> bool) {
        let whole = async {
            while !is_so() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), whole).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whatever_changes_a_list_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let registry = registry(folder.path());
        let (go_on, told) = (Arc::new(tokio::sync::Notify::new()), Arc::new(Mutex::new(Vec::new())));
        // what counts without a difference may come at any time, until the count stands still
        let look = async || {
            let (before, page) = loop {
                let before = registry.changes();
                let page = registry.list(&Filter::default(), None, 70).await.unwrap();
                if registry.changes() == before {
                    break (before, page);
                }
            };
            let seen = format!("{:?}", page.operations);
            let mut told = told.lock().unwrap();
            assert!(told.iter().all(|(count, was)| *count < before || *was == seen), "{before} stands for two lists");
            told.push((before, seen));
        };
        look().await;
        let turn = go_on.clone();
        let work = move |context: crate::operations::Context| async move {
            for done in 1..=3 {
                turn.notified().await;
                context.progress(|progress| progress.done = done);
            }
            turn.notified().await;
            Outcome::completed(serde_json::json!({}))
        };
        let started = registry.start(new(1), work).await.unwrap();
        let mut watch = registry.watch(&started.operation.id).await.unwrap();
        watch.wait_for(|operation| operation.state == State::Running).await.unwrap();
        look().await;
        for done in 1..=3 {
            go_on.notify_one();
            watch.wait_for(|operation| operation.progress.done == done).await.unwrap();
            look().await;
        }
        go_on.notify_one();
        watch.wait_for(|operation| operation.state.is_final()).await.unwrap();
        look().await;
        assert_eq!(told.lock().unwrap().iter().map(|(_, seen)| seen).collect::<HashSet<_>>().len(), 6);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_that_somebody_watches_stays_whole() {
        let folder = tempfile::tempdir().unwrap();
        let registry = registry(folder.path());
        let first = ended(&registry, 0).await;
        let watch = registry.watch(&first.id).await.unwrap();
        for number in 1..110 {
            ended(&registry, number).await;
        }
        registry.drained().await;
        assert!(registry.whole_ones().iter().any(|entry| entry.snapshot().id == first.id));
        drop(watch);
    }
}
