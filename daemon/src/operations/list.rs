//! Lists of operations, page by page.

use std::{collections::HashMap, sync::Arc};

use super::{
    OperationError, Registry, Snapshot, State,
    entries::{Entries, Known},
};

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
    /// Id to go on after; empty on the last page.
    pub next: String,
    /// Matching operations in all.
    pub total: usize,
}

/// One of a page: here, or in the ledger.
enum Row {
    Here(Snapshot),
    There(Arc<str>),
}

impl Row {
    fn id(&self) -> &str {
        match self {
            Self::Here(operation) => &operation.id,
            Self::There(id) => id,
        }
    }
}

impl Filter {
    fn is_any(&self) -> bool {
        self.states.is_empty() && self.kind.is_empty() && self.id.is_empty()
    }

    fn fits(&self, state: State, kind: &str, id: &str) -> bool {
        (self.states.is_empty() || self.states.contains(&state))
            && (self.kind.is_empty() || self.kind == kind)
            && id.starts_with(&self.id)
    }

    fn row(&self, (id, known): (&Arc<str>, &Known)) -> Option<Row> {
        match known {
            Known::Whole(entry) => {
                let operation = entry.snapshot();
                self.fits(operation.state, &operation.kind, &operation.id).then_some(Row::Here(operation))
            }
            Known::Trace(trace) => self.fits(trace.state, &trace.kind, id).then(|| Row::There(id.clone())),
        }
    }

    /// Matching operations in all; only a filter has to look at each of them.
    fn total(&self, entries: &Entries) -> usize {
        if self.is_any() { entries.len() } else { entries.all().filter_map(|known| self.row(known)).count() }
    }
}

impl Registry {
    /// A page of the list, newest first, after the operation `after` (empty: from the newest).
    pub async fn list(&self, filter: &Filter, after: &str, size: usize) -> Result<Page, OperationError> {
        let (rows, next, total) = {
            let entries = self.entries().await;
            let last = entries.get(after);
            let total = filter.total(&entries);
            if last.is_none() && !after.is_empty() {
                return Ok(Page { operations: Vec::new(), next: String::new(), total });
            }
            let mut fitting = entries.newest_first(last.map(|known| (after, known))).filter_map(|one| filter.row(one));
            let rows: Vec<Row> = fitting.by_ref().take(size).collect();
            let more = fitting.next().is_some();
            let next = rows.last().filter(|_| more).map(|last| last.id().to_owned()).unwrap_or_default();
            (rows, next, total)
        };
        Ok(Page { operations: self.whole(rows).await?, next, total })
    }

    /// With what the ledger has of them; one that was forgotten meanwhile is left out.
    async fn whole(&self, rows: Vec<Row>) -> Result<Vec<Snapshot>, OperationError> {
        let wanted: Vec<String> =
            rows.iter().filter(|row| matches!(row, Row::There(_))).map(|row| row.id().into()).collect();
        let mut read = HashMap::new();
        for some in wanted.chunks(AT_A_TIME) {
            read.extend(self.read(some.to_vec()).await?.into_iter().map(|one| (one.id.clone(), one)));
        }
        let whole = |row| match row {
            Row::Here(operation) => Some(operation),
            Row::There(id) => read.remove(&*id).map(Arc::new),
        };
        Ok(rows.into_iter().filter_map(whole).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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
        let work = move |_| async move {
            let result = serde_json::json!({"number": number});
            let failure = || Failure::new(&ktrdr_proto::reason::INTERNAL, "as asked");
            if number.is_multiple_of(3) { Outcome::failed(Some(result), failure()) } else { Outcome::completed(result) }
        };
        let started = registry.start(new(number), work).await.unwrap();
        let mut watch = registry.watch(&started.operation.id).await.unwrap();
        watch.wait_for(|operation| operation.state.is_final()).await.unwrap().clone()
    }

    fn told(operation: &Operation) -> String {
        format!("{operation:?}")
    }

    /// Whatever is asked of it says the same of all of them, in this life and in the next one.
    async fn says_all(registry: &Registry, all: &[Snapshot]) {
        let mut newest_first: Vec<_> = all.to_vec();
        newest_first.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
        let (mut listed, mut after) = (Vec::new(), String::new());
        loop {
            let page = registry.list(&Filter::default(), &after, 70).await.unwrap();
            assert_eq!(page.total, all.len());
            listed.extend(page.operations);
            after = page.next;
            if after.is_empty() {
                break;
            }
        }
        let telling = |all: &[Snapshot]| all.iter().map(|one| told(one)).collect::<Vec<_>>();
        assert_eq!(telling(&listed), telling(&newest_first));
        let filter = Filter { states: vec![State::Failed], kind: "load".into(), id: String::new() };
        let failed = registry.list(&filter, "", 1_000).await.unwrap();
        assert_eq!((failed.total, failed.operations.len()), (COUNT.div_ceil(6), COUNT.div_ceil(6)));
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
