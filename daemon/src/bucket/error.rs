//! What can go wrong with a bucket.

use super::BucketAddress;

/// An error of the bucket. `source` says what it answered.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// The environment does not say how to get at it.
    #[error(
        "the bucket {address} cannot be used; AWS_ENDPOINT_URL, AWS_REGION and the usual AWS_… variables say how to get at it"
    )]
    Settings {
        /// Which.
        address: BucketAddress,
        /// What is missing.
        source: object_store::Error,
    },
    /// No answer, or one that is not of use.
    #[error("the bucket {address} failed: {what} {name}")]
    Failed {
        /// Which.
        address: BucketAddress,
        /// What was asked.
        what: &'static str,
        /// For which object.
        name: String,
        /// What happened.
        source: Box<object_store::Error>,
    },
    /// The object is not the one that we put there.
    #[error("somebody else wrote {name} in the bucket {address}; it is left alone")]
    Taken {
        /// Which.
        address: BucketAddress,
        /// Which object.
        name: String,
    },
    /// It did not come to an end.
    #[error("the bucket {address} takes too long: {what} {name}")]
    Slow {
        /// Which.
        address: BucketAddress,
        /// What was asked.
        what: &'static str,
        /// For which object.
        name: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}
