//! How errors of all layers become a reason, a text and a next step.
//!
//! Each layer has one enum; its [`Reasoned`] implementation is the only place that maps variants to the reasons of the
//! contract. `rpc/status.rs` turns it into a `tonic::Status`, operations keep it as a [`Failure`].

use std::{collections::BTreeMap, error::Error, time::Duration};

use ktrdr_proto::{
    reason::{self, Reason},
    text::{beginning, printable},
};
use serde::{Deserialize, Serialize};

/// An error with a stable name.
pub trait Reasoned: Error {
    /// Its name, code, exit code and hint.
    fn reason(&self) -> &'static Reason;

    /// Values for the hint and for programs, lowerCamel keys.
    fn metadata(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// A retry makes sense after this time.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// An error as it is kept in the ledger and sent to clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Name of the reason.
    pub reason: String,
    /// The error and its causes, outermost first.
    pub messages: Vec<String>,
    /// See [`Reasoned::metadata`].
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// Seconds.
    #[serde(default)]
    pub retry_after_seconds: Option<f64>,
}

impl Failure {
    /// A failure that has no error behind it.
    pub fn new(reason: &Reason, message: impl Into<String>) -> Self {
        Self {
            reason: reason.name.into(),
            messages: vec![printable(&message.into()).into_owned()],
            metadata: BTreeMap::new(),
            retry_after_seconds: None,
        }
    }

    /// Adds a value for the hint.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// The listed reason behind the name; a name of another version counts as a defect.
    pub fn listed_reason(&self) -> &'static Reason {
        reason::find(&self.reason).unwrap_or(&reason::INTERNAL)
    }
}

impl<E: Reasoned> From<&E> for Failure {
    fn from(error: &E) -> Self {
        Self {
            reason: error.reason().name.into(),
            messages: chain(error),
            metadata: error.metadata().into_iter().map(|(key, value)| (key.into(), value)).collect(),
            retry_after_seconds: error.retry_after().map(|wait| wait.as_secs_f64()),
        }
    }
}

/// An error and its causes in one line, for logs and for texts that have room for no more.
pub fn in_line(error: &dyn Error) -> String {
    chain(error).join(": ")
}

/// Characters of one error. Parsers quote the line that they stumble on, and a line can be a whole file.
const TOLD_MAX: usize = 4_000;

/// The texts of an error and its causes, outermost first, [`printable`]; a cause that only repeats its parent is left out.
pub fn chain(error: &dyn Error) -> Vec<String> {
    let told = |error: &dyn Error| beginning(&printable(&error.to_string()), TOLD_MAX).into_owned();
    let mut texts = vec![told(error)];
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = told(error);
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        cause = error.source();
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_a_whole_file_is_not_told_whole() {
        let told = in_line(&std::io::Error::other("\0".repeat(1 << 20)));
        assert!(told.starts_with("\\u{0}") && told.ends_with('…'));
        assert_eq!(told.chars().count(), TOLD_MAX + 1);
    }
}
