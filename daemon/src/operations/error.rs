//! What can go wrong with an operation as such; what goes wrong inside one is its [`Failure`](crate::error::Failure).

use std::time::Duration;

use ktrdr_proto::reason::{self, Reason};

use crate::{error::Reasoned, store::StoreError};

/// An error of the registry.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// No id begins like this.
    #[error("there is no operation {id:?}")]
    NotFound {
        /// As asked, cut.
        id: String,
    },
    /// Several ids begin like this.
    #[error("{count} operations begin with {id:?}")]
    Ambiguous {
        /// As asked.
        id: String,
        /// How many.
        count: usize,
    },
    /// It is still running, it completed, or its kind cannot be started again.
    #[error("operation {id} cannot be retried: {why}")]
    NotRetryable {
        /// Its id.
        id: String,
        /// Why.
        why: &'static str,
    },
    /// The id belongs to a different request.
    #[error("the request id {request_id:?} was used for another request")]
    RequestIdReused {
        /// As sent.
        request_id: String,
    },
    /// Empty, too long, or not printable.
    #[error("a request id has 1 to 64 printable ASCII characters")]
    RequestIdInvalid,
    /// As many as one may have are open.
    #[error("{by} has {most} operations waiting or running, which is as many as one may have")]
    TooMany {
        /// Whose.
        by: String,
        /// How many.
        most: usize,
    },
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    ShuttingDown,
    /// A panic, which is a defect of ours.
    #[error("a defect in ktrdrd kept it from beginning")]
    Defect,
    /// The ledger failed.
    #[error("the ledger of operations failed")]
    Store(#[source] StoreError),
}

impl Reasoned for OperationError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::NotFound { .. } => &reason::OPERATION_NOT_FOUND,
            Self::Ambiguous { .. } => &reason::OPERATION_ID_AMBIGUOUS,
            Self::NotRetryable { .. } => &reason::OPERATION_NOT_RETRYABLE,
            Self::RequestIdReused { .. } => &reason::REQUEST_ID_REUSED,
            Self::RequestIdInvalid => &reason::REQUEST_INVALID,
            Self::TooMany { .. } => &reason::TOO_MANY_OPERATIONS,
            Self::ShuttingDown => &reason::SHUTTING_DOWN,
            Self::Defect => &reason::INTERNAL,
            Self::Store(error) => error.reason(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Store(error) => error.retry_after(),
            _ => None,
        }
    }
}
