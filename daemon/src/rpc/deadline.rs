//! How long a call may take until its answer begins.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use ktrdr_proto::reason;
use tonic::Status;

use super::status;

/// Whatever the client would wait for: an upload of gigabytes, the end of a training that is told to stop. A stream that has begun may
/// go on.
const CEILING: Duration = Duration::from_hours(1);
static TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// So long does its client wait, but no longer than any may. What cannot be read counts as not said.
pub(super) fn of(headers: &HeaderMap) -> Duration {
    let said = headers.get(&TIMEOUT).and_then(|said| read(said.to_str().ok()?));
    said.map_or(CEILING, |said| said.min(CEILING))
}

/// At most eight digits and a unit (gRPC over HTTP/2, "Timeout").
fn read(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_hours(count),
        "M" => Duration::from_mins(count),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

/// The answer, if it begins within so long.
pub(super) async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_) => {
            Err(status::new(&reason::TIMED_OUT, format!("no answer within {limit:?}, as long as this call may take")))
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_client_says_how_long_it_waits() {
        let said = |text: &'static str| of(&HeaderMap::from_iter([(TIMEOUT.clone(), HeaderValue::from_static(text))]));
        assert_eq!(said("1S"), Duration::from_secs(1));
        assert_eq!(said("250m"), Duration::from_millis(250));
        assert_eq!(said("99999999n"), Duration::from_nanos(99_999_999));
        assert_eq!(said("7u"), Duration::from_micros(7));
        assert_eq!(said("2M"), Duration::from_mins(2));
        for longest in ["1H", "99999999H", "", "S", "1", "-1S", "1.5S", "123456789S", "1x", "٣S", "1é"] {
            let none = HeaderValue::from_bytes(longest.as_bytes()).unwrap();
            assert_eq!(of(&HeaderMap::from_iter([(TIMEOUT.clone(), none)])), CEILING, "{longest}");
        }
        assert_eq!(of(&HeaderMap::new()), CEILING);
    }

    #[tokio::test]
    async fn what_does_not_come_in_time_is_given_up() {
        let late = within(Duration::ZERO, std::future::pending::<Result<(), Status>>()).await.unwrap_err();
        assert_eq!(late.code(), tonic::Code::DeadlineExceeded);
        assert_eq!(within(Duration::ZERO, std::future::ready(Ok(7))).await.unwrap(), 7);
    }
}
