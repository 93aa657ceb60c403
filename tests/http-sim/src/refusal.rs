//! What the Python framework says about a request that does not fit: 422 with a list of complaints.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::service::Call;

/// One complaint: its kind, where, in words, and what stood there.
pub fn complaint(kind: &str, location: &Value, words: &str, input: &Value) -> Value {
    json!({ "type": kind, "loc": location, "msg": words, "input": input })
}

pub fn refused(complaints: Vec<Value>) -> Answer {
    Answer::detail(StatusCode::UNPROCESSABLE_ENTITY, complaints)
}

/// A body that is no JSON.
pub fn malformed<R>(call: &Call<R>, error: &serde_json::Error) -> Answer {
    let lines = call.body.split(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    let before: usize = lines.map(|line| line.len() + 1).sum();
    let place = json!(["body", before + error.column()]);
    let mut complaint = complaint("json_invalid", &place, "JSON decode error", &json!({}));
    complaint["ctx"] = json!({ "error": "Expecting property name enclosed in double quotes" });
    refused(vec![complaint])
}
