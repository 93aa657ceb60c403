//! The `SQLite` ledger: one connection, owned by one thread that runs closures in order.
//!
//! `synchronous=FULL` in WAL mode: a commit that returned is on the disk. Everything the daemon acknowledges goes
//! through here first.

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
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::StoreError;

pub use contracts::{ContractRow, HeadRow};
pub use departures::DepartureRow;
pub use kept::KeptRow;
pub use operations::OperationRow;
pub use revisions::RevisionRow;
pub use series::ImportRow;
pub(in crate::store) use series::PartitionRow;
pub use sessions::SessionRow;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

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
        let (reply, answer) = oneshot::channel();
        // a caller that has gone away does not undo its transaction
        self.send(work, move |result| drop(reply.send(result)))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// The same for what a failing power may forget, though not a killed process: without waiting for the disk.
    pub(in crate::store) async fn note(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        let path = self.path.clone();
        let job: Job = Box::new(move |connection| {
            let relaxed = connection.execute_batch("PRAGMA synchronous = NORMAL");
            let noted = relaxed.and_then(|()| in_transaction(connection, work));
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
        self.send(work, move |result| drop(reply.send(result)))?;
        answer.recv().unwrap_or(Err(StoreError::Closed))
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
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
        reply: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        let path = self.path.clone();
        let job: Job = Box::new(move |connection| {
            let result = in_transaction(connection, work).map_err(|error| StoreError::sqlite(&path, error));
            reply(result);
        });
        self.jobs.send(job).map_err(|_| StoreError::Closed)
    }
}

/// Immediate, so that the lock is taken before anything was read.
fn in_transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    transaction.commit()?;
    Ok(value)
}
