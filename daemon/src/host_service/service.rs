//! A service as its typed client sees it: calls in, answers or one error out.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use deadpool::Runtime;
use serde::de::DeserializeOwned;
use ulid::Ulid;

use super::{
    Address, At, Call, Health, HostError, HostStatus, PoolStatus, Reply, Trouble,
    attempt::random,
    breaker::Breaker,
    health::Record,
    pool::{self, Manager, Pool},
    retry::{self, Budget, Failed},
    tls,
};
use crate::clock;

/// How to reach one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// Unique among the services.
    pub name: String,
    /// `training`, `ib`.
    pub kind: &'static str,
    /// Where it is.
    pub address: Address,
    /// Connections at most.
    pub connections: usize,
    /// Certificates to trust besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Time-outs are so many times shorter: for tests, 1 otherwise.
    pub hurry: u32,
}

/// A handle; cheap to clone.
#[derive(Debug, Clone)]
pub struct HostService(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) config: HostConfig,
    pub(super) pool: Pool,
    watch: Mutex<Watch>,
    pub(super) requests: AtomicU64,
    pub(super) reused: AtomicU64,
    /// Work of ours runs there: silence means less.
    pub(super) busy: AtomicBool,
}

#[derive(Debug)]
pub(super) struct Watch {
    pub(super) breaker: Breaker,
    pub(super) budget: Budget,
    pub(super) record: Record,
    version: Option<String>,
    /// The last attempt, answered or not.
    pub(super) last: Option<Instant>,
}

impl HostService {
    /// Opens nothing yet. An unusable certificate file is an error.
    pub fn new(config: HostConfig) -> Result<Self, String> {
        let tls = config.address.https.then(|| tls::connector(config.ca_file.as_deref())).transpose()?;
        let pool = Pool::builder(Manager::new(config.address.clone(), tls))
            .max_size(config.connections.max(1))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| error.to_string())?;
        let watch = Watch {
            breaker: Breaker::new(),
            budget: Budget::new(Instant::now()),
            record: Record::default(),
            version: None,
            last: None,
        };
        let (requests, reused) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self(Arc::new(Inner { config, pool, watch: Mutex::new(watch), requests, reused, busy: false.into() })))
    }

    /// In the configuration.
    pub fn name(&self) -> &str {
        &self.0.config.name
    }

    /// `training`, `ib`.
    pub fn kind(&self) -> &'static str {
        self.0.config.kind
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.0.config.address
    }

    /// See [`HostConfig::hurry`].
    pub fn hurry(&self) -> u32 {
        self.0.config.hurry.max(1)
    }

    /// Its health as it was seen last.
    pub fn health(&self) -> Health {
        self.watch().record.health
    }

    /// Work may be given to it: it is up as far as known, and not left alone.
    pub fn is_usable(&self) -> bool {
        let watch = self.watch();
        watch.record.health.is_usable() && !watch.breaker.is_open()
    }

    /// Work of ours runs there, so its silences are judged more mildly.
    pub fn set_busy(&self, busy: bool) {
        self.0.busy.store(busy, Ordering::Relaxed);
    }

    /// Which contract it speaks; `None` when that is no longer known.
    pub fn set_version(&self, version: Option<String>) {
        self.watch().version = version;
    }

    /// It is not what the configuration says it is.
    pub fn set_incompatible(&self, why: &str) {
        let (mut watch, now) = (self.watch(), clock::now());
        watch.record.judge(false, now);
        watch.record.last_error = Some((now, why.to_owned()));
    }

    /// It is, after all.
    pub fn set_compatible(&self) {
        self.watch().record.judge(true, clock::now());
    }

    /// Since the last attempt of any call.
    pub(super) fn quiet_for(&self) -> Option<Duration> {
        self.watch().last.map(|at| at.elapsed())
    }

    /// What is told about it.
    pub fn status(&self) -> HostStatus {
        let pool = &self.0.pool;
        drop(pool.retain(|connection, metrics| pool::is_good(connection, &metrics)));
        let connections = pool.status();
        let watch = self.watch();
        HostStatus {
            name: self.0.config.name.clone(),
            kind: self.0.config.kind,
            url: self.0.config.address.to_string(),
            health: watch.record.health,
            since: (watch.record.since != 0).then_some(watch.record.since),
            version: watch.version.clone(),
            latency: watch.record.latency,
            pool: PoolStatus {
                size: connections.max_size,
                idle: connections.available,
                waiting: connections.waiting,
                opened: pool.manager().opened(),
                reused: self.0.reused.load(Ordering::Relaxed),
            },
            breaker: watch.breaker.word(),
            last_error: watch.record.last_error.clone(),
            requests: self.0.requests.load(Ordering::Relaxed),
        }
    }

    /// Calls, and calls again where that may be done. Any status is an answer, but for those that say "not now".
    pub async fn call(&self, call: &Call<'_>) -> Result<Reply, HostError> {
        let (begun, id) = (Instant::now(), Ulid::generate());
        self.watch().budget.called();
        let mut attempt = 1;
        loop {
            let trouble = match self.attempt(call, id).await {
                Ok(reply) => return Ok(reply),
                Err(trouble) => trouble,
            };
            let failed = trouble.failed();
            let more = attempt <= call.route.retries && retry::may_repeat(call.route.repeat, failed);
            if !more || !self.watch().budget.take(Instant::now()) {
                return Err(self.error(call, attempt, begun, id, trouble));
            }
            let retry_after = match &trouble {
                Trouble::Refused { retry_after, .. } => *retry_after,
                _ => None,
            };
            // a connection that the service closed while it rested says nothing about the service
            if failed != (Failed::Broken { reused: true }) || attempt > 1 {
                tokio::time::sleep(retry::pause(attempt, retry_after, random())).await;
            }
            attempt += 1;
        }
    }

    /// Calls, and reads what a success says.
    pub async fn read<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, HostError> {
        let reply = self.call(call).await?;
        reply.read().map_err(|trouble| self.unusable(call, &reply, trouble))
    }

    /// Calls, and takes nothing but a success.
    pub async fn succeed(&self, call: &Call<'_>) -> Result<Reply, HostError> {
        let reply = self.call(call).await?;
        if reply.is_success() { Ok(reply) } else { Err(self.unusable(call, &reply, reply.refusal())) }
    }

    /// The error of an answer that was read and cannot be used.
    pub fn unusable(&self, call: &Call<'_>, reply: &Reply, trouble: Trouble) -> HostError {
        let begun = Instant::now().checked_sub(reply.took).unwrap_or_else(Instant::now);
        self.error(call, 1, begun, reply.request_id, trouble)
    }

    fn error(&self, call: &Call<'_>, attempts: u32, begun: Instant, id: Ulid, trouble: Trouble) -> HostError {
        let config = &self.0.config;
        let at = At {
            service: format!("{} service {} at {}", config.kind, config.name, config.address),
            name: config.name.clone(),
            route: call.route.name(),
            attempts,
            elapsed: begun.elapsed(),
            request_id: id.to_string(),
        };
        HostError { at: Box::new(at), trouble }
    }

    pub(super) fn watch(&self) -> MutexGuard<'_, Watch> {
        self.0.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
