//! Reading a request, and the 422 of the old service's framework when something does not fit: a list of complaints (pure).

use serde_json::{Map, Value, json};

use super::{
    answers,
    dates::{self, NoDate},
};
use crate::{
    model::Nanos,
    web::{Answer, Asked},
};

/// Of one body: each is longer than what it complains about.
const COMPLAINTS_MAX: usize = 100;

/// The fields of a body, and what is wrong with them.
pub(super) struct Fields {
    body: Map<String, Value>,
    complaints: Vec<Value>,
}

fn complaint(kind: &str, place: &Value, words: &str, input: &Value) -> Value {
    json!({ "type": kind, "loc": place, "msg": words, "input": input })
}

fn refused(complaints: &[Value]) -> Answer {
    answers::document(422, &json!({ "detail": complaints }))
}

impl Fields {
    /// The body, if it is an object at all.
    pub(super) fn of(asked: &Asked) -> Result<Self, Answer> {
        let place = json!(["body"]);
        let no_object = |input: &Value| {
            let words = "Input should be a valid dictionary or object to extract fields from";
            refused(&[complaint("model_attributes_type", &place, words, input)])
        };
        if asked.body.is_empty() {
            return Err(refused(&[complaint("missing", &place, "Field required", &Value::Null)]));
        }
        if !asked.json {
            return Err(no_object(&String::from_utf8_lossy(&asked.body).into()));
        }
        match serde_json::from_slice(&asked.body) {
            Ok(Value::Object(body)) => Ok(Self { body, complaints: Vec::new() }),
            Ok(other) => Err(no_object(&other)),
            Err(error) => {
                let place = json!(["body", error.column()]);
                let mut one = complaint("json_invalid", &place, "JSON decode error", &json!({}));
                one["ctx"] = json!({ "error": error.to_string() });
                Err(refused(&[one]))
            }
        }
    }

    fn complain(&mut self, kind: &str, name: &str, words: &str, input: &Value) {
        self.complaints.push(complaint(kind, &json!(["body", name]), words, input));
    }

    fn required(&mut self, name: &str) -> Option<Value> {
        let value = self.body.get(name).cloned();
        if value.is_none() {
            self.complain("missing", name, "Field required", &Value::Object(self.body.clone()));
        }
        value
    }

    /// A text that has to be there.
    pub(super) fn text(&mut self, name: &str) -> String {
        match self.required(name) {
            Some(Value::String(text)) => return text,
            Some(other) => self.complain("string_type", name, "Input should be a valid string", &other),
            None => {}
        }
        String::new()
    }

    /// A text that may be absent or null.
    pub(super) fn optional_text(&mut self, name: &str) -> Option<String> {
        let given = self.body.get(name).is_some_and(|value| !value.is_null());
        given.then(|| self.text(name)).filter(|text| !text.is_empty())
    }

    /// A list of texts that may be absent or null.
    pub(super) fn texts(&mut self, name: &str) -> Vec<String> {
        let list = match self.body.get(name).cloned() {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(list)) => list,
            Some(other) => {
                self.complain("list_type", name, "Input should be a valid list", &other);
                return Vec::new();
            }
        };
        let mut texts = Vec::with_capacity(list.len());
        for (at, value) in list.into_iter().enumerate() {
            match value {
                Value::String(text) => texts.push(text),
                _ if self.complaints.len() >= COMPLAINTS_MAX => break,
                other => {
                    let place = json!(["body", name, at]);
                    self.complaints.push(complaint("string_type", &place, "Input should be a valid string", &other));
                }
            }
        }
        texts
    }

    /// An instant that has to be there.
    pub(super) fn date(&mut self, name: &str) -> Nanos {
        let Some(value) = self.required(name) else { return 0 };
        match dates::read(&value) {
            Ok(at) => return at,
            Err(NoDate::Kind) => self.complain("datetime_type", name, "Input should be a valid datetime", &value),
            Err(NoDate::Text(why)) => {
                let words = format!("Input should be a valid datetime or date, {why}");
                let mut one = complaint("datetime_from_date_parsing", &json!(["body", name]), &words, &value);
                one["ctx"] = json!({ "error": why });
                self.complaints.push(one);
            }
        }
        0
    }

    /// Nothing may be used before this is well.
    pub(super) fn done(self) -> Result<(), Answer> {
        if self.complaints.is_empty() { Ok(()) } else { Err(refused(&self.complaints)) }
    }
}

