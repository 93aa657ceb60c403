//! The end of a session: what came of it is fetched once, goes into the ledger, and then the host may forget it.

use std::sync::Arc;

use super::{
    TrainingDocument, TrainingError,
    dispatch::Slot,
    host::Host,
    progress::Track,
    report::{Phase, Report},
    session::Session,
    stop::{self, Stopped},
};
use crate::{error::Failure, operations::Outcome};

impl Session {
    pub(super) async fn stopped(self, stopped: Stopped, slot: Slot, track: &Track) -> Outcome {
        let host = slot.host.clone();
        match stopped {
            Stopped::Ended(report) if report.phase != Phase::Stopped => self.settled(&report, &host, track).await,
            Stopped::Ended(_) | Stopped::Gone => {
                let last = self.finish(&host).await;
                self.clean_up(&host);
                Outcome::stopped(json(&self.document(&host, track, last.as_ref())))
            }
            Stopped::Runs(why) => {
                let mut document = self.document(&host, track, None);
                document.notes.push(why);
                stop::linger(slot, self.id);
                Outcome::stopped(json(&document))
            }
        }
    }

    /// The host says that it is over.
    pub(super) async fn settled(self, report: &Report, host: &Arc<Host>, track: &Track) -> Outcome {
        let mut track = track.clone();
        let last = self.finish(host).await;
        if let Some(last) = &last {
            track.see(last, 0.0);
        }
        let mut document = self.document(host, &track, last.as_ref());
        self.clean_up(host);
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

    /// The expensive look, once; without it the result is poorer, not wrong.
    async fn finish(&self, host: &Host) -> Option<Report> {
        self.context.progress(|progress| "fetching the result".clone_into(&mut progress.message));
        match host.backend.finish(&self.id).await {
            Ok(report) => report,
            Err(error) => {
                tracing::warn!(error = crate::error::chain(&error).join(": "), "the result could not be fetched");
                None
            }
        }
    }

    pub(super) fn document(&self, host: &Host, track: &Track, last: Option<&Report>) -> TrainingDocument {
        let mut document = TrainingDocument::new(&self.id, &host.name, track.epoch(), track.curves(), last);
        if document.model_path.is_empty() {
            document.notes.extend(host.backend.known_capabilities().and_then(|known| known.keeps_no_model()));
        }
        document
    }

    /// Takes the session out of the host, once its result is in the ledger.
    fn clean_up(&self, host: &Arc<Host>) {
        if !self.parts.clean_up {
            return;
        }
        let (host, id, registry) = (host.clone(), self.id.clone(), self.parts.registry.clone());
        tokio::spawn(async move {
            if let Ok(mut watch) = registry.watch(&id) {
                drop(watch.wait_for(|operation| operation.state.is_final()).await);
            }
            if let Err(error) = host.backend.forget(&id).await {
                tracing::info!(
                    host = host.name,
                    error = crate::error::chain(&error).join(": "),
                    "an ended session stays there"
                );
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

fn json(document: &TrainingDocument) -> serde_json::Value {
    serde_json::to_value(document).unwrap_or_default()
}
