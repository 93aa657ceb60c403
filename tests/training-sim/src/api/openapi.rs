//! The service's description of itself: enough to tell the generations apart.

use serde_json::{Map, Value, json};

use super::validation::{Field, Need};
use super::{head, operations, seed, start};
use crate::generation::Generation;
use crate::route::Route;
use ktrdr_http_sim::Answer;
use ktrdr_http_sim::Route as _;

pub(super) fn document(generation: Generation) -> Answer {
    let worker = generation.is_worker_service();
    let title = if worker { "Training Worker Service" } else { "Training Host Service" };
    Answer::ok(&json!({
        "openapi": "3.1.0",
        "info": {
            "title": title, "description": "GPU-accelerated training service for KTRDR", "version": "1.0.0",
        },
        "paths": paths(generation),
        "components": { "schemas": schemas(generation) },
    }))
}

fn paths(generation: Generation) -> Value {
    let mut paths = Map::new();
    let served = Route::ROWS.iter().filter(|row| generation.serves(row.0) && row.0 != Route::Openapi);
    for (route, method, pattern, name) in served {
        let parameter = if pattern.starts_with("/api/") { "{operation_id}" } else { "{session_id}" };
        let path = paths.entry(pattern.replace("{id}", parameter)).or_insert_with(|| json!({}));
        path[method.to_lowercase()] = operation(generation, *route, pattern, name);
    }
    paths.into()
}

fn operation(generation: Generation, route: Route, pattern: &str, name: &str) -> Value {
    let summary = if route == Route::Start { "Start Training" } else { name };
    let tag = pattern.split('/').nth(1).unwrap_or_default();
    let mut operation = json!({
        "tags": [tag], "summary": summary, "description": "Simulated.",
        "responses": { "200": { "description": "Successful Response" } },
    });
    if let Some((schema, _)) = body(generation, route) {
        let reference = json!({ "$ref": format!("#/components/schemas/{schema}") });
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": reference } } });
    }
    operation
}

fn schemas(generation: Generation) -> Value {
    let mut schemas = Map::new();
    for (name, fields) in
        Route::ROWS.iter().filter_map(|row| body(generation, row.0).filter(|_| generation.serves(row.0)))
    {
        let properties: Map<String, Value> =
            fields.iter().map(|field| (field.0.to_owned(), json!({ "title": field.0 }))).collect();
        let required: Vec<_> = fields.iter().filter(|field| field.2 == Need::Required).map(|field| field.0).collect();
        let schema = json!({ "type": "object", "title": name, "properties": properties, "required": required });
        schemas.insert(name.to_owned(), schema);
    }
    schemas.into()
}

/// The schema of a route's body.
fn body(generation: Generation, route: Route) -> Option<(&'static str, &'static [Field])> {
    match route {
        Route::Start => Some(("TrainingStartRequest", start::fields(generation))),
        Route::Stop => Some(("TrainingStopRequest", &seed::STOP)),
        Route::Evaluate => Some(("EvaluationRequest", &head::EVALUATE)),
        Route::Resume => Some(("TrainingResumeRequest", &operations::RESUME)),
        _ => None,
    }
}
