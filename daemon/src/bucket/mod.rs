//! The bucket: the dataset in object storage, under the same names as in the folder.
//!
//! The ledger stays local, and so does a working copy of the files; a bucket has no rename, no lock and no order of writes that a
//! ledger could stand on. Files go up whole, after the commit that made them, and only over the version that we put there: what
//! somebody else wrote is told, not replaced. A new folder takes in what the bucket has, and fetches files as they are read.
//!
//! Not here: what differs (`store::mirrored`).

mod about;
mod address;
mod error;
mod http;
mod link;
mod mirror;
mod objects;

pub use address::BucketAddress;
pub use error::BucketError;
pub use link::{is_met, meet};
pub use mirror::{Mirror, MirrorFacts};
pub use objects::Bucket;
