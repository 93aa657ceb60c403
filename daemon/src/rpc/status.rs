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

fn from_failure(failure: &Failure, reason: &'static Reason) -> Status {
    let metadata: HashMap<String, String> = failure.metadata.clone().into_iter().collect();
    let mut details = ErrorDetails::with_error_info(reason.name, reason::DOMAIN, metadata);
    if let Some(wait) = failure.retry_after_seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        details.set_retry_info(Some(wait));
    }
    Status::with_error_details(reason.code, failure.messages.join("\n"), details)
}
