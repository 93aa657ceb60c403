//! What the ledger remembers beside bars: operations, contracts, departures. Each call is one statement of `ledger`.

use std::{collections::HashSet, sync::Arc, time::Instant};

use super::{
    Age, ContractRow, Counted, DepartureRow, Ended, EndedRows, Forgotten, HeadRow, OperationRow, Place, SessionRow,
    Store, StoreError,
    ledger::{contracts, departures, operations, sessions},
};
use crate::model::Nanos;

impl Store {
    /// Whether the ledger's thread turns. A ledger that another program has locked is not mended by a new life.
    pub async fn is_alive(&self) -> bool {
        matches!(self.ledger.call(|_| Ok(())).await, Ok(()) | Err(StoreError::Locked { .. }))
    }

    /// Inserts or updates an operation; on the disk when it returns.
    pub async fn put_operation(&self, row: OperationRow) -> Result<(), StoreError> {
        self.ledger.call(move |ledger| operations::put(ledger, &row)).await
    }

    /// The same for one whose caller has waited since then for others to be put.
    pub async fn put_new_operation(&self, row: OperationRow, asked: Instant) -> Result<(), StoreError> {
        self.ledger.call_since(asked, move |ledger| operations::put(ledger, &row)).await
    }

    /// The same for threads that may block.
    pub fn put_operation_blocking(&self, row: OperationRow) -> Result<(), StoreError> {
        self.ledger.call_blocking(move |ledger| operations::put(ledger, &row))
    }

    /// All operations that have not ended, in any order. Blocks.
    pub fn unfinished_operations(&self) -> Result<Vec<OperationRow>, StoreError> {
        self.ledger.call_blocking(|ledger| operations::unfinished(ledger))
    }

    /// Of those that have ended, newest first: `before` that one, at most `most`, and fewer when they are long. The chunks of the
    /// page before had so many `bytes`.
    pub async fn ended_operations(
        &self,
        ended: Ended,
        before: Option<Place>,
        most: usize,
        bytes: usize,
    ) -> Result<EndedRows, StoreError> {
        self.ledger.look(move |ledger| operations::ended(ledger, &ended, before.as_ref(), most, bytes)).await
    }

    /// How many of those that have ended are meant.
    pub async fn count_ended_operations(&self, ended: Ended) -> Result<usize, StoreError> {
        self.ledger.look(move |ledger| operations::count(ledger, &ended)).await
    }

    /// How many have ended, of each kind and state, without some.
    pub async fn counted_operations(&self, without: HashSet<Arc<str>>) -> Result<Counted, StoreError> {
        self.ledger.look(move |ledger| operations::counted(ledger, &without)).await
    }

    /// One that has ended.
    pub async fn ended_operation(&self, id: String) -> Result<Option<OperationRow>, StoreError> {
        self.ledger.look(move |ledger| operations::one(ledger, &id)).await
    }

    /// The one that a request started.
    pub async fn operation_of_request(&self, request_id: String) -> Result<Option<OperationRow>, StoreError> {
        self.ledger.look(move |ledger| operations::of_request(ledger, &request_id)).await
    }

    /// Takes those operations out that `goes` says of all ages, by their positions; all or none.
    pub async fn forget_operations(
        &self,
        goes: impl FnOnce(&[Age]) -> Vec<usize> + Send + 'static,
    ) -> Result<Vec<Forgotten>, StoreError> {
        self.ledger.call(move |ledger| operations::forget(ledger, goes)).await
    }

    /// Remembers which host runs, or is to run, a session; on the disk when it returns.
    pub async fn put_session(&self, row: SessionRow) -> Result<(), StoreError> {
        self.ledger.call(move |ledger| sessions::put(ledger, &row)).await
    }

    /// Which hosts were asked to run which sessions. Blocks.
    pub fn sessions_blocking(&self) -> Result<Vec<SessionRow>, StoreError> {
        self.ledger.call_blocking(|ledger| sessions::all(ledger))
    }

    /// No host was, after all.
    pub async fn forget_session(&self, operation: String) -> Result<(), StoreError> {
        self.ledger.call(move |ledger| sessions::forget(ledger, &operation)).await
    }

    /// A contract resolved before.
    pub async fn contract(&self, symbol: String) -> Result<Option<ContractRow>, StoreError> {
        self.ledger.call(move |ledger| contracts::contract(ledger, &symbol)).await
    }

    /// Remembers a contract.
    pub async fn put_contract(&self, row: ContractRow) -> Result<(), StoreError> {
        self.ledger.call(move |ledger| contracts::put_contract(ledger, &row)).await
    }

    /// The earliest bar as the gateway told it; `None` when it was never asked, `Some(None)` when there is none.
    pub async fn head(&self, contract_id: i32, what: &'static str) -> Result<Option<Option<Nanos>>, StoreError> {
        self.ledger.call(move |ledger| contracts::head(ledger, contract_id, what)).await
    }

    /// Remembers it.
    pub async fn put_head(&self, row: HeadRow) -> Result<(), StoreError> {
        self.ledger.call(move |ledger| contracts::put_head(ledger, &row)).await
    }

    /// What left for the gateway since an instant, oldest first, and nothing later than now.
    pub async fn departures_since(&self, since: Nanos, now: Nanos) -> Result<Vec<DepartureRow>, StoreError> {
        self.ledger.call(move |ledger| departures::since(ledger, since, now)).await
    }

    /// Remembers a departure, for `kept` nanoseconds. Survives a killed process; a failing power may take the last ones.
    pub async fn put_departure(&self, row: DepartureRow, kept: Nanos) -> Result<(), StoreError> {
        self.ledger.note(move |ledger| departures::put(ledger, &row, row.at.saturating_sub(kept))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Layout;

    #[tokio::test]
    async fn what_left_before_the_clock_was_set_back_counts_as_now_and_no_longer_than_anything_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Layout::new(folder.path().to_path_buf())).unwrap();
        let row = |at| DepartureRow {
            at,
            request: "r".into(),
            subject: "s".into(),
            small: true,
            weight: 1,
            origin: "person".into(),
        };
        for at in [10_500, 90_000, 91_000] {
            store.put_departure(row(at), 1_000_000).await.unwrap();
        }
        let read = async |since, now| store.departures_since(since, now).await.unwrap();
        let ats: Vec<_> = read(10_000, 11_000).await.iter().map(|row| row.at).collect();
        assert_eq!(ats, [10_500, 11_000, 11_000]);
        assert_eq!(read(11_500, 12_500).await, [], "they grow old like others");
    }
}
