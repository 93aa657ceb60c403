//! The way of a training to its running session: data, a slot, the start.

use std::sync::Arc;

use super::{
    TrainingError,
    dispatch::Slot,
    host::{Following, Host},
    progress::Detail,
    queue::Waiting,
    session::{Halt, Running, Session},
    start::{Start, Started},
    stop,
};

impl Session {
    /// `first`: nobody has waited yet, so a host must be there now.
    pub(super) async fn begin(&self, first: bool) -> Result<Running, Halt> {
        if self.request.load_missing && first {
            self.stoppable(Box::pin(self.parts.load_missing(&self.plan, &self.request, &self.context))).await??;
        }
        if first {
            self.stoppable(Box::pin(self.reachable())).await??;
        }
        let mut waited = !first;
        loop {
            let queued = self.parts.dispatch.enter(self.waiting());
            let slot = queued.slot(|place| {
                waited |= place > 0;
                self.waits(place);
            });
            let slot = self.stoppable(slot).await?.ok_or(TrainingError::Defect)?;
            let host = slot.host.clone();
            self.parts.store.put_session(self.row(&host, false)).await.map_err(TrainingError::Store)?;
            let following = host.follow(&self.id, Some(self.context.clone()));
            match self.heard_out(slot, following, false).await {
                Ok(Sent::Running(running)) => return Ok(running),
                Ok(Sent::Busy(retry_after)) => self.parts.dispatch.is_busy(&host.name, retry_after),
                // it certainly never left: another host may be well, and who waited goes on waiting
                Err(Halt::Failed(TrainingError::NotSent { .. })) if waited || self.has_other(&host) => {
                    self.parts.dispatch.is_busy(&host.name, None);
                }
                Err(halt) => return Err(halt),
            }
            self.parts.store.forget_session(self.id.clone()).await.map_err(TrainingError::Store)?;
            waited = true;
        }
    }

    /// A start that an earlier life may have sent.
    pub(super) async fn attach(&self, slot: Slot, following: Following) -> Result<Running, Halt> {
        match self.heard_out(slot, following, true).await? {
            Sent::Running(running) => Ok(running),
            Sent::Busy(_) => {
                self.parts.store.forget_session(self.id.clone()).await.map_err(TrainingError::Store)?;
                Box::pin(self.begin(false)).await
            }
        }
    }

    /// Starts, or looks whether it was started. What is on its way is heard out, whoever wants it stopped: an answer that
    /// nobody waits for would be a session that nobody knows.
    async fn heard_out(&self, slot: Slot, following: Following, again: bool) -> Result<Sent, Halt> {
        let host = slot.host.clone();
        let start = Start { host: &host, id: &self.id, plan: &self.plan, context: &self.context };
        let starting = async { if again { start.again(following).await } else { start.once(following).await } };
        let outcome = tokio::select! {
            outcome = starting => outcome?,
            () = self.context.daemon_stops() => return Err(Halt::Left),
            () = self.nobody_waits(&host) => return Err(Halt::StoppedUnsure(slot)),
        };
        Ok(match outcome {
            Started::Running(following) => Sent::Running(Running { slot, following, seen_before: false }),
            Started::Busy(retry_after) => Sent::Busy(retry_after),
        })
    }

    /// A person wanted it stopped, and has waited long enough for a host that does not answer.
    async fn nobody_waits(&self, host: &Host) {
        self.context.stop().cancelled().await;
        tokio::time::sleep(stop::patience(host)).await;
    }

    /// What can be given up at any moment.
    async fn stoppable<T>(&self, work: impl Future<Output = T>) -> Result<T, Halt> {
        let halt = || if self.context.is_cancelled() { Halt::Stopped } else { Halt::Left };
        self.context.stop().run_until_cancelled(work).await.ok_or_else(halt)
    }

    /// One host that fits must answer now: nobody wants to wait for a machine that is switched off.
    async fn reachable(&self) -> Result<(), TrainingError> {
        let mut last = None;
        for host in self.parts.hosts.iter().filter(|host| self.fits(host)) {
            match host.asked_anew_if_away().await {
                Ok(()) => return Ok(()),
                Err(source) => last = Some(TrainingError::NotSent { host: host.name.clone(), source }),
            }
        }
        Err(last.unwrap_or(TrainingError::NoHosts))
    }

    fn fits(&self, host: &Host) -> bool {
        host.fits(self.request.host.as_deref(), &self.request.labels)
    }

    fn has_other(&self, host: &Host) -> bool {
        let usable = |other: &&Arc<Host>| other.name != host.name && self.fits(other) && other.service.is_usable();
        self.parts.hosts.iter().find(usable).is_some()
    }

    fn waiting(&self) -> Waiting {
        Waiting {
            id: self.id.clone(),
            // the time of its entry: the order outlives a restart
            number: u64::try_from(self.context.operation().created).unwrap_or(0),
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
}

/// How a start came out.
enum Sent {
    Running(Running),
    Busy(Option<std::time::Duration>),
}
