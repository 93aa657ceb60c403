//! The only place that makes a `tonic::Status`: reason → code, `ErrorInfo`, `RetryInfo`; the error chain, a cause a line.

use std::{collections::HashMap, time::Duration};

use ktrdr_proto::reason::{self, Reason};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::error::{Failure, Reasoned};

/// For those who found no room; it comes when others end, which nobody knows.
const CROWDED: f64 = 5.0;

/// Any error of ours.
pub(super) fn of<E: Reasoned>(error: &E) -> Status {
    let (mut failure, reason) = (Failure::from(error), error.reason());
    if [reason::TOO_MANY_OPERATIONS, reason::TOO_MANY_UPLOADS].contains(reason) {
        failure.retry_after_seconds.get_or_insert(CROWDED);
    }
    from_failure(&failure, reason)
}

/// An error with nothing behind it.
pub(super) fn new(reason: &'static Reason, message: impl Into<String>) -> Status {
    from_failure(&Failure::new(reason, message), reason)
}

/// What kept an operation from completing.
pub(super) fn of_failure(failure: &Failure) -> Status {
    from_failure(failure, reason::find(&failure.reason).unwrap_or(&reason::INTERNAL))
}

/// One that ends by itself, in about so many seconds.
pub(super) fn retry(reason: &'static Reason, message: impl Into<String>, seconds: f64) -> Status {
    from_failure(&Failure { retry_after_seconds: Some(seconds), ..Failure::new(reason, message) }, reason)
}

/// As the gRPC specification writes it.
pub(super) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// A request field that is missing or wrong.
pub(super) fn invalid(message: impl Into<String>) -> Status {
    new(&reason::REQUEST_INVALID, message)
}

/// An error is in the headers of an answer, its message twice, and whoever gets more than 8 KiB of those ends the connection with all
/// of its calls: so much of the message, and so much of each value beside it.
const MESSAGE_MAX: usize = 2_500;
const VALUE_MAX: usize = 400;
/// Sent as three bytes each, beside what cannot be printed (gRPC over HTTP/2, "Percent-Encoded").
const ESCAPED: &str = " \"#%<>`?{}";

/// As long as it may be, in bytes of a header, where what is not plain takes three for each of its own.
fn cut(mut text: String, most: usize) -> String {
    let mut length = 0;
    let end = text.char_indices().find_map(|(at, c)| {
        length += if c.is_ascii_graphic() && !ESCAPED.contains(c) { 1 } else { 3 * c.len_utf8() };
        (length > most).then_some(at)
    });
    if let Some(end) = end {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn from_failure(failure: &Failure, reason: &'static Reason) -> Status {
    let metadata = failure.metadata.clone().into_iter();
    let metadata: HashMap<String, String> = metadata.map(|(name, value)| (name, cut(value, VALUE_MAX))).collect();
    let mut details = ErrorDetails::with_error_info(reason.name, reason::DOMAIN, metadata);
    if let Some(wait) = failure.retry_after_seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        details.set_retry_info(Some(wait));
    }
    Status::with_error_details(reason.code, cut(failure.messages.join("\n"), MESSAGE_MAX), details)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_long_words_fits_into_the_headers_of_an_answer() {
        for long in [
            "x".repeat(1 << 16),
            "é\n".repeat(1 << 15),
            "\u{10ffff}%".repeat(1 << 14),
            "%".repeat(1 << 16),
            " {}\"".repeat(1 << 14),
        ] {
            let failure = Failure::new(&reason::REQUEST_INVALID, format!("no such thing: {long}"));
            let failure = failure.with("symbol", long.clone()).with("path", long);
            let status = of_failure(&failure);
            assert!(status.message().starts_with("no such thing: ") && status.message().ends_with('…'));
            let mut headers = http::HeaderMap::new();
            status.add_header(&mut headers).unwrap();
            let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
            assert!(bytes < 8 << 10, "{bytes} bytes");
        }
    }

    #[test]
    fn what_fits_is_as_it_was() {
        assert_eq!(cut("as it was".into(), 13), "as it was");
        assert_eq!(cut("as it was".into(), 12), "as it wa…");
        assert_eq!((cut("éa".into(), 6), cut("éa".into(), 5)), ("é…".into(), "…".into()));
    }
}
