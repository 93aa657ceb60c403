//! One training host: its backend, and who follows a session there.

mod polling;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};

use super::{TrainingHost, backend::Backend, client::Client, queue, report::Report};
use crate::{
    host_service::{HostError, HostService},
    model::Nanos,
    operations::Context,
};

/// A host; shared by all who follow something there.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) labels: Vec<String>,
    pub(super) slots: usize,
    pub(super) service: HostService,
    pub(super) backend: Arc<dyn Backend>,
    /// The shortest pause between polls.
    pub(super) unit: Duration,
    followed: Mutex<Followed>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Followed {
    /// Number of the next poll: a session is not missing from a list that was asked for before it was followed.
    poll: u64,
    /// Of the next follower: one that goes must not take another of the same session along.
    serial: u64,
    sessions: BTreeMap<String, Follower>,
}

#[derive(Debug)]
struct Follower {
    serial: u64,
    sight: watch::Sender<Sight>,
    context: Option<Context>,
    since_poll: u64,
    begun: Instant,
    epoch: u32,
    share: f64,
}

/// What was seen last of a session.
#[derive(Debug, Clone)]
pub(super) enum Sight {
    /// Nobody has looked yet.
    NotYet,
    /// As the host has it.
    Seen(Arc<Report>),
    /// So many lists in a row were without it.
    Missing { lists: u32 },
    /// The host does not answer.
    Away { since: Nanos, why: String },
}

impl Sight {
    /// The session is not there: one list alone may have been asked for before it was.
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Missing { lists: 2.. })
    }
}

/// Follows a session until it is dropped.
#[derive(Debug)]
pub(super) struct Following {
    host: Arc<Host>,
    id: String,
    serial: u64,
    sight: watch::Receiver<Sight>,
}

impl Following {
    /// The next thing that is seen.
    pub(super) async fn next(&mut self) -> Sight {
        if self.sight.changed().await.is_err() {
            // somebody else follows it now
            return Sight::Missing { lists: u32::MAX };
        }
        self.sight.borrow_and_update().clone()
    }

    /// Forgets what was seen: only what is asked for from now on counts.
    pub(super) fn anew(&mut self) {
        let mut followed = self.host.followed();
        let poll = followed.poll;
        if let Some(one) = followed.sessions.get_mut(&self.id) {
            one.since_poll = poll;
            one.sight.send_replace(Sight::NotYet);
        }
        drop(followed);
        self.sight.mark_unchanged();
        self.host.wake.notify_one();
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut followed = self.host.followed();
        if followed.sessions.get(&self.id).is_some_and(|one| one.serial == self.serial) {
            followed.sessions.remove(&self.id);
        }
    }
}

/// What is told of a host beside its service.
#[derive(Debug, Clone)]
pub struct HostFacts {
    /// In the configuration.
    pub name: String,
    /// Sessions at once.
    pub slots: usize,
    /// Sessions of ours that are followed there.
    pub sessions: usize,
    /// Of the configuration.
    pub labels: Vec<String>,
    /// Its GPU, as far as known.
    pub about: String,
}

impl Host {
    pub(super) fn new(config: TrainingHost, service: HostService, unit: Duration) -> Self {
        Self {
            name: config.service.name,
            labels: config.labels,
            slots: config.slots,
            backend: Arc::new(Client::new(service.clone())),
            service,
            unit,
            followed: Mutex::default(),
            wake: Notify::new(),
        }
    }

    pub(super) fn facts(&self) -> HostFacts {
        HostFacts {
            name: self.name.clone(),
            slots: self.slots,
            sessions: self.followed().sessions.len(),
            labels: self.labels.clone(),
            about: self.backend.about(),
        }
    }

    /// Whether somebody who wants this host, and these labels, may come here.
    pub(super) fn fits(&self, wanted: Option<&str>, labels: &[String]) -> bool {
        queue::fits(wanted, labels, &self.name, &self.labels)
    }

    /// What it can do is known; of one that was away, that is asked again: another version may have come back.
    pub(super) async fn asked_anew_if_away(&self) -> Result<(), HostError> {
        if !self.service.is_usable() {
            self.service.check().await?;
            self.backend.forget_capabilities();
        }
        self.backend.capabilities().await.map(drop)
    }

    /// Follows a session; what is seen from the next poll on counts.
    pub(super) fn follow(self: &Arc<Self>, id: &str, context: Option<Context>) -> Following {
        let (sender, sight) = watch::channel(Sight::NotYet);
        let mut followed = self.followed();
        let serial = followed.serial;
        followed.serial += 1;
        let one = Follower {
            serial,
            sight: sender,
            context,
            since_poll: followed.poll,
            begun: Instant::now(),
            epoch: 0,
            share: 0.0,
        };
        followed.sessions.insert(id.to_owned(), one);
        drop(followed);
        self.wake.notify_one();
        Following { host: self.clone(), id: id.to_owned(), serial, sight }
    }

    fn followed(&self) -> MutexGuard<'_, Followed> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
