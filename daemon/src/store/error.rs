//! What can go wrong with the disk and the ledger.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use ktrdr_proto::reason::{self, Reason};

use super::layout;
use crate::{clock, error::Reasoned, model::SeriesKey};

/// A ledger that was locked is worth asking again.
const LOCKED_AGAIN: Duration = Duration::from_secs(10);

/// An error of the store. `source` says which system call or statement failed and why.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk has no room.
    #[error("the disk is full: {path}")]
    Full {
        /// What was being written.
        path: PathBuf,
        /// The system's answer.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No permission, read-only, or something in the way.
    #[error("cannot write {path}")]
    Unwritable {
        /// What was being written.
        path: PathBuf,
        /// The system's answer.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Any other failure of a file.
    #[error("cannot use {path}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The ledger refused a statement.
    #[error("the ledger failed")]
    Ledger(#[source] rusqlite::Error),
    /// Another program writes to the ledger, or keeps it from being written.
    #[error("another program has the ledger {path} locked")]
    Locked {
        /// The ledger.
        path: PathBuf,
        /// `SQLite`'s answer.
        source: rusqlite::Error,
    },
    /// The ledger was written by a newer daemon.
    #[error("the ledger {path} has schema {found}, this daemon knows up to {known}; update ktrdrd")]
    LedgerNewer {
        /// The ledger.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The file is some other program's database.
    #[error("{path} is not a ledger of ktrdrd")]
    NotALedger {
        /// The file.
        path: PathBuf,
    },
    /// The ledger is damaged in its structure.
    #[error(
        "the ledger {path} is damaged ({what}); move it away, and the next start takes the files in as they are: only what was known complete has to be asked again"
    )]
    LedgerDamaged {
        /// The ledger.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The ledger's thread has ended.
    #[error("the ledger is closed")]
    Closed,
    /// A partition is not what the ledger says it is.
    #[error("the partition {year} of {key} is damaged: {why}")]
    Damaged {
        /// Which series.
        key: SeriesKey,
        /// Which year.
        year: i16,
        /// What differs.
        why: String,
    },
    /// The bucket cannot be asked for a file that only it has.
    #[error("the bucket cannot be asked for {name}")]
    Remote {
        /// Below the root.
        name: String,
        /// What happened.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The bars could not be encoded: a defect.
    #[error("cannot encode bars")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    pub(super) fn encode(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Encode(error.into())
    }

    /// Sorts an I/O error by what a person can do about it.
    pub fn io(path: &Path, error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        let path = path.to_path_buf();
        match error.kind() {
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => Self::Full { path, source: error.into() },
            Kind::PermissionDenied
            | Kind::ReadOnlyFilesystem
            | Kind::NotADirectory
            | Kind::IsADirectory
            | Kind::AlreadyExists => Self::Unwritable { path, source: error.into() },
            _ => Self::Io { path, source: error },
        }
    }

    /// The same for `SQLite`.
    pub(super) fn sqlite(path: &Path, error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let path = path.to_path_buf();
        match error.sqlite_error_code() {
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => Self::Locked { path, source: error },
            Some(Code::DiskFull) => Self::Full { path, source: error.into() },
            Some(Code::ReadOnly | Code::CannotOpen | Code::PermissionDenied) => {
                Self::Unwritable { path, source: error.into() }
            }
            Some(Code::NotADatabase) => Self::NotALedger { path },
            _ => Self::Ledger(error),
        }
    }
}

impl Reasoned for StoreError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::Full { .. } => &reason::STORE_FULL,
            Self::Unwritable { .. } => &reason::STORE_UNWRITABLE,
            Self::Damaged { .. } => &reason::PARTITION_DAMAGED,
            Self::Locked { .. } => &reason::LEDGER_LOCKED,
            Self::Io { .. }
            | Self::Ledger(_)
            | Self::LedgerNewer { .. }
            | Self::LedgerDamaged { .. }
            | Self::NotALedger { .. } => &reason::STORE_FAILED,
            Self::Closed => &reason::SHUTTING_DOWN,
            Self::Remote { .. } => &reason::BUCKET_UNAVAILABLE,
            Self::Encode(_) => &reason::INTERNAL,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        matches!(self, Self::Locked { .. }).then_some(LOCKED_AGAIN)
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        let Self::Damaged { key, year, .. } = self else {
            return Vec::new();
        };
        let date = |year| clock::text(layout::year_start(year)).chars().take(10).collect();
        vec![
            ("symbol", key.symbol.to_string()),
            ("timeframe", key.timeframe.to_string()),
            ("start", date(*year)),
            ("end", date(year.saturating_add(1))),
        ]
    }
}
