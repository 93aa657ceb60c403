//! The end of a session: what came of it is fetched once, goes into the ledger, and then the host may forget it.

use std::sync::Arc;

use super::{
    TrainingDocument, TrainingError,
    dispatch::Slot,
    host::{Following, Host},
    progress::Track,
    report::{Phase, Report},
    session::Session,
    stop::{self, Stopped},
};
use crate::{error::Failure, operations::Outcome};

/// Tries to get a result, each with the repeats of its routes.
const FETCHES: u32 = 3;

impl Session {
    pub(super) async fn stopped(self, stopped: Stopped, slot: Slot, following: Following, track: &Track) -> Outcome {
        let host = slot.host.clone();
        match stopped {
            Stopped::Ended(report) if report.phase != Phase::Stopped => self.settled(&report, &host, track).await,
            Stopped::Ended(_) | Stopped::Gone => {
                let Some(last) = self.finish(&host).await else { return Outcome::left() };
                self.clean_up(&host, last.is_some());
                Outcome::stopped(json(&self.document(&host, track, last.as_ref())))
            }
            Stopped::Runs(why) => {
                let mut document = self.document(&host, track, None);
                document.notes.push(why);
                stop::linger(slot, following, self.id);
                Outcome::stopped(json(&document))
            }
        }
    }

    /// The host says that it is over.
    pub(super) async fn settled(self, report: &Report, host: &Arc<Host>, track: &Track) -> Outcome {
        let mut track = track.clone();
        let Some(last) = self.finish(host).await else { return Outcome::left() };
        if let Some(last) = &last {
            track.see(last, 0.0);
        }
        let mut document = self.document(host, &track, last.as_ref());
        if last.is_none() {
            document.notes.push(format!("the whole result could not be fetched; it is left on {}", host.name));
        }
        self.clean_up(host, last.is_some());
        let name = host.name.clone();
        match report.phase {
            Phase::Completed => {
                document.epochs = document.epochs.max(report.epoch);
                self.context.progress(|progress| progress.done = progress.total);
                Outcome::completed(json(&document))
            }
            Phase::Stopped => failed(&document, &TrainingError::StoppedElsewhere { host: name }, &self.id),
            _ => {
                let text = report.error.clone().or_else(|| last.and_then(|last| last.error));
                let text = text.unwrap_or_else(|| "it gave no reason".into());
                failed(&document, &TrainingError::Failed { host: name, text }, &self.id)
            }
        }
    }

    /// The expensive look; without it the result is poorer, not wrong. The outer `None`: the daemon ends before it is had, and
    /// its next life looks again.
    async fn finish(&self, host: &Host) -> Option<Option<Report>> {
        self.context.progress(|progress| "fetching the result".clone_into(&mut progress.message));
        tokio::select! {
            last = self.fetched(host) => Some(last),
            () = self.context.daemon_stops() => None,
        }
    }

    async fn fetched(&self, host: &Host) -> Option<Report> {
        for attempt in 1..=FETCHES {
            match host.backend.finish(&self.id).await {
                Ok(report) => return report,
                Err(error) => {
                    tracing::warn!(attempt, error = crate::error::in_line(&error), "the result could not be fetched");
                }
            }
            tokio::time::sleep(host.unit * attempt).await;
        }
        None
    }

    pub(super) fn document(&self, host: &Host, track: &Track, last: Option<&Report>) -> TrainingDocument {
        let mut document = TrainingDocument::new(&self.id, &host.name, track.epoch(), track.curves(), last);
        if document.model_path.is_empty() {
            document.notes.extend(host.backend.known_capabilities().and_then(|known| known.keeps_no_model()));
        }
        document
    }

    /// Takes the session out of the host, once its result is here and in the ledger: nobody else has it.
    fn clean_up(&self, host: &Arc<Host>, fetched: bool) {
        if !self.parts.clean_up || !fetched {
            return;
        }
        let (host, id, registry) = (host.clone(), self.id.clone(), self.parts.registry.clone());
        tokio::spawn(async move {
            if let Ok(mut watch) = registry.watch(&id).await {
                drop(watch.wait_for(|operation| operation.state.is_final()).await);
            }
            if !registry.is_recorded(&id).await {
                return;
            }
            if let Err(error) = host.backend.forget(&id).await {
                let error = crate::error::in_line(&error);
                tracing::info!(host = host.name, error, "an ended session stays there");
            }
        });
    }
}

fn failed(document: &TrainingDocument, error: &TrainingError, id: &str) -> Outcome {
    Outcome::failed(Some(json(document)), Failure::from(error).with("operation", id))
}

/// The host has it no more.
pub(super) fn lost(host: &str, id: &str, why: String, document: Option<&TrainingDocument>) -> Outcome {
    let error = TrainingError::Lost { host: host.to_owned(), why };
    Outcome::interrupted(document.map(json), Failure::from(&error).with("operation", id))
}

pub(super) fn json(document: &TrainingDocument) -> serde_json::Value {
    serde_json::to_value(document).unwrap_or_default()
}
