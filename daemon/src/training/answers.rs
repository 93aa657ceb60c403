//! What an answer to a start means (pure). The oldest services answer everything with 500 and a sentence.

use std::time::Duration;

use crate::host_service::{HostError, Reply, Trouble};

/// What is known after a start was sent.
#[derive(Debug)]
pub(super) enum StartAnswer {
    /// It runs there.
    Started,
    /// The id is known there: ours, from an earlier attempt.
    Exists,
    /// No slot is free; or, of a service that says so before it looks at the id, ours runs already.
    Busy { retry_after: Option<Duration> },
    /// It certainly did not start.
    Refused(HostError),
    /// It certainly never arrived.
    NotSent(HostError),
    /// It may have started.
    Unknown(String),
}

/// Reads the outcome of `POST /training/start`.
pub(super) fn of_start(
    id: &str,
    outcome: Result<Reply, HostError>,
    error: impl FnOnce(Trouble) -> HostError,
) -> StartAnswer {
    let reply = match outcome {
        Ok(reply) => reply,
        Err(error) if error.not_sent() => return StartAnswer::NotSent(error),
        Err(error) => return StartAnswer::Unknown(crate::error::in_line(&error)),
    };
    match reply.status {
        200..=299 if names(&reply, id) => StartAnswer::Started,
        409 => StartAnswer::Exists,
        500 if reply.says("already exists") => StartAnswer::Exists,
        503 => StartAnswer::Busy { retry_after: reply.retry_after },
        500 if reply.says("Maximum concurrent sessions") => StartAnswer::Busy { retry_after: reply.retry_after },
        500 if reply.says("Failed to create training session") => StartAnswer::Refused(error(reply.refusal())),
        400..=499 => StartAnswer::Refused(error(reply.refusal())),
        _ => StartAnswer::Unknown(reply.refusal().to_string()),
    }
}

/// It speaks of our session. A page of something in between does not, whatever its status.
fn names(reply: &Reply, id: &str) -> bool {
    let answer: serde_json::Value = reply.read().unwrap_or_default();
    ["session_id", "operation_id"].iter().any(|key| answer.get(key).and_then(serde_json::Value::as_str) == Some(id))
}

/// What an answer to a stop means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StopAnswer {
    /// It has stopped, or will.
    Stopping,
    /// It had ended, or is not known.
    Over,
    /// The host cannot say.
    Unknown(String),
}

/// Reads the outcome of a stop or a cancel.
pub(super) fn of_stop(reply: &Reply) -> StopAnswer {
    match reply.status {
        200..=299 => StopAnswer::Stopping,
        404 => StopAnswer::Over,
        500 if reply.says("not found") || reply.says("is not running") => StopAnswer::Over,
        _ => StopAnswer::Unknown(reply.refusal().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_service::At;

    fn error(trouble: Trouble) -> HostError {
        let text = String::new;
        let at = At {
            service: text(),
            name: text(),
            route: text(),
            attempts: 1,
            elapsed: Duration::ZERO,
            request_id: text(),
        };
        HostError { at: Box::new(at), trouble }
    }

    fn reply(status: u16, detail: &str) -> Reply {
        let body = serde_json::json!({"detail": detail}).to_string().into();
        Reply { status, body, retry_after: None, took: Duration::ZERO, request_id: ulid::Ulid::nil() }
    }

    #[test]
    fn sentences_decide_only_together_with_the_status() {
        let told = |status, detail: &str| match of_start("x", Ok(reply(status, detail)), error) {
            StartAnswer::Started => "started",
            StartAnswer::Exists => "exists",
            StartAnswer::Busy { .. } => "busy",
            StartAnswer::Refused(_) => "refused",
            StartAnswer::NotSent(_) => "not sent",
            StartAnswer::Unknown(_) => "unknown",
        };
        let prefix = "Failed to start training: ";
        for (status, detail, expected) in [
            (200, "", "unknown"),
            (500, "Maximum concurrent sessions (1) reached", "busy"),
            (500, "Session x already exists", "exists"),
            (500, "Failed to create training session: no device", "refused"),
            (500, "'str' object cannot be interpreted as an integer", "unknown"),
            (409, "Session conflict: Session x already exists", "exists"),
            (503, "Service temporarily unavailable: Maximum concurrent sessions (1) reached.", "busy"),
            (422, "", "refused"),
            (404, "Not Found", "refused"),
            (502, "", "unknown"),
        ] {
            assert_eq!(told(status, &format!("{prefix}{detail}")), expected, "{status} {detail}");
        }
    }

    #[test]
    fn a_start_is_what_names_the_session() {
        let told = |body: &str| {
            let reply = Reply { body: body.to_owned().into(), ..reply(200, "") };
            matches!(of_start("x", Ok(reply), error), StartAnswer::Started)
        };
        assert!(told(r#"{"session_id": "x", "status": "started"}"#) && told(r#"{"operation_id": "x"}"#));
        assert!(!told(r#"{"session_id": "y"}"#) && !told("<html>") && !told("") && !told("[]"));
    }

    #[test]
    fn a_session_that_is_over_needs_no_stop() {
        assert_eq!(of_stop(&reply(200, "")), StopAnswer::Stopping);
        assert_eq!(of_stop(&reply(500, "Session x is not running (status: completed)")), StopAnswer::Over);
        assert_eq!(of_stop(&reply(500, "Failed to stop training: Session x not found")), StopAnswer::Over);
        assert!(matches!(of_stop(&reply(500, "out of memory")), StopAnswer::Unknown(_)));
    }
}
