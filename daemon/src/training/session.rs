//! The work of one training, from its place in the queue to its result.
//!
//! ```text
//! waiting ─► slot ─► sent (in the ledger) ─► running ─► settled
//!    ▲        │ busy                            │
//!    └────────┘                                 └─ the daemon ends: left, and taken up again by the next one
//! ```

use std::{sync::Arc, time::Instant};

use super::{
    Plan, StartRequest, TrainingError,
    dispatch::{Dispatch, Slot},
    follow::{End, Follow},
    handle::Parts,
    host::{Following, Host},
    progress::{Detail, Track},
    queue::Waiting,
    settle,
    start::{Start, Started},
    stop,
};
use crate::{
    clock,
    error::Failure,
    operations::{Context, Outcome},
    store::SessionRow,
};

/// One training.
pub(super) struct Session {
    pub(super) parts: Parts,
    pub(super) request: StartRequest,
    pub(super) plan: Plan,
    pub(super) context: Context,
    pub(super) id: String,
}

/// It has a host, and is followed there.
struct Running {
    slot: Slot,
    following: Following,
    /// It was seen there before this life of the daemon.
    seen_before: bool,
}

/// Why the way to a running session ended.
enum Halt {
    /// Told to stop.
    Stop,
    Failed(TrainingError),
}

impl From<TrainingError> for Halt {
    fn from(error: TrainingError) -> Self {
        Self::Failed(error)
    }
}

impl Session {
    /// From the beginning.
    pub(super) async fn run(self) -> Outcome {
        let stop = self.context.stop().clone();
        let begun = tokio::select! {
            begun = self.begin() => begun,
            () = stop.cancelled() => Err(Halt::Stop),
        };
        self.go_on(begun).await
    }

    /// After a restart of the daemon: as far as the ledger knows.
    pub(super) async fn resume(self) -> Outcome {
        let row = match self.parts.store.session(self.id.clone()).await {
            Ok(row) => row,
            Err(error) => return Outcome::failed(None, Failure::from(&TrainingError::Store(error))),
        };
        let Some(row) = row else { return self.run().await };
        let Some(host) = self.parts.hosts.iter().find(|host| host.name == row.host).cloned() else {
            let why = "it is no longer in the configuration".to_owned();
            return settle::lost(&row.host, &self.id, why, None);
        };
        let slot = self.parts.dispatch.occupy(&host, &self.plan.strategy.name);
        let following = host.follow(&self.id, Some(self.context.clone()));
        let stop = self.context.stop().clone();
        let begun = if row.seen {
            Ok(Running { slot, following, seen_before: true })
        } else {
            tokio::select! {
                begun = self.attach(slot, following) => begun,
                () = stop.cancelled() => Err(Halt::Stop),
            }
        };
        self.go_on(begun).await
    }

    async fn attach(&self, slot: Slot, following: Following) -> Result<Running, Halt> {
        match self.start(&slot.host).again(following).await? {
            Started::Running(following) => Ok(Running { slot, following, seen_before: false }),
            Started::Busy(_) => {
                self.parts.store.forget_session(self.id.clone()).await.map_err(TrainingError::Store)?;
                drop(slot);
                Box::pin(self.begin()).await
            }
        }
    }

