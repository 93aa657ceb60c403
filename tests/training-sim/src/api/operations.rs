//! Operations: the newer way to follow a training, with its odd corners.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::head::{self, Items};
use super::validation::{Field, Kind, Need, out_of_range, read};
use super::{Call, Scene};
use crate::book::{Denial, Session, View, is_terminal, operation_status};
use crate::course::Phase;
use crate::generation::Generation;
use crate::metrics as figures;
use ktrdr_http_sim::Answer;
use ktrdr_http_sim::query_value;

pub(super) const RESUME: [Field; 1] = [("operation_id", Kind::Text, Need::Required)];

/// A container worker cuts the strategy in an operation's parameters.
const STRATEGY_SHOWN: usize = 100;

fn unknown(id: &str) -> Answer {
    Answer::detail(StatusCode::NOT_FOUND, format!("Operation not found: {id}"))
}

/// Asking for it brings it back into the memory of a service that was restarted.
pub(super) fn one(scene: &mut Scene, id: &str) -> Answer {
    let Some(session) = scene.book.operation(id).cloned() else {
        return unknown(id);
    };
    let view = scene.book.view(&session, scene.now);
    Answer::ok(&json!({ "success": true, "data": object(scene, &session, &view) }))
}

fn object(scene: &Scene, session: &Session, view: &View) -> Value {
    let status = operation_status(session, view);
    let over = is_terminal(&status);
    let worker = scene.config.generation == Generation::Worker;
    let keeps_start = worker && status == "cancelled";
    let started = (status != "pending" && (!over || keeps_start)).then(|| scene.stamps.operation(session.started));
    let epoch_seconds = std::time::Duration::from_millis(scene.book.pace.epoch_ms()).as_secs_f64();
    let nan = session.plan.nan;
    let live =
        || figures::epochs(&session.course, &view.point, epoch_seconds, &scene.stamps.seconds(view.updated), nan);
    json!({
        "operation_id": session.id, "parent_operation_id": null, "operation_type": "training", "status": status,
        "created_at": scene.stamps.operation(session.created),
        "started_at": started,
        "completed_at": completed_at(session, view, &status).map(|at| scene.stamps.operation(at)),
        "progress": progress(scene, session, view, &status),
        "metadata": metadata(scene, session),
        "error_message": error_message(session, view),
        "warnings": [], "errors": [],
        "result_summary": (status == "completed").then(|| head::outcome(scene, session)),
        "metrics": if over || status == "pending" { Value::Null } else { live() },
        "is_backend_local": false,
    })
}

/// The moment of a cancel stays after a resume; a training that ran on overwrites it.
fn completed_at(session: &Session, view: &View, status: &str) -> Option<crate::pace::Moment> {
    let cancelled = session.cancelled.as_ref().map(|cancelled| cancelled.at);
    match status {
        "completed" | "failed" => Some(view.updated),
        _ => cancelled.or_else(|| is_terminal(status).then_some(view.updated)),
    }
}

/// The reason of a cancel stays for ever.
fn error_message(session: &Session, view: &View) -> Option<String> {
    let failed = view.error.as_ref().map(|error| format!("Training failed: {error}"));
    failed.or_else(|| session.cancelled.as_ref().and_then(|cancelled| cancelled.reason.clone()))
}

/// Steps are epochs, items are batches. Both are forgotten at the end.
fn progress(scene: &Scene, session: &Session, view: &View, status: &str) -> Value {
    let (course, at) = (&session.course, &view.point);
    let mut progress = json!({
        "percentage": 0.0, "current_step": null, "steps_completed": 0, "steps_total": 0,
        "items_processed": 0, "items_total": null, "current_item": null, "context": {},
    });
    if status == "completed" {
        progress["percentage"] = 100.0.into();
    }
    if is_terminal(status) || status == "pending" {
        return progress;
    }
    if at.phase == Phase::Loading {
        progress["current_step"] = "".into();
        return progress;
    }
    if at.phase == Phase::Building {
        progress["percentage"] = 5.0.into();
        progress["current_step"] = head::BUILDING.into();
        return progress;
    }
    let (batch, batches) = (at.batches_of_epoch(), scene.book.batches_reported());
    let number = if at.at_end { at.epoch } else { at.epoch + 1 };
    let step = format!("Epoch {number}/{}", course.epochs);
    progress["percentage"] = Items::percent(session, view).into();
    progress["current_step"] = if at.at_end { step } else { format!("{step} \u{b7} Batch {batch}/{batches}") }.into();
    progress["steps_completed"] = at.epochs_done().into();
    progress["steps_total"] = course.epochs.into();
    let before = u64::from(course.first) * u64::from(course.batches);
    progress["items_processed"] = Items::of(session, view).done.saturating_sub(before).into();
    progress
}

