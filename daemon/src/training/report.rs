//! What a host reports of a session, in our words (pure). One table of states; an unknown word is shown as it is, and
//! counts as running.

use std::collections::BTreeMap;

use serde_json::Value;

use super::wire::{HostOperation, Session, SessionProgress};
use ktrdr_proto::text::one_line;

/// Where a session is, as its host has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Known, not at work yet.
    Waiting,
    /// At work; also any word that we do not know.
    Running,
    /// Done.
    Completed,
    /// Gave up.
    Failed,
    /// Told to stop.
    Stopped,
}

impl Phase {
    /// Words of all generations.
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "initializing" | "initialized" | "pending" | "queued" => Self::Waiting,
            "running" | "resuming" | "started" => Self::Running,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            "stopped" | "cancelled" | "canceled" => Self::Stopped,
            _ => return None,
        })
    }

    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Stopped)
    }
}

/// One look at a session.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Report {
    pub(super) id: String,
    /// As the host spells it.
    pub(super) word: String,
    pub(super) phase: Phase,
    /// The word is one that we know.
    pub(super) known: bool,
    /// Finished ones.
    pub(super) epoch: u32,
    pub(super) epochs: u32,
    pub(super) batch: u32,
    pub(super) batches: u32,
    /// 0 to 1, where the look tells nothing finer.
    pub(super) share: Option<f64>,
    pub(super) error: Option<String>,
    /// By name, one value an epoch; NaN where the host had no number. Empty where the look does not tell.
    pub(super) curves: BTreeMap<String, Vec<f64>>,
    /// Used and in all, MB.
    pub(super) gpu_memory: Option<(f64, f64)>,
    /// What the host keeps of the result.
    pub(super) summary: Option<Value>,
}

impl Report {
    pub(super) fn of_session(session: &Session) -> Self {
        let (phase, known) = phase(&session.status);
        let progress = &session.progress;
        let memory = &session.gpu_usage.gpu_memory;
        let (epoch, batch) = finished(progress);
        Self {
            id: session.session_id.clone(),
            word: one_line(&session.status),
            phase,
            known,
            epoch,
            epochs: count(progress.total_epochs),
            batch,
            batches: count(progress.total_batches),
            share: None,
            error: session.error.as_deref().map(one_line),
            curves: session_curves(&session.metrics),
            gpu_memory: memory.allocated_mb.zip(memory.total_mb),
            summary: None,
        }
    }

    pub(super) fn of_operation(operation: &HostOperation) -> Self {
        let (phase, known) = phase(&operation.status);
        let progress = &operation.progress;
        Self {
            id: operation.operation_id.clone(),
            word: one_line(&operation.status),
            phase,
            known,
            epoch: count(progress.steps_completed),
            epochs: count(progress.steps_total),
            batch: count(progress.items_processed),
            batches: count(progress.items_total),
            share: operation.progress_percentage.map(|percent| (percent / 100.0).clamp(0.0, 1.0)),
            error: operation.error_message.as_deref().map(one_line),
            curves: operation_curves(operation.metrics.as_ref()),
            gpu_memory: None,
            summary: operation.result_summary.clone().filter(Value::is_object),
        }
    }
}

/// Epochs that are over, and batches of the running one. Later generations number the epoch they are in, also at the
/// end; what they count over all epochs is right.
fn finished(progress: &SessionProgress) -> (u32, u32) {
    let per_epoch = count(progress.total_batches);
    match (progress.items_processed, progress.items_total) {
        (Some(_), Some(all)) if all > 0.0 && per_epoch > 0 => {
            let items = count(progress.items_processed);
            (items / per_epoch, items % per_epoch)
        }
        _ => (count(progress.epoch), count(progress.batch)),
    }
}

