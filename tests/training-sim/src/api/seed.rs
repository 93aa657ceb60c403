//! Sessions as the oldest service tells them: status, list, stop, delete. Later generations kept some of it.

use serde_json::{Value, json};

use super::validation::{Field, Kind, Need, read};
use super::{Call, Outlook, Scene, head, health, start};
use crate::book::{Denial, Session, View};
use crate::course::{Failing, Point};
use crate::metrics;
use crate::plan::Total;
use ktrdr_http_sim::Answer;

pub(super) const STOP: [Field; 2] =
    [("session_id", Kind::Text, Need::Required), ("save_checkpoint", Kind::Flag, Need::Default)];

pub(super) fn status(scene: &Scene, id: &str) -> Answer {
    let prefix = "Failed to get training status";
    let Some(session) = scene.book.session(id) else {
        return Answer::failed(format!("{prefix}: Session {id} not found"));
    };
    let view = scene.book.view(session, scene.now);
    match progress(scene, session, &view.point) {
        Ok(progress) => Answer::ok(&json!({
            "session_id": session.id, "status": view.status, "progress": progress,
            "metrics": metrics::arrays(&session.course, &view.point, session.plan.nan, scene.device()),
            "gpu_usage": health::gpu_usage(scene),
            "start_time": scene.stamps.session(session.created), "last_updated": scene.stamps.session(view.updated),
            "error": view.error,
        })),
        Err(words) => Answer::failed(format!("{prefix}: {words}")),
    }
}

/// One session that cannot be told spoils the list.
pub(super) fn sessions(scene: &Scene) -> Answer {
    let known = scene.book.sessions.iter().filter(|session| session.in_memory);
    let rows: Result<Vec<Value>, String> = known.map(|session| row(scene, session)).collect();
    match rows {
        Ok(rows) => Answer::ok(&json!({
            "total_sessions": rows.len(), "sessions": rows, "timestamp": scene.stamps.session(scene.now),
        })),
        Err(words) => Answer::failed(format!("Failed to list sessions: {words}")),
    }
}

fn row(scene: &Scene, session: &Session) -> Result<Value, String> {
    let view = scene.book.view(session, scene.now);
    let progress = if scene.config.generation.has_pipeline() {
        head::progress(scene, session, &view)
    } else {
        progress(scene, session, &view.point)?
    };
    Ok(short(scene, session, &view, &progress))
}

fn short(scene: &Scene, session: &Session, view: &View, progress: &Value) -> Value {
    json!({
        "session_id": session.id, "status": view.status,
        "start_time": scene.stamps.session(session.created), "last_updated": scene.stamps.session(view.updated),
        "progress": progress, "gpu_allocated": scene.config.gpu.is_some(), "error": view.error,
    })
}

/// Percent rises with whole epochs only.
fn progress(scene: &Scene, session: &Session, at: &Point) -> Result<Value, String> {
    let total = match &session.plan.total {
        Total::Number(total) => total,
        Total::Broken(kind) => return Err(start::incomparable(kind)),
    };
    let number = total.as_f64().unwrap_or(0.0);
    // Integer 0 when there is nothing to divide by.
    let percent = if number > 0.0 { json!(f64::from(at.epoch) / number * 100.0) } else { json!(0) };
    let loaded = session.course.failing != Some(Failing::BeforeTraining);
    let batches = if loaded { scene.book.batches_reported() } else { 0 };
    Ok(json!({
        "epoch": at.epoch, "total_epochs": total, "batch": at.batch, "total_batches": batches,
        "progress_percent": percent,
    }))
}

/// Answers when the session is over. That it saved a checkpoint is only an echo.
pub(super) fn stop(scene: &mut Scene, call: &Call) -> Outlook {
    let body = match read(call, &STOP) {
        Ok(body) => body,
        Err(refused) => return Outlook::Now(refused),
    };
    let id = body["session_id"].as_str().unwrap_or_default();
    let prefix = "Failed to stop training";
    match scene.book.stop(id, scene.now) {
        Ok(over) => {
            let reply = json!({
                "session_id": id, "status": "stopped", "message": format!("Training session {id} stopped successfully"),
                "checkpoint_saved": body["save_checkpoint"].as_bool().unwrap_or(true),
            });
            Outlook::Later(over, Answer::ok(&reply))
        }
        Err(Denial::Unknown) => Outlook::Now(Answer::failed(format!("{prefix}: Session {id} not found"))),
        Err(Denial::NotNow(status)) => {
            Outlook::Now(Answer::failed(format!("{prefix}: Session {id} is not running (status: {status})")))
        }
    }
}

pub(super) fn delete(scene: &mut Scene, id: &str) -> Answer {
    let prefix = "Failed to cleanup session";
    match scene.book.delete(id, scene.now) {
        Ok(()) => Answer::ok(&json!({
            "session_id": id, "status": "cleaned_up", "message": format!("Session {id} cleaned up successfully"),
        })),
        Err(Denial::Unknown) => Answer::failed(format!("{prefix}: Session {id} not found")),
        Err(Denial::NotNow(_)) => Answer::failed(format!("{prefix}: Cannot cleanup running session {id}")),
    }
}
