//! One training host: its backend, and the one poll that serves everybody who follows a session there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{
    TrainingHost,
    backend::{Backend, NoList},
    client::Client,
    pace,
    report::Report,
};
use crate::{
    clock,
    error::chain,
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

    /// Asks again and again while anybody follows anything; until `stop`.
    pub(super) async fn keep_polled(self: Arc<Self>, stop: CancellationToken) {
        let (mut failures, mut away_since) = (0, None);
        while !stop.is_cancelled() {
            if self.followed().sessions.is_empty() {
                self.service.set_busy(false);
                if stop.run_until_cancelled(self.wake.notified()).await.is_none() {
                    return;
                }
                continue;
            }
            self.service.set_busy(true);
            if stop.run_until_cancelled(self.poll(&mut failures, &mut away_since)).await.is_none() {
                return;
            }
            let pause = self.pause(failures);
            stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    fn pause(&self, failures: u32) -> Duration {
        let followed = self.followed();
        let youngest = followed.sessions.values().map(|one| one.begun.elapsed()).min().unwrap_or_default();
        let watched = followed.sessions.values().any(|one| one.context.as_ref().is_some_and(Context::is_watched));
        pace::pause(self.unit, youngest, watched, failures)
    }

    async fn poll(&self, failures: &mut u32, away_since: &mut Option<Nanos>) {
        let number = self.numbered();
        match self.backend.list().await {
            Ok(reports) => {
                (*failures, *away_since) = (0, None);
                self.tell(number, reports).await;
            }
            Err(NoList::Refused(error)) => {
                *failures += 1;
                tracing::warn!(
                    host = self.name,
                    error = chain(&error).join(": "),
                    "the list of sessions cannot be read; asking for each"
                );
                self.look_at_each(number).await;
            }
            Err(NoList::Away(error)) => {
                *failures += 1;
                let since = *away_since.get_or_insert_with(clock::now);
                if *failures == 1 {
                    tracing::warn!(host = self.name, error = chain(&error).join(": "), "does not answer");
                }
                if error.not_sent() {
                    self.backend.forget_capabilities();
                }
                let why = chain(&error.trouble).join(": ");
                self.tell_all(|_| Sight::Away { since, why: why.clone() });
            }
        }
    }

    fn numbered(&self) -> u64 {
        let mut followed = self.followed();
        let number = followed.poll;
        followed.poll += 1;
        number
    }

    /// What is in the list, and what is not.
    async fn tell(&self, number: u64, reports: Vec<Report>) {
        let mut listed: BTreeMap<String, Report> =
            reports.into_iter().map(|report| (report.id.clone(), report)).collect();
        for id in self.counted(number) {
            let report = listed.remove(&id);
            let sight = match report {
                Some(report) if self.deserves_a_look(&id, &report) => {
                    Sight::Seen(Arc::new(self.with_curves(report).await))
                }
                Some(report) => Sight::Seen(Arc::new(report)),
                None => Sight::Missing { lists: self.missed(&id) + 1 },
            };
            self.send(&id, number, sight);
        }
    }

    /// Those who were followed when the poll left.
    fn counted(&self, number: u64) -> Vec<String> {
        let followed = self.followed();
        followed.sessions.iter().filter(|(_, one)| one.since_poll <= number).map(|(id, _)| id.clone()).collect()
    }

    fn missed(&self, id: &str) -> u32 {
        match self.followed().sessions.get(id).map(|one| one.sight.borrow().clone()) {
            Some(Sight::Missing { lists }) => lists,
            _ => 0,
        }
    }

    /// Curves are worth a call of their own where that costs nothing: after each epoch, and while somebody looks.
    fn deserves_a_look(&self, id: &str, report: &Report) -> bool {
        let mut followed = self.followed();
        let Some(one) = followed.sessions.get_mut(id) else { return false };
        let share = report.share.unwrap_or(0.0);
        let risen = report.epoch > one.epoch || share >= one.share + 0.01;
        if risen {
            (one.epoch, one.share) = (one.epoch.max(report.epoch), share);
        }
        let watched = one.context.as_ref().is_some_and(Context::is_watched);
        self.backend.looks_are_cheap() && !report.phase.is_final() && (risen || watched)
    }

    /// The list decides the state; a look only adds what the list lacks.
    async fn with_curves(&self, mut report: Report) -> Report {
        if let Ok(Some(look)) = self.backend.look(&report.id).await {
            if report.epochs == 0 {
                (report.epoch, report.epochs) = (look.epoch, look.epochs);
            }
            report.curves = look.curves;
            report.gpu_memory = report.gpu_memory.or(look.gpu_memory);
        }
        report
    }

    async fn look_at_each(&self, number: u64) {
        for id in self.counted(number) {
            let sight = match self.backend.look(&id).await {
                Ok(Some(report)) => Sight::Seen(Arc::new(report)),
                Ok(None) => Sight::Missing { lists: self.missed(&id) + 1 },
                Err(error) => Sight::Away { since: clock::now(), why: chain(&error.trouble).join(": ") },
            };
            self.send(&id, number, sight);
        }
    }

    /// Unless it is followed anew since the poll left.
    fn send(&self, id: &str, number: u64, sight: Sight) {
        if let Some(one) = self.followed().sessions.get(id).filter(|one| one.since_poll <= number) {
            one.sight.send_replace(sight);
        }
    }

    fn tell_all(&self, sight: impl Fn(&str) -> Sight) {
        for (id, follower) in &self.followed().sessions {
            follower.sight.send_replace(sight(id));
        }
    }

    fn followed(&self) -> MutexGuard<'_, Followed> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
