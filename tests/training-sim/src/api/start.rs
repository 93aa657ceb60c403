//! Starting a session, and all the ways to refuse it.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::validation::{Field, Kind, Need, read};
use super::{Call, Scene};
use crate::book::Refusal;
use crate::generation::Generation;
use crate::plan::{Plan, Total};
use ktrdr_http_sim::Answer;

const MAPS: [Field; 5] = [
    ("session_id", Kind::Text, Need::Optional),
    ("model_configuration", Kind::Map, Need::Required),
    ("training_configuration", Kind::Map, Need::Required),
    ("data_configuration", Kind::Map, Need::Required),
    ("gpu_configuration", Kind::Map, Need::Optional),
];

const YAML: [Field; 7] = [
    ("strategy_yaml", Kind::Text, Need::Required),
    ("task_id", Kind::Text, Need::Optional),
    ("session_id", Kind::Text, Need::Optional),
    ("symbols", Kind::List, Need::Optional),
    ("timeframes", Kind::List, Need::Optional),
    ("start_date", Kind::Text, Need::Optional),
    ("end_date", Kind::Text, Need::Optional),
];

pub(super) fn fields(generation: Generation) -> &'static [Field] {
    if generation.takes_yaml() { &YAML } else { &MAPS }
}

pub(super) fn start(scene: &mut Scene, call: &Call) -> Answer {
    let generation = scene.config.generation;
    let body = match read(call, fields(generation)) {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let names: &[&str] = if generation.takes_yaml() { &["task_id", "session_id"] } else { &["session_id"] };
    let id = names.iter().find_map(|name| body[*name].as_str()).map_or_else(uuid, str::to_owned);
    let plan = if generation.takes_yaml() { Plan::from_yaml(&body) } else { Plan::from_maps(&body) };
    let (total, minutes) = (plan.total.clone(), plan.estimated_minutes.clone());
    let started = scene.book.start(&id, plan, scene.now);
    match (generation, started, total) {
        // It says so to a duplicate too; only its log knows better.
        (Generation::Worker, Ok(()) | Err(Refusal::Known | Refusal::Stored), _) => {
            Answer::ok(&json!({ "success": true, "operation_id": id, "status": "started" }))
        }
        (_, Err(Refusal::Busy), _) => busy(scene),
        (_, Err(refusal), _) => taken(generation, refusal, &id),
        // The session is there and runs; only its progress cannot be told.
        (_, Ok(()), Total::Broken(kind)) => Answer::failed(format!("Failed to start training: {}", incomparable(kind))),
        (_, Ok(()), Total::Number(_)) => Answer::ok(&reply(scene, &id, &minutes)),
    }
}

fn reply(scene: &Scene, id: &str, minutes: &Value) -> Value {
    let mut reply = json!({
        "session_id": id, "status": "started", "message": format!("Training session {id} started successfully"),
        "gpu_allocated": scene.config.gpu.is_some(), "estimated_duration_minutes": minutes,
    });
    if !matches!(scene.config.generation, Generation::A | Generation::B) {
        reply["operation_id"] = id.into();
    }
    reply
}

/// What Python says when it compares a number of epochs that is none.
pub(super) fn incomparable(kind: &str) -> String {
    format!("'>' not supported between instances of '{kind}' and 'int'")
}

/// The limit is reached.
pub(crate) fn busy(scene: &Scene) -> Answer {
    let limit = format!("Maximum concurrent sessions ({}) reached", scene.book.slots.unwrap_or(1));
    if scene.config.generation == Generation::A {
        return Answer::failed(format!("Failed to start training: {limit}"));
    }
    let words = format!("Service temporarily unavailable: {limit}. Please try again in a moment.");
    Answer::detail(StatusCode::SERVICE_UNAVAILABLE, words)
}

fn taken(generation: Generation, refusal: Refusal, id: &str) -> Answer {
    let words = match refusal {
        Refusal::Stored => format!("Failed to create training session: Operation ID already exists: {id}"),
        _ => format!("Session {id} already exists"),
    };
    if generation == Generation::A {
        return Answer::failed(format!("Failed to start training: {words}"));
    }
    Answer::detail(StatusCode::CONFLICT, format!("Session conflict: {words}"))
}

/// A random id, in the form of a version 4 UUID.
pub(super) fn uuid() -> String {
    let (high, low) = (fastrand::u64(..), fastrand::u64(..));
    let (version, variant) = ((high & 0xfff) | 0x4000, ((low >> 48) & 0x3fff) | 0x8000);
    let (head, middle) = (high >> 32, (high >> 16) & 0xffff);
    format!("{head:08x}-{middle:04x}-{version:04x}-{variant:04x}-{:012x}", low & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::uuid;

    #[test]
    fn ids_have_the_form_of_a_uuid() {
        let id = uuid();
        let lengths: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
        assert_eq!(id.chars().nth(14), Some('4'));
    }
}
