//! An answer, and what can be read of it whatever came (pure).

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};
use ulid::Ulid;

use super::Trouble;
use ktrdr_proto::text::{beginning, one_line};

/// A complete answer of any status.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
    /// When the service wants to be asked again.
    pub retry_after: Option<Duration>,
    /// Request to last byte.
    pub took: Duration,
    /// Sent along with the request.
    pub request_id: Ulid,
}

/// What the services put beside an error: a text, or the list of what is wrong with a body (422).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// For people; the oldest services tell cases apart by nothing else.
    Text(String),
    /// Field and kind of each mistake.
    Fields(Vec<(String, String)>),
}

impl std::fmt::Display for Detail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Fields(fields) => {
                let fields: Vec<_> = fields.iter().map(|(field, kind)| format!("{field}: {kind}")).collect();
                f.write_str(&fields.join(", "))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireDetail {
    Text(String),
    Fields(Vec<WireField>),
    Other(serde_json::Value),
}

#[derive(Deserialize)]
struct WireField {
    #[serde(default)]
    loc: Vec<serde_json::Value>,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct WireError {
    detail: WireDetail,
}

impl Reply {
    /// 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The `detail` of an error.
    pub fn detail(&self) -> Option<Detail> {
        let error: WireError = serde_json::from_slice(&self.body).ok()?;
        Some(match error.detail {
            WireDetail::Text(text) => Detail::Text(cut(&text, 400)),
            WireDetail::Fields(fields) => Detail::Fields(fields.iter().take(20).map(named).collect()),
            WireDetail::Other(value) => Detail::Text(cut(&value.to_string(), 400)),
        })
    }

    /// The detail contains the text; upper and lower case are the same.
    pub fn says(&self, text: &str) -> bool {
        matches!(self.detail(), Some(Detail::Text(detail)) if detail.to_lowercase().contains(&text.to_lowercase()))
    }

    /// Reads a successful answer; anything else becomes the error that it is.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        if !self.is_success() {
            return Err(self.refusal());
        }
        serde_json::from_slice(&self.body).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => Trouble::Shape { why: error.to_string(), start: self.start() },
            _ => Trouble::NotJson { start: self.start() },
        })
    }

    /// This answer as an error.
    pub fn refusal(&self) -> Trouble {
        let detail = self.detail().map_or_else(|| self.start(), |detail| detail.to_string());
        Trouble::Refused { status: self.status, detail, retry_after: self.retry_after }
    }

    /// The beginning of the body on one line.
    pub fn start(&self) -> String {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(400)]);
        cut(&text.split_whitespace().collect::<Vec<_>>().join(" "), 120)
    }
}

fn named(field: &WireField) -> (String, String) {
    let part = |part: &serde_json::Value| part.as_str().map_or_else(|| part.to_string(), str::to_owned);
    let name = field.loc.iter().skip(1).map(part).collect::<Vec<_>>().join(".");
    (cut(&name, 100), cut(&field.kind, 60))
}

fn cut(text: &str, characters: usize) -> String {
    beginning(&one_line(text), characters).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        let body = Bytes::copy_from_slice(body.as_bytes());
        Reply { status, body, retry_after: None, took: Duration::ZERO, request_id: Ulid::nil() }
    }

    #[test]
    fn a_detail_is_a_text_or_a_list_or_nothing() {
        let text = reply(500, r#"{"detail":"Failed: Session x NOT found"}"#);
        assert!(text.says("not found") && !text.says("busy"));
        let fields = reply(422, r#"{"detail":[{"type":"missing","loc":["body","a","b"],"msg":"x","input":{}}]}"#);
        assert_eq!(fields.detail(), Some(Detail::Fields(vec![("a.b".into(), "missing".into())])));
        assert_eq!(reply(500, r#"{"detail":{"a":1}}"#).detail(), Some(Detail::Text("{\"a\":1}".into())));
        for nothing in ["", "<html>", "{}", "[]", "null", "{\"detail\":"] {
            assert_eq!(reply(500, nothing).detail(), None, "{nothing}");
            assert!(matches!(reply(500, nothing).refusal(), Trouble::Refused { status: 500, .. }));
        }
    }

    #[test]
    fn an_answer_that_is_not_what_it_should_be_is_an_error_of_its_own() {
        #[derive(Deserialize, Debug)]
        struct Wanted {
            #[serde(rename = "n")]
            _n: u32,
        }
        assert!(matches!(reply(200, "{\"n\":\"x\"}").read::<Wanted>(), Err(Trouble::Shape { .. })));
        assert!(matches!(reply(200, "{\"n\":").read::<Wanted>(), Err(Trouble::NotJson { .. })));
        assert!(matches!(reply(200, "").read::<Wanted>(), Err(Trouble::NotJson { .. })));
        assert!(matches!(reply(404, "{\"n\":1}").read::<Wanted>(), Err(Trouble::Refused { status: 404, .. })));
        assert!(reply(200, "{\"n\":1,\"later\":true}").read::<Wanted>().is_ok());
    }

    proptest::proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600), status in 100u16..600) {
            let reply = Reply { status, body: body.into(), retry_after: None, took: Duration::ZERO, request_id: Ulid::nil() };
            drop((reply.detail(), reply.refusal(), reply.read::<serde_json::Value>()));
        }
    }

    /// A status and a body.
    #[test]
    fn foreign_bytes() {
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "reply").memory(64, 1 << 20).check(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            let (status, _) = text.split_once('\n').unwrap_or_default();
            let body = bytes.splitn(2, |byte| *byte == b'\n').nth(1).unwrap_or_default();
            let reply = Reply { body: Bytes::copy_from_slice(body), ..reply(status.parse().unwrap_or(200), "") };
            let told = |trouble: &Trouble| crate::error::in_line(trouble);
            ktrdr_foreign::fit_to_print(&told(&reply.refusal()));
            assert!(reply.start().chars().count() <= 121, "{}", reply.start());
            let detail = if reply.detail().is_some() { "with a detail" } else { "" };
            reply
                .read::<serde_json::Map<String, serde_json::Value>>()
                .map(|_| detail.into())
                .map_err(|trouble| told(&trouble))
        });
    }
}
