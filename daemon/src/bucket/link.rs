//! The first contact of a ledger with a bucket.

use futures_util::{StreamExt, TryStreamExt};

use super::{Bucket, BucketError, about, objects::Object};
use crate::store::{Layout, Part, Store};

/// Questions at once.
const AT_ONCE: usize = 16;

/// Whether the ledger knows this bucket already; then nothing has to be asked.
pub fn is_met(store: &Store, bucket: &Bucket) -> Result<bool, BucketError> {
    Ok(store.bucket()? == Some(bucket.address.to_string()))
}

/// Learns what the bucket holds. Nothing else may use the store yet.
pub async fn meet(store: &Store, bucket: &Bucket) -> Result<(), BucketError> {
    let address = bucket.address.to_string();
    let objects = bucket.list().await?;
    let count = objects.len();
    let looked = futures_util::stream::iter(objects).map(|object| look(bucket, object)).buffer_unordered(AT_ONCE);
    let found: Vec<(Part, String)> = looked.try_filter_map(async |found| Ok(found)).try_collect().await?;
    let taken = store.link(&address, found)?;
    tracing::info!(bucket = address, objects = count, taken, "met a bucket for the first time");
    Ok(())
}

/// What an object is; an object that is no file of the dataset is passed over.
async fn look(bucket: &Bucket, object: Object) -> Result<Option<(Part, String)>, BucketError> {
    let Some((key, year)) = Layout::parse_name(&object.name) else { return Ok(None) };
    let Some((facts, version)) = bucket.about(&object.name).await? else { return Ok(None) };
    if let Some(part) = about::part(key.clone(), year, &facts) {
        return Ok(Some((part, version)));
    }
    // copied there by other means
    let part = bucket.get(&object.name).await?.and_then(|bytes| Part::of(key, year, &bytes));
    if part.is_none() {
        tracing::warn!(object = object.name, "an object that cannot be read is left alone");
    }
    Ok(part.map(|part| (part, version)))
}
