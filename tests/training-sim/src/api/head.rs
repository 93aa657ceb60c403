//! What later generations added to sessions: another progress, results, and an evaluation of nothing.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::validation::{Field, Kind, Need, read};
use super::{Call, Scene, start};
use crate::book::{Session, View};
use crate::course::{Failing, Phase};
use crate::generation::Generation;
use crate::metrics;
use crate::yaml;
use ktrdr_http_sim::Answer;

pub(super) const EVALUATE: [Field; 3] = [
    ("model_path", Kind::Text, Need::Required),
    ("data_config", Kind::Map, Need::Required),
    ("metrics", Kind::List, Need::Default),
];

/// Reported before the strategy was read.
const EPOCHS_UNREAD: u32 = 100;

pub(super) const BUILDING: &str = "Creating model (input_dim=2)";

/// Epochs and batches of a session.
pub(super) struct Items {
    pub(super) done: u64,
    pub(super) total: u64,
}

impl Items {
    pub(super) fn of(session: &Session, view: &View) -> Self {
        let (course, at) = (&session.course, &view.point);
        let batches = u64::from(course.batches);
        let done = u64::from(at.epochs_done()) * batches + u64::from(at.batches_of_epoch());
        Self { done, total: u64::from(course.epochs) * batches }
    }

    /// In whole batches, with its fractions.
    pub(super) fn percent(session: &Session, view: &View) -> f64 {
        let (course, at) = (&session.course, &view.point);
        let epochs = f64::from(at.epochs_done()) + f64::from(at.batches_of_epoch()) / f64::from(course.batches.max(1));
        epochs / f64::from(course.epochs.max(1)) * 100.0
    }
}

/// Numbers are null as long as nothing is known.
pub(super) fn progress(scene: &Scene, session: &Session, view: &View) -> Value {
    let failed = view.error.as_ref().map(|error| format!("Training failed: {error}"));
    let batches = scene.book.batches_reported();
    let epochs = session.course.epochs;
    let mut progress = json!({
        "epoch": 0, "total_epochs": EPOCHS_UNREAD, "batch": 0, "total_batches": null, "progress_percent": null,
        "items_processed": null, "items_total": null, "message": failed.clone().unwrap_or_else(|| BUILDING.to_owned()),
        "current_item": "Training in progress",
    });
    let trained = view.point.phase == Phase::Training || view.point.epochs_done() > session.course.first;
    let completed = view.point.phase == Phase::Completed;
    if !trained && !completed {
        // A strategy that cannot be read fails before anything is unknown.
        if yaml::complaint(&session.plan.strategy).is_some() {
            progress["total_batches"] = 0.into();
            progress["progress_percent"] = 0.0.into();
            progress["items_processed"] = 0.into();
            progress["current_item"] = progress["message"].clone();
        }
        return progress;
    }
    let items = Items::of(session, view);
    let epoch = if completed { epochs.saturating_sub(1) } else { view.point.epoch };
    let batch = view.point.batches_of_epoch();
    let (message, item) = if completed {
        ("Training completed successfully".to_owned(), format!("Epoch {epoch}/{epochs}"))
    } else {
        (format!("Epoch {epoch}/{epochs} \u{b7} Batch {batch}/{batches}"), format!("Batch {batch}/{batches}"))
    };
    progress["epoch"] = epoch.into();
    progress["total_epochs"] = epochs.into();
    progress["batch"] = batch.into();
    progress["total_batches"] = batches.into();
    progress["progress_percent"] = if completed { 100.0 } else { Items::percent(session, view) }.into();
    progress["items_processed"] = items.done.into();
    progress["items_total"] = items.total.into();
    progress["message"] = failed.unwrap_or(message).into();
    progress["current_item"] = item.into();
    progress
}

/// What a finished session leaves. The paths are those of the service's machine.
pub(super) fn outcome(scene: &Scene, session: &Session) -> Value {
    let plan = &session.plan;
    let name = yaml::value(&plan.strategy, "name").unwrap_or("unnamed");
    let timeframe = plan.timeframes.first().map_or("1d", String::as_str);
    let gpu = scene.config.gpu.as_deref();
    let mode = if scene.config.generation == Generation::Worker { "local" } else { "host" };
    json!({
        "model_path": format!("/srv/ktrdr/models/{name}/{timeframe}_v1"),
        "model_info": {
            "architecture": { "hidden_layers": [12, 6], "dropout": 0.1 },
            "parameters_count": 135, "trainable_parameters": 135,
        },
        "training_metrics": {},
        "test_metrics": metrics::test_metrics(session.course.epochs),
        "data_summary": {
            "symbols": plan.symbols, "timeframes": plan.timeframes,
            "start_date": plan.start_date, "end_date": plan.end_date,
            "total_samples": u64::from(session.course.batches) * 64, "feature_count": 2,
        },
        "artifacts": { "feature_importance": null, "per_symbol_metrics": null },
        "resource_usage": {
            "gpu_used": gpu.is_some(), "gpu_name": gpu.unwrap_or("CPU"), "device_type": scene.device(),
            "training_mode": mode,
        },
        "session_id": session.id,
    })
}

pub(super) fn result(scene: &Scene, id: &str) -> Answer {
    let Some(session) = scene.book.session(id) else {
        return Answer::detail(StatusCode::NOT_FOUND, format!("Session {id} not found"));
    };
    let view = scene.book.view(session, scene.now);
    if view.status != "completed" {
        let words = format!("Training not completed yet (status: {})", view.status);
        return Answer::detail(StatusCode::BAD_REQUEST, words);
    }
    if session.course.failing == Some(Failing::BeforeTraining) {
        // Only a state that a test forced comes here.
        return Answer::failed("Training completed but no result is available");
    }
    let mut result = outcome(scene, session);
    result["status"] = view.status.into();
    result["start_time"] = scene.stamps.session(session.created).into();
    result["last_updated"] = scene.stamps.session(view.updated).into();
    Answer::ok(&result)
}

/// Never evaluates: it is broken in the old generations and constant in the new ones.
pub(super) fn evaluate(scene: &Scene, call: &Call) -> Answer {
    match read(call, &EVALUATE) {
        Err(refused) => refused,
        Ok(_) if scene.config.generation.has_database() => Answer::ok(&json!({
            "evaluation_id": start::uuid(), "results": { "accuracy": 0.85, "loss": 0.23, "f1_score": 0.82 },
            "gpu_used": true, "evaluation_time_seconds": 8e-6, "timestamp": scene.stamps.session(scene.now),
        })),
        Ok(_) => Answer::failed("Model evaluation failed: name 'get_gpu_manager' is not defined"),
    }
}
