//! What the Python framework says about a request that does not fit: 422 with a list of complaints.

use serde_json::{Map, Value, json};

use super::Call;
use super::dates::{Moment, read_date};
use ktrdr_http_sim::query_value;
use ktrdr_http_sim::{Answer, complaint, malformed, refused};

/// The fields of a body, and what is wrong with them.
pub(super) struct Fields {
    body: Map<String, Value>,
    complaints: Vec<Value>,
}

impl Fields {
    /// The body, if it is an object at all.
    pub(super) fn of(call: &Call) -> Result<Self, Answer> {
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
            Ok(Value::Object(body)) => Ok(Self { body, complaints: Vec::new() }),
            Ok(value) => Err(no_map(value)),
            Err(error) => Err(malformed(call, &error)),
        }
    }

    pub(super) fn text(&mut self, name: &str) -> String {
        let Some(value) = self.required(name) else { return String::new() };
        match value {
            Value::String(text) => text,
            other => {
                self.complain("string_type", name, "Input should be a valid string", &other);
                String::new()
            }
        }
    }

    /// None for null too.
    pub(super) fn optional_text(&mut self, name: &str) -> Option<String> {
        self.optional(name).map(|_| self.text(name))
    }

    /// None for null too.
    pub(super) fn optional_texts(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.optional(name)?;
        let Value::Array(list) = value else {
            self.complain("list_type", name, "Input should be a valid list", &value);
            return None;
        };
        let mut texts = Vec::new();
        for (index, value) in list.into_iter().enumerate() {
            if let Value::String(text) = value {
                texts.push(text);
            } else {
                let location = json!(["body", name, index]);
                self.complaints.push(complaint("string_type", &location, "Input should be a valid string", &value));
            }
        }
        Some(texts)
    }

    pub(super) fn date(&mut self, name: &str) -> Moment {
        let Some(value) = self.required(name) else { return Moment::default() };
        match read_date(&value) {
            Ok(moment) => moment,
            Err(None) => {
                self.complain("datetime_type", name, "Input should be a valid datetime", &value);
                Moment::default()
            }
            Err(Some(why)) => {
                let words = format!("Input should be a valid datetime or date, {why}");
                let mut complaint = complaint("datetime_from_date_parsing", &json!(["body", name]), &words, &value);
                complaint["ctx"] = json!({ "error": why });
                self.complaints.push(complaint);
                Moment::default()
            }
        }
    }

    /// Nothing may be used before this is well.
    pub(super) fn done(self) -> Result<(), Answer> {
        if self.complaints.is_empty() { Ok(()) } else { Err(refused(self.complaints)) }
    }

    fn required(&mut self, name: &str) -> Option<Value> {
        let value = self.body.get(name).cloned();
        if value.is_none() {
            self.complain("missing", name, "Field required", &Value::Object(self.body.clone()));
        }
        value
    }

    fn optional(&self, name: &str) -> Option<Value> {
        self.body.get(name).filter(|value| !value.is_null()).cloned()
    }

    fn complain(&mut self, kind: &str, name: &str, words: &str, input: &Value) {
        self.complaints.push(complaint(kind, &json!(["body", name]), words, input));
    }
}

/// The values of a query that must all be there.
pub(super) fn query<const N: usize>(call: &Call, names: [&str; N]) -> Result<[String; N], Answer> {
    let values = names.map(|name| query_value(&call.query, name));
    let missing = names.iter().zip(&values).filter(|(_, value)| value.is_none());
    let complaints: Vec<Value> = missing
        .map(|(name, _)| complaint("missing", &json!(["query", name]), "Field required", &Value::Null))
        .collect();
    if complaints.is_empty() { Ok(values.map(Option::unwrap_or_default)) } else { Err(refused(complaints)) }
}
