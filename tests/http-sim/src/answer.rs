//! An answer before it meets a connection.

use bytes::Bytes;
use hyper::StatusCode;
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: StatusCode,
    pub content_type: Option<&'static str>,
    /// One more header.
    pub header: Option<(&'static str, String)>,
    pub body: Bytes,
}

impl Answer {
    pub fn ok(body: &Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    pub fn json(status: StatusCode, body: &Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    /// The error body of the Python framework.
    pub fn detail(status: StatusCode, detail: impl Into<Value>) -> Self {
        Self::json(status, &json!({ "detail": detail.into() }))
    }

    /// The seed's answer to everything that goes wrong.
    pub fn failed(detail: impl Into<Value>) -> Self {
        Self::detail(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    pub fn text(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type: Some(content_type), header: None, body: body.into() }
    }

    pub fn empty(status: StatusCode) -> Self {
        Self { status, content_type: None, header: None, body: Bytes::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.header = Some((name, value.into()));
        self
    }
}