fn metadata(scene: &Scene, session: &Session) -> Value {
    let plan = &session.plan;
    let mut metadata = json!({
        "symbol": plan.symbols.first(), "timeframe": plan.timeframes.first(), "mode": null,
        "start_date": null, "end_date": null, "parameters": {},
    });
    if scene.config.generation == Generation::Worker {
        let midnight = |date: &Option<String>| date.as_ref().map(|date| format!("{date}T00:00:00"));
        metadata["mode"] = "training".into();
        metadata["start_date"] = midnight(&plan.start_date).into();
        metadata["end_date"] = midnight(&plan.end_date).into();
        metadata["parameters"] = json!({
            "strategy_yaml": plan.strategy.chars().take(STRATEGY_SHOWN).collect::<String>(),
            "symbols": plan.symbols, "timeframes": plan.timeframes,
            "start_date": plan.start_date, "end_date": plan.end_date, "worker_id": scene.config.worker_id,
        });
    }
    metadata
}

/// A pair where a list is promised, as the real one.
pub(super) fn metrics(scene: &mut Scene, id: &str, call: &Call) -> Answer {
    let cursor = query_value(&call.query, "cursor").unwrap_or_else(|| "0".to_owned());
    let Ok(number) = cursor.parse::<u64>() else {
        return out_of_range("cursor", &cursor);
    };
    if scene.book.stored(id).is_none() {
        return unknown(id);
    }
    let data = json!({ "operation_id": id, "operation_type": "training", "metrics": [[], 0], "cursor": number });
    Answer::ok(&json!({ "success": true, "data": data }))
}

pub(super) fn list(scene: &Scene, call: &Call) -> Answer {
    let number = |key: &str, default: usize| query_value(&call.query, key).map_or(Ok(default), |text| text.parse());
    let (Ok(limit @ 1..=1_000), Ok(offset)) = (number("limit", 10), number("offset", 0)) else {
        return out_of_range("limit", &call.query);
    };
    let wanted = |key: &str| query_value(&call.query, key);
    let active_only = wanted("active_only").as_deref() == Some("true");
    let other_type = wanted("operation_type").is_some_and(|kind| kind != "training");
    let all: Vec<(Value, bool)> = scene.book.sessions.iter().rev().map(|session| summary(scene, session)).collect();
    let active = all.iter().filter(|(_, active)| *active).count();
    let fits = |row: &Value| wanted("status").is_none_or(|status| row["status"] == status.as_str());
    let rows: Vec<&Value> = all
        .iter()
        .filter(|(row, active)| !other_type && fits(row) && (*active || !active_only))
        .map(|(row, _)| row)
        .collect();
    let page: Vec<&Value> = rows.iter().skip(offset).take(limit).copied().collect();
    Answer::ok(&json!({ "success": true, "data": page, "total_count": rows.len(), "active_count": active }))
}

/// One row, and whether it counts as active.
fn summary(scene: &Scene, session: &Session) -> (Value, bool) {
    let view = scene.book.view(session, scene.now);
    let status = operation_status(session, &view);
    let progress = progress(scene, session, &view, &status);
    let active = !is_terminal(&status);
    let runs = status == "running";
    let row = json!({
        "operation_id": session.id, "operation_type": "training", "status": status,
        "created_at": scene.stamps.operation(session.created),
        "progress_percentage": progress["percentage"], "current_step": progress["current_step"],
        "symbol": session.plan.symbols.first(),
        "duration_seconds": runs.then(|| scene.now.saturating_sub(session.started).as_secs_f64()),
    });
    (row, active)
}

/// Says success around whatever came of it.
pub(super) fn cancel(scene: &mut Scene, id: &str, call: &Call) -> Answer {
    let reason = query_value(&call.query, "reason");
    let data = match scene.book.cancel(id, reason, scene.now) {
        Ok(cancelled) => json!({
            "success": true, "operation_id": id, "status": "cancelled",
            "cancelled_at": scene.stamps.session(cancelled.at), "cancellation_reason": cancelled.reason,
            "task_cancelled": false, "remote_cancelled": false, "children_cancelled": [],
        }),
        Err(Denial::Unknown) => json!({ "success": false, "error": format!("Operation not found: {id}") }),
        Err(Denial::NotNow(status)) => {
            let status = status.to_uppercase();
            let words = format!("Operation {id} is already finished (status: OperationStatus.{status})");
            json!({ "success": false, "error": words })
        }
    };
    Answer::ok(&json!({ "success": true, "data": data }))
}

pub(super) fn resume(scene: &mut Scene, call: &Call) -> Answer {
    let body = match read(call, &RESUME) {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let id = body["operation_id"].as_str().unwrap_or_default();
    match scene.book.resume(id, scene.now) {
        Some(epoch) => Answer::ok(&json!({
            "success": true, "operation_id": id, "status": "started", "resumed_from_epoch": epoch,
        })),
        None => Answer::detail(StatusCode::NOT_FOUND, format!("No checkpoint found for operation {id}")),
    }
}
