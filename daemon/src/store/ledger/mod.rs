//! The `SQLite` ledger: one connection, owned by one thread that runs closures in order.
//!
//! `synchronous=FULL` in WAL mode: a commit that returned is on the disk. Everything the daemon acknowledges goes
//! through here first.
//!
//! The file is one that other programs can open. While one of them has it locked, a job waits for a few seconds, those behind it
//! in the queue together with it, and is refused then.

pub(super) mod contracts;
pub(super) mod departures;
pub(super) mod kept;
pub(super) mod operations;
pub(super) mod revisions;
mod schema;
pub(super) mod series;
pub(super) mod sessions;
pub(super) mod uploads;

use std::{
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::StoreError;

pub use contracts::{ContractRow, HeadRow};
pub use departures::DepartureRow;
pub use kept::KeptRow;
pub use operations::{Age, Counted, Ended, EndedRows, Forgotten, OperationRow, Place};
pub use revisions::RevisionRow;
pub use series::ImportRow;
pub(in crate::store) use series::PartitionRow;
pub use sessions::SessionRow;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// So long a job waits for another program's lock, from when it was asked for.
const LOCKED_MAX: Duration = Duration::from_secs(5);

/// A handle; the thread ends when the last one is dropped.
#[derive(Debug, Clone)]
pub(in crate::store) struct Ledger {
    jobs: mpsc::Sender<Job>,
    path: PathBuf,
}

impl Ledger {
    /// Opens or creates it, migrates it, and refuses a newer one.
    pub(in crate::store) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path).map_err(|error| StoreError::sqlite(path, error))?;
        schema::prepare(&mut connection, path)?;
        let (jobs, queue) = mpsc::channel::<Job>();
        thread::Builder::new()
            .name("ledger".into())
            .spawn(move || {
                for job in queue {
                    job(&mut connection);
                }
            })
            .map_err(|error| StoreError::io(path, error))?;
        Ok(Self { jobs, path: path.to_path_buf() })
    }

    /// Runs `work` in one transaction and waits for it, asynchronously.
    pub(in crate::store) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.call_since(Instant::now(), work).await
    }

    /// The same for a caller that has waited for something else since then.
    pub(in crate::store) async fn call_since<T: Send + 'static>(
        &self,
        asked: Instant,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        // a caller that has gone away does not undo its transaction
        self.send(asked, work, move |result| drop(reply.send(result)))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// The same for what a failing power may forget, though not a killed process: without waiting for the disk.
    pub(in crate::store) async fn note(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        let (path, asked) = (self.path.clone(), Instant::now());
        let job: Job = Box::new(move |connection| {
            let relaxed = connection.execute_batch("PRAGMA synchronous = NORMAL");
            let noted = relaxed.and_then(|()| in_transaction(connection, asked, work));
            let noted = connection.execute_batch("PRAGMA synchronous = FULL").and(noted);
            drop(reply.send(noted.map_err(|error| StoreError::sqlite(&path, error))));
        });
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// The same for threads that may block.
    pub(in crate::store) fn call_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.send(Instant::now(), work, move |result| drop(reply.send(result)))?;
        answer.recv().unwrap_or(Err(StoreError::Closed))
    }

    /// Only looks: another program that writes does not hinder it.
    pub(in crate::store) async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let path = self.path.clone();
        let job: Job = Box::new(move |connection| {
            // else who asks and leaves, again and again, keeps those waiting who write
            if reply.is_closed() {
                return;
            }
            let waits = connection.busy_timeout(LOCKED_MAX);
            drop(reply.send(waits.and_then(|()| work(connection)).map_err(|error| StoreError::sqlite(&path, error))));
        });
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Looks at every page.
    pub(in crate::store) fn check(&self) -> Result<(), StoreError> {
        let found: String =
            self.call_blocking(|ledger| ledger.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)))?;
        if found == "ok" { Ok(()) } else { Err(StoreError::LedgerDamaged { path: self.path.clone(), what: found }) }
    }

    /// Moves everything into the one file, so that a copy of it is whole. A convenience: a failure is only told.
    pub(in crate::store) fn checkpoint_blocking(&self) {
        let (reply, answer) = mpsc::sync_channel(1);
        let job: Job = Box::new(move |connection| {
            drop(reply.send(connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")));
        });
        let sent = self.jobs.send(job).is_ok();
        if let (true, Ok(Err(error))) = (sent, answer.recv()) {
            tracing::warn!(%error, "the ledger's last checkpoint failed");
        }
    }

    fn send<T: Send + 'static>(
        &self,
        asked: Instant,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
        reply: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        let path = self.path.clone();
        let job: Job = Box::new(move |connection| {
            let result = in_transaction(connection, asked, work).map_err(|error| StoreError::sqlite(&path, error));
            reply(result);
        });
        self.jobs.send(job).map_err(|_| StoreError::Closed)
    }
}

/// Immediate, so that the lock is taken before anything was read.
fn in_transaction<T>(
    connection: &mut Connection,
    asked: Instant,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    // else a hundred jobs would wait a hundred times as long as one
    connection.busy_timeout(LOCKED_MAX.saturating_sub(asked.elapsed()))?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(error: &StoreError) -> bool {
        matches!(error, StoreError::Locked { .. })
    }

    #[tokio::test]
    async fn who_only_looks_does_not_wait_for_who_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ktrdr.sqlite");
        let ledger = Ledger::open(&path).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN EXCLUSIVE; INSERT INTO contract VALUES ('AAPL', '', 0)").unwrap();
        let count =
            |ledger: &Connection| ledger.query_row("SELECT count(*) FROM contract", [], |row| row.get::<_, i64>(0));
        assert_eq!(ledger.look(count).await.unwrap(), 0);
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(ledger.look(count).await.unwrap(), 1);
    }

    #[test]
    fn a_lock_of_another_program_is_waited_for_by_all_together_and_then_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ktrdr.sqlite");
        let ledger = Ledger::open(&path).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let (began, count) = (Instant::now(), 20);
        let errors: Vec<StoreError> = thread::scope(|scope| {
            let calls: Vec<_> =
                (0..count).map(|_| scope.spawn(|| ledger.call_blocking(|_| Ok(())).unwrap_err())).collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        assert!(errors.iter().all(locked), "{errors:?}");
        assert!(
            began.elapsed() < LOCKED_MAX * 3,
            "twenty in a row would take a hundred seconds: {:?}",
            began.elapsed()
        );
        assert!(Ledger::open(&path).is_ok_and(|second| locked(&second.call_blocking(|_| Ok(())).unwrap_err())));
        drop(other);
        ledger.call_blocking(|_| Ok(())).unwrap();
    }
}