    async fn begin(&self) -> Result<Running, Halt> {
        if self.request.load_missing {
            self.parts.load_missing(&self.plan, &self.request, &self.context).await?;
        }
        self.reachable().await?;
        let mut number = 0;
        loop {
            let queued = self.parts.dispatch.enter(Waiting { number, ..self.waiting() });
            // who finds a host busy keeps the place
            number = queued.number();
            let slot = queued.slot(|place| self.waits(place)).await.ok_or(TrainingError::Defect)?;
            let host = slot.host.clone();
            self.parts.store.put_session(self.row(&host, false)).await.map_err(TrainingError::Store)?;
            let following = host.follow(&self.id, Some(self.context.clone()));
            match self.start(&host).once(following).await {
                Ok(Started::Running(following)) => return Ok(Running { slot, following, seen_before: false }),
                Ok(Started::Busy(retry_after)) => {
                    self.parts.dispatch.is_busy(&host.name, retry_after);
                    self.parts.store.forget_session(self.id.clone()).await.map_err(TrainingError::Store)?;
                }
                // another host may be well
                Err(TrainingError::NotStarted { source, .. }) if source.not_sent() && self.has_other(&host) => {
                    self.parts.store.forget_session(self.id.clone()).await.map_err(TrainingError::Store)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn start<'a>(&'a self, host: &'a Arc<Host>) -> Start<'a> {
        Start { host, id: &self.id, plan: &self.plan, context: &self.context }
    }

    /// One host that fits must answer now: nobody wants to wait for a machine that is switched off.
    async fn reachable(&self) -> Result<(), TrainingError> {
        let mut last = None;
        let fitting = self.parts.hosts.iter().filter(|host| self.fits(host));
        for host in fitting {
            // of one that was away, what was known may be old
            let answers = if host.service.health().is_usable() {
                host.backend.capabilities().await.map(drop)
            } else {
                host.service.check().await.map(drop)
            };
            match answers {
                Ok(()) => return Ok(()),
                Err(source) => last = Some(TrainingError::NotStarted { host: host.name.clone(), source }),
            }
        }
        Err(last.unwrap_or(TrainingError::NoHosts))
    }

    fn fits(&self, host: &Host) -> bool {
        let waiting = self.waiting();
        waiting.host.as_ref().is_none_or(|name| *name == host.name)
            && waiting.labels.iter().all(|label| host.labels.contains(label))
    }

    fn has_other(&self, host: &Host) -> bool {
        self.parts
            .hosts
            .iter()
            .any(|other| other.name != host.name && self.fits(other) && other.service.health().is_usable())
    }

    fn waiting(&self) -> Waiting {
        Waiting {
            id: self.id.clone(),
            number: 0,
            priority: self.request.priority,
            strategy: self.plan.strategy.name.clone(),
            host: self.request.host.clone(),
            labels: self.request.labels.clone(),
        }
    }

    fn waits(&self, place: u32) {
        let detail = Detail { queue_position: place, epochs: self.plan.strategy.epochs, ..Detail::default() };
        self.context.progress(|progress| {
            progress.message = match place {
                0 => "looking for a free slot".into(),
                1 => "waiting for a free slot, next in line".into(),
                place => format!("waiting for a free slot, {} before it", place - 1),
            };
            progress.detail = serde_json::to_value(&detail).ok();
        });
    }

    fn row(&self, host: &Host, seen: bool) -> SessionRow {
        SessionRow { operation: self.id.clone(), host: host.name.clone(), seen, at: clock::now() }
    }

    /// From a running session to the outcome.
    async fn go_on(self, begun: Result<Running, Halt>) -> Outcome {
        let Running { slot, mut following, seen_before } = match begun {
            Ok(running) => running,
            Err(Halt::Failed(error)) => return Outcome::failed(None, Failure::from(&error).with("operation", self.id)),
            Err(Halt::Stop) => return self.stopped_before().await,
        };
        let host = slot.host.clone();
        if let Err(error) = self.parts.store.put_session(self.row(&host, true)).await {
            tracing::error!(error = crate::error::chain(&error).join(": "), "a started session could not be recorded");
        }
        self.context.begun().await;
        let mut track = Track::new(self.plan.strategy.epochs);
        let mut follow = Follow {
            context: &self.context,
            following: &mut following,
            track: &mut track,
            host: &host.name,
            about: host.backend.about(),
            begun: Instant::now(),
            seen: None,
        };
        let stop = self.context.stop().clone();
        let end = tokio::select! {
            end = follow.until_end() => end,
            () = stop.cancelled() => {
                if !self.context.is_cancelled() {
                    return Outcome::left();
                }
                let stopped = stop::stop(&host, &self.id, &mut follow).await;
                drop(follow);
                return self.stopped(stopped, slot, &track).await;
            }
        };
        let restarted = follow.seen.is_none() && seen_before;
        drop(follow);
        match end {
            End::Final(report) => self.settled(&report, &host, &track).await,
            End::Lost(why) => {
                let why = if restarted { format!("{why}; it ran when the daemon last looked") } else { why };
                let document = self.document(&host, &track, None);
                settle::lost(&host.name, &self.id, why, Some(&document))
            }
        }
    }

    /// Told to stop before anything ran. What had been sent is looked for by the next life of the daemon.
    async fn stopped_before(self) -> Outcome {
        if !self.context.is_cancelled() {
            return Outcome::left();
        }
        let sent = self.parts.store.session(self.id.clone()).await.ok().flatten();
        if let Some(host) = sent.and_then(|row| self.parts.hosts.iter().find(|host| host.name == row.host).cloned()) {
            // its start may be on its way
            drop(host.backend.stop(&self.id).await);
        }
        Outcome::stopped(serde_json::Value::Null)
    }
}

impl Dispatch {
    /// Whether anybody could ever take it.
    pub(super) fn could_take(&self, request: &StartRequest) -> bool {
        self.fits_any(&Waiting {
            id: String::new(),
            number: 0,
            priority: 0,
            strategy: String::new(),
            host: request.host.clone(),
            labels: request.labels.clone(),
        })
    }
}
