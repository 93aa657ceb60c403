//! What the gateway says to a request and the crate keeps to itself.
//!
//! `ibapi` takes some codes that name a request for mere information (10089 "needs a subscription" among them), writes
//! them to its log and waits on: the caller would only see a time-out. Its log speaks while the request's future is
//! polled, on the same thread, so what is said there belongs to that request.

use std::{cell::RefCell, fmt, future::poll_fn, pin::pin, task::Poll};

use ibapi::Error;

use super::{
    GatewayError,
    error_table::{self, Class},
    translate,
};

/// Where the crate logs such messages, and how each begins.
const TARGET: &str = "ibapi::subscriptions::common";
const PREFIX: &str = "ib notice on subscription: [";

thread_local! {
    static SAID: RefCell<Option<(i32, String)>> = const { RefCell::new(None) };
}

/// To be called with each line of the crates' logs.
pub fn overhear(target: &str, line: &fmt::Arguments<'_>) {
    if target == TARGET
        && let Some((code, text)) = read(&line.to_string())
    {
        SAID.set(Some((code, text)));
    }
}

fn read(line: &str) -> Option<(i32, String)> {
    let (code, text) = line.strip_prefix(PREFIX)?.split_once(']')?;
    Some((code.parse().ok()?, text.trim_start().to_owned()))
}

/// Awaits a request. One that will get no data ends at once with what was said; one that times out names the last that
/// was said.
pub(super) async fn listening<T>(
    what: &'static str,
    after: std::time::Duration,
    request: impl Future<Output = Result<T, Error>>,
) -> Result<T, GatewayError> {
    let mut request = pin!(request);
    let mut said: Option<(i32, String)> = None;
    let result = poll_fn(|context| {
        SAID.take();
        let polled = request.as_mut().poll(context);
        if let Some((code, text)) = SAID.take() {
            let refusal = translate::refusal(code, &text);
            said = Some((code, text));
            let ends_it =
                matches!(&refusal, GatewayError::Refused { verdict, .. } if verdict.class == Class::Permanent);
            if polled.is_pending() && ends_it && error_table::is_kept_back(code) {
                return Poll::Ready(Err(refusal));
            }
        }
        polled.map(|result| result.map_err(|error| translate::error(error, what, after)))
    })
    .await;
    match (result, said) {
        (Err(GatewayError::TimedOut { what, after, .. }), Some((code, text))) => {
            let hint = format!("its last word was code {code}: {}", error_table::without_accounts(&text));
            Err(GatewayError::TimedOut { what, after, said: Some(hint) })
        }
        (result, _) => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_such_lines_are_read() {
        assert_eq!(
            read("ib notice on subscription: [10089] Requested market data"),
            Some((10089, "Requested market data".into()))
        );
        assert_eq!(read("ib notice on subscription: [x] no"), None);
        assert_eq!(read("connected to [10089]"), None);
    }
}
