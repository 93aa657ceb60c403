//! What the Python framework says about a body that does not fit: 422 with a list of complaints.

use serde_json::{Value, json};

use super::Call;
use ktrdr_http_sim::{Answer, complaint, malformed, refused};

/// Kinds of fields, with the framework's name for a wrong one, and its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Flag,
    Map,
    List,
}

impl Kind {
    fn accepts(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Flag => value.is_boolean(),
            Self::Map => value.is_object(),
            Self::List => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
        }
    }

    fn complaint(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("string_type", "Input should be a valid string"),
            Self::Flag => ("bool_parsing", "Input should be a valid boolean, unable to interpret input"),
            Self::Map => ("dict_type", "Input should be a valid dictionary"),
            Self::List => ("list_type", "Input should be a valid list"),
        }
    }
}

/// Whether a field must be there, and may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    /// May be missing, but not null.
    Default,
    Optional,
}

pub(super) type Field = (&'static str, Kind, Need);

/// The body, if it has all fields.
pub(super) fn read(call: &Call, fields: &[Field]) -> Result<Value, Answer> {
    let body = parse(call)?;
    let complaints: Vec<Value> = fields.iter().filter_map(|field| wrong(&body, *field)).collect();
    if complaints.is_empty() { Ok(body) } else { Err(refused(complaints)) }
}

fn wrong(body: &Value, (name, kind, need): Field) -> Option<Value> {
    let location = json!(["body", name]);
    match body.get(name) {
        None if need == Need::Required => Some(complaint("missing", &location, "Field required", body)),
        None => None,
        Some(Value::Null) if need == Need::Optional => None,
        Some(value) if kind.accepts(value) => None,
        Some(value) => Some(complaint(kind.complaint().0, &location, kind.complaint().1, value)),
    }
}

fn parse(call: &Call) -> Result<Value, Answer> {
    let body = json!(["body"]);
    if call.body.is_empty() {
        return Err(refused(vec![complaint("missing", &body, "Field required", &Value::Null)]));
    }
    let no_map = |input: Value| {
        let words = "Input should be a valid dictionary or object to extract fields from";
        refused(vec![complaint("model_attributes_type", &body, words, &input)])
    };
    if !call.json {
        return Err(no_map(String::from_utf8_lossy(&call.body).into()));
    }
    match serde_json::from_slice(&call.body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(value) => Err(no_map(value)),
        Err(error) => Err(malformed(call, &error)),
    }
}

/// A number in a query that is too small or too big.
pub(super) fn out_of_range(name: &str, input: &str) -> Answer {
    let words = "Input should be within its range";
    refused(vec![complaint("greater_than_equal", &json!(["query", name]), words, &input.into())])
}

/// A refusal of any body.
pub(crate) fn unprocessable() -> Answer {
    refused(vec![complaint("missing", &json!(["body", "unknown_field"]), "Field required", &json!({}))])
}
