//! What the folder has, the bucket gets: one task, which looks at what differs and brings it up, a few files at once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{
    Bucket, BucketError,
    about::{self, about},
};
use crate::{
    error::in_line,
    store::{Difference, Store, StoreError},
};

/// Files at once.
const AT_ONCE: usize = 4;
/// Changes that come close together go up together.
const PAUSE: Duration = Duration::from_millis(500);
/// After a failure, doubled each time.
const AGAIN_FIRST: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_mins(1);

/// Between two looks at the whole bucket.
const SURVEY: Duration = Duration::from_hours(24);

/// A handle; cheap to clone.
#[derive(Debug, Clone)]
pub struct Mirror {
    store: Store,
    bucket: Bucket,
    last_error: Arc<Mutex<Option<String>>>,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorFacts {
    /// The bucket.
    pub address: String,
    /// Files that differ there.
    pub behind: usize,
    /// Files that were fetched from there since the start.
    pub fetched: u64,
    /// Why the last attempt failed; gone after one that did not.
    pub last_error: Option<String>,
}

impl Mirror {
    /// Of a store that has this bucket.
    pub fn new(store: Store, bucket: Bucket) -> Self {
        Self { store, bucket, last_error: Arc::default() }
    }

    /// How far it is.
    pub fn facts(&self) -> MirrorFacts {
        MirrorFacts {
            address: self.bucket.address.to_string(),
            behind: self.store.differences().len(),
            fetched: self.store.fetches(),
            last_error: self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Brings up what differs, whenever something does, until `stop`. What is left then is found at the next start.
    pub async fn keep(self, stop: CancellationToken) {
        let (mut again, mut surveyed) = (AGAIN_FIRST, None);
        loop {
            let Some(failed) = stop.run_until_cancelled(self.pass(&mut surveyed)).await else { return };
            let pause = again;
            again = if failed { (again * 2).min(AGAIN_MAX) } else { AGAIN_FIRST };
            let pause = async {
                // a change does not wait for a file that has trouble, and a day without one is looked at too
                let longest = if failed { pause } else { SURVEY };
                tokio::select! {
                    () = tokio::time::sleep(longest) => {}
                    () = self.store.changed() => tokio::time::sleep(PAUSE).await,
                }
            };
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    /// Whether anything failed.
    async fn pass(&self, surveyed: &mut Option<Instant>) -> bool {
        let mut failed = None;
        if surveyed.is_none_or(|at| at.elapsed() > SURVEY) {
            match self.survey().await {
                Ok(()) => *surveyed = Some(Instant::now()),
                Err(error) => failed = Some(error),
            }
        }
        let differences = futures_util::stream::iter(self.store.differences());
        let done = differences.map(|difference| self.settle(difference)).buffer_unordered(AT_ONCE);
        let failed: Option<BucketError> = done.fold(failed, async |failed, one| failed.or(one.err())).await;
        let told = failed.map(|error| in_line(&error));
        let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        if told != *last
            && let Some(error) = &told
        {
            tracing::warn!(error, "the bucket does not have everything yet");
        }
        last.clone_from(&told);
        told.is_some()
    }

    /// What we put there and is not there any more goes up again.
    async fn survey(&self) -> Result<(), BucketError> {
        let there: BTreeMap<_, _> =
            self.bucket.list().await?.into_iter().map(|object| (object.name, object.version)).collect();
        for (key, year, version) in self.store.uploaded() {
            let name = self.store.name_of(&key, year);
            match there.get(&name) {
                Some(Some(now)) if *now != version => {
                    tracing::warn!(name, "an object of the bucket is not the one that we put there");
                }
                Some(_) => {}
                None => {
                    tracing::warn!(name, "an object of the bucket is gone");
                    let store = self.store.clone();
                    blocking(move || store.forget_upload(&key, year)).await?;
                }
            }
        }
        Ok(())
    }

    async fn settle(&self, difference: Difference) -> Result<(), BucketError> {
        let name = self.store.name_of(&difference.key, difference.year);
        if difference.wanted.is_none() {
            return self.remove(difference, &name).await;
        }
        let Difference { key, year, version, held, sent, .. } = difference;
        let (store, at) = (self.store.clone(), key.clone());
        let part = blocking(move || {
            let part = store.part(&at, year)?;
            // gone meanwhile: the next pass sees that
            part.iter().try_for_each(|(part, _)| store.note_sent(&at, year, part.checksum))?;
            Ok(part)
        });
        let Some((part, bytes)) = part.await? else { return Ok(()) };
        let facts = about(&part);
        let put = match self.bucket.put(&name, bytes.clone(), &facts, version.as_deref()).await {
            Err(BucketError::Taken { address, name }) => {
                let Some((other, now)) = self.bucket.about(&name).await? else {
                    return Err(BucketError::Taken { address, name });
                };
                match about::checksum(&other) {
                    // the answer to an earlier attempt was lost
                    Some(there) if there == part.checksum => Ok(now),
                    // sent by us and never confirmed, or copied within the bucket: under another version it is still ours
                    Some(there) if [held, sent].contains(&Some(there)) => {
                        self.bucket.put(&name, bytes, &facts, Some(&now)).await
                    }
                    _ => Err(BucketError::Taken { address, name }),
                }
            }
            put => put,
        }?;
        let (store, checksum) = (self.store.clone(), part.checksum);
        Ok(blocking(move || store.put_upload(&key, year, (checksum, put))).await?)
    }

    /// Buckets know no deletion of one version: it is looked at first.
    async fn remove(&self, difference: Difference, name: &str) -> Result<(), BucketError> {
        let Difference { key, year, version, held, sent, .. } = difference;
        if let Some((other, now)) = self.bucket.about(name).await? {
            let there = about::checksum(&other);
            if version == Some(now) || (there.is_some() && [held, sent].contains(&there)) {
                self.bucket.delete(name).await?;
            } else {
                tracing::warn!(name, "somebody else wrote this object; it is left alone");
            }
        }
        let store = self.store.clone();
        Ok(blocking(move || store.forget_upload(&key, year)).await?)
    }
}

/// Work of the store on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::Closed))
}
