//! What went wrong, in the one form that is printed: reason, messages, hint, exit code.
//!
//! The table of reasons is `ktrdr_proto::reason`; here is how a gRPC status, an operation's failure and an error of our
//! own are looked up in it. How a failure is printed is in `output::talk`.

use std::{collections::HashMap, error::Error, io};

use ktrdr_proto::{
    reason::{self, Reason, exit},
    v1,
};
use serde::Serialize;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

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

    /// What the daemon sent instead of an answer. The lines of its message are the error and its causes.
    pub(crate) fn from_status(status: &Status) -> Self {
        let details = status.get_error_details();
        let messages = lines(status.message(), || status.code().description().to_owned());
        let mut failure = match details.error_info() {
            Some(info) if info.domain == reason::DOMAIN => named(&info.reason, status.code(), &info.metadata, messages),
            _ => unnamed(status.code(), messages),
        };
        let retry = details.retry_info().and_then(|info| info.retry_delay);
        failure.retry_after_seconds = retry.map(|delay| delay.as_secs_f64());
        failure
    }

    /// Why an operation ended without completing; `None` when it did complete, or has not ended.
    pub(crate) fn from_operation(operation: &v1::Operation) -> Option<Self> {
        let default = match operation.state() {
            v1::OperationState::Failed => &reason::INTERNAL,
            v1::OperationState::Cancelled => &reason::CANCELLED,
            v1::OperationState::Interrupted => &reason::INTERRUPTED,
            _ => return None,
        };
        let sent = operation.failure.clone().unwrap_or_default();
        let mut metadata = sent.metadata;
        metadata
            .entry("operation".to_owned())
            .or_insert_with(|| operation.id.clone());
        let name = if sent.reason.is_empty() {
            default.name
        } else {
            &sent.reason
        };
        let messages = lines(&sent.messages.join("\n"), || {
            format!("the operation was {}", ending(operation.state()))
        });
        let mut failure = named(name, default.code, &metadata, messages);
        failure.retry_after_seconds = sent.retry_after_seconds;
        Some(failure)
    }

    /// Why a file of an import was refused.
    pub(crate) fn from_wire(sent: &v1::Failure) -> Self {
        let messages = lines(&sent.messages.join("\n"), || sent.reason.clone());
        let mut failure = named(&sent.reason, Code::InvalidArgument, &sent.metadata, messages);
        failure.retry_after_seconds = sent.retry_after_seconds;
        failure
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
        Failure::new(&reason::OUTPUT_FAILED, "cannot write the output")
            .caused_by(&error)
            .into()
    }
}

/// A reason by name; one that this build does not know yet counts by its gRPC code.
fn named(name: &str, code: Code, metadata: &HashMap<String, String>, messages: Vec<String>) -> Failure {
    match reason::find(name) {
        Some(reason) => Failure::of(reason, metadata, messages),
        None => Failure {
            reason: name.to_owned(),
            ..unnamed(code, messages)
        },
    }
}

/// An error without a reason of ours, by its gRPC code alone.
fn unnamed(code: Code, messages: Vec<String>) -> Failure {
    let (exit, hint) = match code {
        Code::InvalidArgument | Code::OutOfRange => (exit::USAGE, None),
        Code::Unavailable => (exit::UNAVAILABLE, None),
        Code::DeadlineExceeded => (exit::TIMED_OUT, Some(reason::TIMED_OUT.hint)),
        Code::NotFound => (exit::NOT_FOUND, None),
        Code::Internal | Code::Unknown | Code::DataLoss => (exit::FAILED, Some(reason::INTERNAL.hint)),
        _ => (exit::FAILED, None),
    };
    Failure {
        reason: format!("{code:?}").chars().fold(String::new(), upper_snake),
        exit,
        messages,
        hint: hint.map(str::to_owned),
        retry_after_seconds: None,
        request_id: None,
    }
}

/// `NotFound` → `NOT_FOUND`.
fn upper_snake(mut text: String, letter: char) -> String {
    if letter.is_ascii_uppercase() && !text.is_empty() {
        text.push('_');
    }
    text.push(letter.to_ascii_uppercase());
    text
}

fn lines(text: &str, when_empty: impl FnOnce() -> String) -> Vec<String> {
    let mut lines: Vec<_> = text
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    lines.dedup();
    if lines.is_empty() {
        lines.push(when_empty());
    }
    lines
}

fn ending(state: v1::OperationState) -> &'static str {
    match state {
        v1::OperationState::Cancelled => "cancelled",
        v1::OperationState::Interrupted => "cut off by the end of the daemon",
        _ => "ended without a result",
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
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_hint_is_filled_from_the_metadata() {
        let all = metadata(&[("symbol", "AAPL"), ("timeframe", "1h")]);
        let hint = |hint, metadata: &HashMap<_, _>| fill(hint, metadata);
        assert_eq!(
            hint(reason::SERIES_NOT_FOUND.hint, &all).as_deref(),
            Some("ktrdr data load AAPL --timeframe 1h")
        );
        assert_eq!(
            hint(reason::SERIES_NOT_FOUND.hint, &metadata(&[])).as_deref(),
            Some("ktrdr data load SYMBOL --timeframe TIMEFRAME")
        );
        assert_eq!(hint(reason::CONTRACT_AMBIGUOUS.hint, &metadata(&[])), None);
    }

    #[test]
    fn every_reason_keeps_its_exit_code_over_the_wire() {
        for reason in reason::ALL {
            let mut details = tonic_types::ErrorDetails::new();
            details.set_error_info(reason.name, reason::DOMAIN, HashMap::<String, String>::new());
            let failure =
                Failure::from_status(&Status::with_error_details(reason.code, "outer\ninner\ninner", details));
            assert_eq!((failure.exit(), failure.reason.as_str()), (reason.exit, reason.name));
            assert_eq!(failure.messages(), ["outer", "inner"]);
        }
    }

    #[test]
    fn an_unknown_reason_counts_by_its_code() {
        let mut details = tonic_types::ErrorDetails::new();
        details.set_error_info("FROM_TOMORROW", reason::DOMAIN, HashMap::<String, String>::new());
        let failure = Failure::from_status(&Status::with_error_details(Code::NotFound, "gone", details));
        assert_eq!(
            (failure.exit(), failure.reason.as_str()),
            (exit::NOT_FOUND, "FROM_TOMORROW")
        );
        let failure = Failure::from_status(&Status::failed_precondition(""));
        assert_eq!(
            (failure.exit(), failure.reason.as_str()),
            (exit::FAILED, "FAILED_PRECONDITION")
        );
        assert!(!failure.messages()[0].is_empty());
    }
}
