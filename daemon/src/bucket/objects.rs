//! The five things that are done with a bucket.

use std::{error::Error, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::{
    Attribute, Attributes, BackoffConfig, GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions, RetryConfig,
    UpdateVersion, aws::AmazonS3Builder, path::Path,
};
use tokio::runtime::Handle;

use super::{BucketAddress, BucketError, about::About, http::Connector};
use crate::store::Remote;

/// For one thing, with all attempts: a file is at most some tens of megabytes.
const ANSWER: Duration = Duration::from_mins(2);

/// A handle; cheap to clone.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Where it is.
    pub address: BucketAddress,
    store: Arc<dyn ObjectStore>,
    runtime: Handle,
}

/// One object.
#[derive(Debug, Clone)]
pub(super) struct Object {
    /// Below the prefix.
    pub(super) name: String,
    /// What the bucket calls this version of it; some do not say in lists.
    pub(super) version: Option<String>,
}

impl Bucket {
    /// Credentials, region and endpoint come from the environment, and what it does not say from `secrets`: names of variables,
    /// and values.
    /// Nothing is asked yet.
    pub fn new<'a>(
        address: BucketAddress,
        secrets: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, BucketError> {
        let retry = RetryConfig {
            backoff: BackoffConfig { init_backoff: Duration::from_millis(100), ..BackoffConfig::default() },
            max_retries: 3,
            retry_timeout: Duration::from_secs(20),
        };
        let mut builder = AmazonS3Builder::from_env();
        for (name, value) in secrets {
            if std::env::var_os(name).is_none()
                && let Ok(key) = name.to_ascii_lowercase().parse()
            {
                builder = builder.with_config(key, value);
            }
        }
        let built = builder.with_bucket_name(&address.bucket).with_http_connector(Connector).with_retry(retry).build();
        match built {
            Ok(store) => Ok(Self { address, store: Arc::new(store), runtime: Handle::current() }),
            Err(source) => Err(BucketError::Settings { address, source }),
        }
    }

    fn path(&self, name: &str) -> Result<Path, BucketError> {
        let parsed = Path::parse(self.address.object(name));
        parsed.map_err(|error| self.failed("name", name, error.into()))
    }

    fn failed(&self, what: &'static str, name: &str, error: object_store::Error) -> BucketError {
        BucketError::Failed { address: self.address.clone(), what, name: name.into(), source: Box::new(error) }
    }

    async fn within<T>(
        &self,
        what: &'static str,
        name: &str,
        work: impl Future<Output = object_store::Result<T>>,
    ) -> Result<Result<T, object_store::Error>, BucketError> {
        let slow = |_| BucketError::Slow { address: self.address.clone(), what, name: name.into() };
        tokio::time::timeout(ANSWER, work).await.map_err(slow)
    }

    /// All objects below `bars/`.
    pub(super) async fn list(&self) -> Result<Vec<Object>, BucketError> {
        let below = self.path("bars")?;
        let listed = self.within("list", "bars", self.store.list(Some(&below)).try_collect::<Vec<_>>()).await?;
        let listed = listed.map_err(|error| self.failed("list", "bars", error))?;
        let object = |meta: object_store::ObjectMeta| {
            let name = self.address.name(meta.location.as_ref())?.to_owned();
            Some(Object { name, version: meta.e_tag })
        };
        Ok(listed.into_iter().filter_map(object).collect())
    }

    /// What an object says of itself, and its version; `None`: there is none.
    pub(super) async fn about(&self, name: &str) -> Result<Option<(About, String)>, BucketError> {
        let (path, head) = (self.path(name)?, GetOptions { head: true, ..GetOptions::default() });
        match self.within("look at", name, self.store.get_opts(&path, head)).await? {
            Ok(found) => {
                let facts = found.attributes.iter().filter_map(|(name, value)| match name {
                    Attribute::Metadata(name) => Some((name.to_lowercase(), value.as_ref().to_owned())),
                    _ => None,
                });
                Ok(Some((facts.collect(), found.meta.e_tag.unwrap_or_default())))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("look at", name, error)),
        }
    }

    /// All of it; `None`: there is none.
    pub(super) async fn get(&self, name: &str) -> Result<Option<Bytes>, BucketError> {
        let path = self.path(name)?;
        let get = async { self.store.get(&path).await?.bytes().await };
        match self.within("get", name, get).await? {
            Ok(bytes) => Ok(Some(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("get", name, error)),
        }
    }

    /// Puts it there, in place of the version `over` or of nothing; the version that it is now. Atomic. Versions are empty where
    /// the bucket has no names for them, and nothing can be asked of it then.
    pub(super) async fn put(
        &self,
        name: &str,
        bytes: Bytes,
        about: &About,
        over: Option<&str>,
    ) -> Result<String, BucketError> {
        let path = self.path(name)?;
        let mode = match over {
            None => PutMode::Create,
            Some("") => PutMode::Overwrite,
            Some(version) => PutMode::Update(UpdateVersion { e_tag: Some(version.to_owned()), version: None }),
        };
        let facts = about.iter().map(|(name, value)| (Attribute::Metadata(name.clone().into()), value.clone()));
        let attributes: Attributes = facts.collect();
        let options = PutOptions { mode, attributes, ..PutOptions::default() };
        match self.within("put", name, self.store.put_opts(&path, bytes.into(), options)).await? {
            Ok(put) => Ok(put.e_tag.unwrap_or_default()),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                Err(BucketError::Taken { address: self.address.clone(), name: name.into() })
            }
            Err(error) => Err(self.failed("put", name, error)),
        }
    }

    /// Takes it away; it may be gone already.
    pub(super) async fn delete(&self, name: &str) -> Result<(), BucketError> {
        let path = self.path(name)?;
        match self.within("delete", name, self.store.delete(&path)).await? {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("delete", name, error)),
        }
    }
}

impl Remote for Bucket {
    fn fetch(&self, name: &str) -> Result<Option<Bytes>, Box<dyn Error + Send + Sync>> {
        let (bucket, name) = (self.clone(), name.to_owned());
        let (reply, answer) = std::sync::mpsc::sync_channel(1);
        self.runtime.spawn(async move { reply.send(bucket.get(&name).await) });
        Ok(answer.recv()??)
    }
}
