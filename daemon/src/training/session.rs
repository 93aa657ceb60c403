//! The work of one training, from its place in the queue to its result.
//!
//! ```text
//! waiting ─► slot ─► sent (in the ledger) ─► running ─► settled
//!    ▲        │ busy                            │
//!    └────────┘                                 └─ the daemon ends: left, and taken up again by the next one
//! ```

use std::time::Instant;

use super::{
    Plan, StartRequest, TrainingError,
    dispatch::Slot,
    follow::{End, Follow},
    handle::Parts,
    host::{Following, Host},
    progress::Track,
    settle, stop,
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
    /// Of an earlier life of the daemon.
    pub(super) left: Option<Left>,
}

/// What an earlier life left behind.
pub(super) enum Left {
    /// A start may have left, or a session runs.
    At(SessionRow, Slot),
    /// The same, on a host that is no longer in the configuration.
    Nowhere(SessionRow),
}

/// It has a host, and is followed there.
pub(super) struct Running {
    pub(super) slot: Slot,
    pub(super) following: Following,
    /// It was seen there before this life of the daemon.
    pub(super) seen_before: bool,
}

/// Why the way to a running session ended.
pub(super) enum Halt {
    /// A person wants it stopped; nothing has left.
    Stopped,
    /// A person wants it stopped, and nobody knows whether it has started.
    StoppedUnsure(Slot),
    /// The daemon ends.
    Left,
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
        let begun = Box::pin(self.begin(true)).await;
        self.go_on(begun).await
    }

    /// After a restart of the daemon: as far as the ledger knows.
    pub(super) async fn resume(mut self) -> Outcome {
        let (row, slot) = match self.left.take() {
            None => {
                let begun = Box::pin(self.begin(false)).await;
                return self.go_on(begun).await;
            }
            Some(Left::Nowhere(row)) => return self.nowhere(&row).await,
            Some(Left::At(row, slot)) => (row, slot),
        };
        if row.cancelled {
            self.context.cancel("before the daemon stopped");
        }
        let following = slot.host.follow(&self.id, Some(self.context.clone()));
        let begun = if row.seen {
            Ok(Running { slot, following, seen_before: true })
        } else {
            Box::pin(self.attach(slot, following)).await
        };
        self.go_on(begun).await
    }

    /// Nobody can be asked. A host that comes back into the configuration has the answer.
    async fn nowhere(self, row: &SessionRow) -> Outcome {
        let message =
            format!("its host {} is no longer in the configuration: put it back and restart, or cancel", row.host);
        self.context.progress(|progress| progress.message = message);
        self.context.stop().cancelled().await;
        if self.context.is_cancelled() { Outcome::stopped(serde_json::Value::Null) } else { Outcome::left() }
    }

    pub(super) fn row(&self, host: &Host, seen: bool) -> SessionRow {
        let (operation, host) = (self.id.clone(), host.name.clone());
        SessionRow { operation, host, seen, cancelled: self.context.is_cancelled(), at: clock::now() }
    }

    pub(super) async fn record(&self, host: &Host, seen: bool) {
        if let Err(error) = self.parts.store.put_session(self.row(host, seen)).await {
            tracing::error!(error = crate::error::in_line(&error), "a session could not be recorded");
        }
    }

    /// From a running session to the outcome.
    async fn go_on(self, begun: Result<Running, Halt>) -> Outcome {
        let Running { slot, mut following, seen_before } = match begun {
            Ok(running) => running,
            Err(Halt::Failed(error)) => return Outcome::failed(None, Failure::from(&error).with("operation", self.id)),
            Err(Halt::Stopped) => return Outcome::stopped(serde_json::Value::Null),
            Err(Halt::StoppedUnsure(slot)) => return self.stopped_unsure(slot).await,
            Err(Halt::Left) => return Outcome::left(),
        };
        let host = slot.host.clone();
        self.record(&host, true).await;
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
            ran: false,
            hurry: host.service.hurry(),
        };
        let stop = self.context.stop().clone();
        let end = tokio::select! {
            end = follow.until_end() => Some(end),
            () = stop.cancelled() => None,
        };
        let Some(end) = end else {
            if !self.context.is_cancelled() {
                return Outcome::left();
            }
            // should the daemon stop meanwhile, its next life goes on with the stop
            self.record(&host, true).await;
            let stopped = tokio::select! {
                stopped = stop::stop(&host, &self.id, &mut follow) => stopped,
                () = self.context.daemon_stops() => return Outcome::left(),
            };
            return self.stopped(stopped, slot, following, &track).await;
        };
        let restarted = follow.seen.is_none() && seen_before;
        match end {
            End::Final(report) => self.settled(&report, &host, &track).await,
            End::Lost(why) => {
                let why = if restarted { format!("{why}; it ran when the daemon last looked") } else { why };
                let document = self.document(&host, &track, None);
                settle::lost(&host.name, &self.id, why, Some(&document))
            }
        }
    }

    /// Its start is on its way, and nobody answers: asked to stop, watched until it is known to be over.
    async fn stopped_unsure(self, slot: Slot) -> Outcome {
        self.record(&slot.host, false).await;
        let host = slot.host.clone();
        drop(tokio::time::timeout(stop::patience(&host), host.backend.stop(&self.id)).await);
        let mut document = self.document(&host, &Track::new(self.plan.strategy.epochs), None);
        document.notes.push("did not answer: whether the session has started is not known, and it is watched".into());
        let following = host.follow(&self.id, None);
        stop::linger(slot, following, self.id);
        Outcome::stopped(settle::json(&document))
    }
}
