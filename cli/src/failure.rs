//! What went wrong, in the one form that is printed: reason, messages, hint, exit code.
//!
//! The table of reasons is `ktrdr_proto::reason`. What came over the wire is looked up in it in [`wire`]; how a failure
//! is printed is in `output::talk`.

mod wire;

use std::{collections::HashMap, error::Error, io};

use ktrdr_proto::reason::{self, Reason};
use serde::Serialize;

/// Why a command ended before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The reader of stdout went away, which is its right.
    PipeClosed,
    /// Everything was said already; only the exit code is left.
    Exit(u8),
    /// To be told on stderr.
    Failed(Box<Failure>),
}

/// An error, ready to be told.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    reason: String,
    exit: u8,
    /// The error and its causes, outermost first; never empty.
    messages: Vec<String>,
    hint: Option<String>,
    retry_after_seconds: Option<f64>,
    request_id: Option<String>,
}

/// The document of an error.
#[derive(Debug, Serialize)]
pub(crate) struct FailureView<'a> {
    reason: &'a str,
    message: String,
    hint: Option<&'a str>,
    retry_after_seconds: Option<f64>,
    request_id: Option<&'a str>,
}

impl Failure {
    /// An error that this process found.
    pub(crate) fn new(reason: &Reason, message: impl Into<String>) -> Self {
        Self::of(reason, &HashMap::new(), vec![message.into()])
    }

    /// An error with the metadata that its hint speaks of.
    pub(crate) fn of(reason: &Reason, metadata: &HashMap<String, String>, messages: Vec<String>) -> Self {
        Self {
            reason: reason.name.to_owned(),
            exit: reason.exit,
            messages,
            hint: fill(reason.hint, metadata),
            retry_after_seconds: None,
            request_id: None,
        }
    }

    /// Adds an error and its own causes. Neighbours that say the same are said once: tonic repeats itself.
    pub(crate) fn caused_by(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.push_cause(error.to_string());
            next = error.source();
        }
        self
    }

    /// Adds causes that are only text.
    pub(crate) fn because(mut self, causes: impl IntoIterator<Item = String>) -> Self {
        causes.into_iter().for_each(|cause| self.push_cause(cause));
        self
    }

    fn push_cause(&mut self, cause: String) {
        if self.messages.last() != Some(&cause) {
            self.messages.push(cause);
        }
    }

    /// Replaces the hint where the command knows a better next step than the table.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Ties the error to the request in the daemon's log.
    pub(crate) fn of_request(mut self, id: &str) -> Self {
        self.request_id = Some(id.to_owned());
        self
    }

    pub(crate) fn exit(&self) -> u8 {
        self.exit
    }

    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    pub(crate) fn retry_after_seconds(&self) -> Option<f64> {
        self.retry_after_seconds
    }

    pub(crate) fn messages(&self) -> &[String] {
        &self.messages
    }

    /// The next thing to type.
    pub(crate) fn next_step(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The error as a document.
    pub(crate) fn view(&self) -> FailureView<'_> {
        FailureView {
            reason: &self.reason,
            message: self.messages.join(": "),
            hint: self.hint.as_deref(),
            retry_after_seconds: self.retry_after_seconds,
            request_id: self.request_id.as_deref(),
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

/// Errors of stdout; other files name themselves where they are used.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::PipeClosed;
        }
        Failure::new(&reason::OUTPUT_FAILED, "cannot write the output").caused_by(&error).into()
    }
}

/// Fills `{key}` in a hint. A key that was not sent reads as a placeholder in a command, and makes any other hint
/// useless.
fn fill(hint: &str, metadata: &HashMap<String, String>) -> Option<String> {
    let mut filled = String::with_capacity(hint.len());
    let mut rest = hint;
    while let Some((before, after)) = rest.split_once('{') {
        let (key, after) = after.split_once('}')?;
        filled.push_str(before);
        match metadata.get(key) {
            Some(value) => filled.push_str(value),
            None if hint.contains("ktrdr ") => filled.push_str(&key.to_uppercase()),
            None => return None,
        }
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_hint_is_filled_from_the_metadata() {
        let all = metadata(&[("symbol", "AAPL"), ("timeframe", "1h")]);
        let hint = |hint, metadata: &HashMap<_, _>| fill(hint, metadata);
        assert_eq!(hint(reason::SERIES_NOT_FOUND.hint, &all).as_deref(), Some("ktrdr data load AAPL --timeframe 1h"));
        assert_eq!(
            hint(reason::SERIES_NOT_FOUND.hint, &metadata(&[])).as_deref(),
            Some("ktrdr data load SYMBOL --timeframe TIMEFRAME")
        );
        assert_eq!(hint(reason::CONTRACT_AMBIGUOUS.hint, &metadata(&[])), None);
    }
}