/// Values of a query that all have to be there.
pub(super) fn of_query<const N: usize>(query: &str, names: [&str; N]) -> Result<[String; N], Answer> {
    let pairs = || query.split('&').filter_map(|pair| pair.split_once('='));
    let values = names.map(|name| pairs().find(|(key, _)| decoded(key) == name).map(|(_, value)| decoded(value)));
    let missing = names.iter().zip(&values).filter(|(_, value)| value.is_none());
    let complaints: Vec<_> = missing
        .map(|(name, _)| complaint("missing", &json!(["query", name]), "Field required", &Value::Null))
        .collect();
    if complaints.is_empty() { Ok(values.map(Option::unwrap_or_default)) } else { Err(refused(&complaints)) }
}

/// Without its percent signs; what is no text stays as it is.
pub(super) fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = rest.next() {
        let digits = || {
            let mut ahead = rest.clone();
            let (high, low) = (ahead.next()?, ahead.next()?);
            let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
            Some((value(high)? << 4 | value(low)?, ahead))
        };
        match (byte, digits()) {
            (b'%', Some((value, ahead))) => {
                bytes.push(value);
                rest = ahead;
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(other),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SECOND;
    use proptest::prelude::*;

    #[test]
    fn a_query_is_decoded() {
        assert_eq!(decoded("EUR%2FUSD+x%zz%4"), "EUR/USD x%zz%4");
        let [a, b] = of_query("b=2&a=%41", ["a", "b"]).unwrap();
        assert_eq!((a.as_str(), b.as_str()), ("A", "2"));
        assert_eq!(of_query("b=2", ["a", "b"]).unwrap_err().status, 422);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_decoded(text in ".{0,40}") {
            prop_assert!(decoded(&text).len() <= text.len());
        }
    }

    /// A body, or what stands behind a question mark.
    #[test]
    fn foreign_bytes() {
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "old-service").memory(96, 1 << 20).check(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            drop(of_query(&text, ["symbol", "timeframe"]));
            let asked = |json| Asked {
                method: http::Method::POST,
                path: "/data/historical".into(),
                query: String::new(),
                json,
                headers: http::HeaderMap::new(),
                body: bytes::Bytes::copy_from_slice(bytes),
            };
            drop(Fields::of(&asked(false)));
            let read = || {
                let mut fields = Fields::of(&asked(true))?;
                let (symbol, start, end) = (fields.text("symbol"), fields.date("start"), fields.date("end"));
                let (kind, timeframes) = (fields.optional_text("instrument_type"), fields.texts("timeframes"));
                fields.done().map(|()| (symbol, start, end, kind.is_some(), timeframes.len().min(2)))
            };
            match read() {
                Ok((_, start, end, kind, timeframes)) => {
                    for at in [start, end] {
                        assert_eq!(
                            dates::read(&answers::iso(at).into()).map(|read| read / SECOND),
                            Ok(at.div_euclid(SECOND)),
                            "{at}"
                        );
                    }
                    Ok(format!("{kind} {timeframes}"))
                }
                Err(answer) => {
                    assert_eq!(answer.status, 422);
                    let crate::web::Body::Whole(text) = answer.body else { panic!("a refusal in pieces") };
                    let told: Value = serde_json::from_slice(&text).unwrap();
                    let complaints = told["detail"].as_array().unwrap();
                    assert!(!complaints.is_empty());
                    // three may quote all of it, where a character can be written with six
                    assert!(text.len() <= 150 * COMPLAINTS_MAX + 24 * bytes.len(), "{} bytes", text.len());
                    Err(complaints.iter().map(|one| one["msg"].as_str().unwrap()).collect::<Vec<_>>().join(", "))
                }
            }
        });
    }
}