fn phase(word: &str) -> (Phase, bool) {
    Phase::of(word).map_or((Phase::Running, false), |phase| (phase, true))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn count(number: Option<f64>) -> u32 {
    number.filter(|number| number.is_finite()).map_or(0, |number| number.clamp(0.0, 4e9) as u32)
}

/// The values of a list that holds numbers, texts and nulls.
fn numbers(values: &[Value]) -> Vec<f64> {
    values.iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
}

/// Of the first generation: `epoch_loss` and `epoch_accuracy`; while the first epoch runs there are only batches.
fn session_curves(metrics: &BTreeMap<String, Vec<Value>>) -> BTreeMap<String, Vec<f64>> {
    let named = [("train_loss", "epoch_loss"), ("train_accuracy", "epoch_accuracy")];
    let found = named.into_iter().filter_map(|(ours, theirs)| Some((ours.to_owned(), numbers(metrics.get(theirs)?))));
    found.filter(|(_, values)| !values.is_empty()).collect()
}

/// Of the later ones: `{"epochs": [{train_loss, …}]}`.
fn operation_curves(metrics: Option<&Value>) -> BTreeMap<String, Vec<f64>> {
    const NAMES: [&str; 5] = ["train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate"];
    let epochs = metrics.and_then(|metrics| metrics.get("epochs")?.as_array());
    let Some(epochs) = epochs.filter(|epochs| !epochs.is_empty()) else { return BTreeMap::new() };
    let value = |epoch: &Value, name: &str| epoch.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let values = |name: &str| epochs.iter().map(|epoch| value(epoch, name)).collect::<Vec<_>>();
    let curves = NAMES.into_iter().map(|name| (name.to_owned(), values(name)));
    curves.filter(|(_, values)| values.iter().any(|value| value.is_finite())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_table_of_states_and_unknown_words_run_on() {
        for (word, phase) in [
            ("running", Phase::Running),
            ("initialized", Phase::Waiting),
            ("pending", Phase::Waiting),
            ("completed", Phase::Completed),
            ("failed", Phase::Failed),
            ("stopped", Phase::Stopped),
            ("cancelled", Phase::Stopped),
            ("RUNNING", Phase::Running),
        ] {
            assert_eq!(Phase::of(word), Some(phase), "{word}");
        }
        let session: Session = serde_json::from_value(json!({"session_id": "x", "status": "hibernating"})).unwrap();
        let report = Report::of_session(&session);
        assert_eq!((report.phase, report.known, report.word.as_str()), (Phase::Running, false, "hibernating"));
    }

    #[test]
    fn whatever_stands_in_the_place_of_a_number_is_read() {
        let session: Session = serde_json::from_value(json!({
            "session_id": "x", "status": "running", "error": null, "later": {"a": 1},
            "progress": {"epoch": null, "total_epochs": "ten", "batch": 33, "total_batches": 32.0},
            "metrics": {"loss": [1, null, "x"], "epoch_loss": [0.5, null], "device": ["cpu"]},
            "gpu_usage": {"gpu_allocated": false},
        }))
        .unwrap();
        let report = Report::of_session(&session);
        assert_eq!((report.epoch, report.epochs, report.batch, report.batches), (0, 0, 33, 32));
        assert!((report.curves["train_loss"][0] - 0.5).abs() < 1e-9);
        assert!(report.curves["train_loss"][1].is_nan() && report.gpu_memory.is_none());
    }

    #[test]
    fn the_last_epoch_of_the_later_generations_counts() {
        let at = |epoch: u32, items: u32| {
            let progress = json!({"epoch": epoch, "total_epochs": 4, "batch": 0, "total_batches": 27,
                "items_processed": items, "items_total": 108});
            let session = json!({"session_id": "x", "status": "completed", "progress": progress});
            let report = Report::of_session(&serde_json::from_value(session).unwrap());
            (report.epoch, report.batch)
        };
        assert_eq!((at(3, 108), at(1, 40)), ((4, 0), (1, 13)));
    }

    #[test]
    fn the_later_generations_tell_epochs() {
        let operation: HostOperation = serde_json::from_value(json!({
            "operation_id": "x", "status": "running",
            "progress": {"steps_completed": 2, "steps_total": 4, "items_processed": 7, "items_total": null},
            "metrics": {"epochs": [{"train_loss": 1.5, "val_loss": 2.0}, {"train_loss": 1.0, "val_loss": null}]},
        }))
        .unwrap();
        let report = Report::of_operation(&operation);
        assert_eq!((report.epoch, report.epochs, report.curves["train_loss"].clone()), (2, 4, vec![1.5, 1.0]));
        assert_eq!(report.curves.keys().collect::<Vec<_>>(), ["train_loss", "val_loss"]);
        // a pair where a list is declared, and nothing
        for odd in [json!([[], 0]), json!(null), json!({"epochs": {}})] {
            assert!(operation_curves(Some(&odd)).is_empty());
        }
    }

    /// A document of a host, as each of those that it can be.
    #[test]
    fn foreign_bytes() {
        use super::super::{capabilities, wire};

        fn laws(report: &Report) -> String {
            assert!(report.share.is_none_or(|share| (0.0..=1.0).contains(&share)), "{report:?}");
            assert!(report.batches == 0 || report.batch < u32::MAX);
            format!("{:?} {} {}", report.phase, report.curves.is_empty(), report.summary.is_some())
        }
        fn read<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
            serde_json::from_slice(bytes).map_err(|error| error.to_string())
        }
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "training").memory(96, 1 << 20).check(|bytes| {
            if let Ok(list) = read::<wire::SessionsList>(bytes) {
                return Ok(list.sessions.iter().map(|one| laws(&Report::of_session(one))).collect());
            }
            if let Ok(list) = read::<wire::OperationsList>(bytes) {
                return Ok(list.data.iter().map(|one| laws(&Report::of_operation(one))).collect());
            }
            if let Ok(one) = read::<wire::OneOperation>(bytes) {
                return Ok(laws(&Report::of_operation(&one.data)));
            }
            if let Ok(openapi) = read::<capabilities::OpenApi>(bytes)
                && let Ok(told) = capabilities::tell(&capabilities::Root::default(), &openapi)
            {
                return Ok(format!("{told:?}"));
            }
            let root = read::<capabilities::Root>(bytes)?;
            ktrdr_foreign::fit_to_print(&format!("about {}", root.about()));
            let value: Value = read(bytes)?;
            assert!(wire::figures(&value).len() <= 300);
            read::<Session>(bytes).map(|session| laws(&Report::of_session(&session)))
        });
    }
}
