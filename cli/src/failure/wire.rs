//! What the daemon sent instead of a result, as a [`Failure`]: a gRPC status, or the failure inside an operation.
//!
//! A reason of the table decides by itself. One that this build does not know yet counts by its gRPC code, so that an
//! old client is still about right.

use std::collections::HashMap;

use ktrdr_proto::{
    reason::{self, exit},
    v1,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::Failure;

impl Failure {
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
        metadata.entry("operation".to_owned()).or_insert_with(|| operation.id.clone());
        let name = if sent.reason.is_empty() { default.name } else { &sent.reason };
        let messages = lines(&sent.messages.join("\n"), || format!("the operation was {}", ending(operation.state())));
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
}

/// A reason by name; one that this build does not know yet counts by its gRPC code.
fn named(name: &str, code: Code, metadata: &HashMap<String, String>, messages: Vec<String>) -> Failure {
    match reason::find(name) {
        Some(reason) => Failure::of(reason, metadata, messages),
        None => Failure { reason: name.to_owned(), ..unnamed(code, messages) },
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
    let mut lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!((failure.exit(), failure.reason.as_str()), (exit::NOT_FOUND, "FROM_TOMORROW"));
        let failure = Failure::from_status(&Status::failed_precondition(""));
        assert_eq!((failure.exit(), failure.reason.as_str()), (exit::FAILED, "FAILED_PRECONDITION"));
        assert!(!failure.messages()[0].is_empty());
    }
}
