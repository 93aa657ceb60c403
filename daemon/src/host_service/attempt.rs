//! One attempt of a call: the breaker, a connection of the pool, the exchange, and what it says about the service.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use bytes::Bytes;
use deadpool::managed::{Object, PoolError, Timeouts};
use http::{Request, header};
use http_body_util::Full;
use tokio::time::timeout;
use ulid::Ulid;

use super::{
    Call, HostService, Reply, Trouble,
    breaker::Admission,
    health::Seen,
    pool::{self, Manager},
};
use crate::{clock, metrics::metrics};

impl HostService {
    pub(super) async fn attempt(&self, call: &Call<'_>, id: Ulid) -> Result<Reply, Trouble> {
        if !call.route.urgent {
            let mut watch = self.watch();
            let last = watch.record.last_error.as_ref().map(|(_, text)| text.clone());
            if let Admission::Refuse(wait) = watch.breaker.admit(Instant::now()) {
                return Err(Trouble::LeftAlone { wait, last });
            }
        }
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        // one that nobody waits for any more has found nothing out
        let _probe = Probe(self);
        let limit = call.route.timeout / self.0.config.hurry.max(1);
        let begun = Instant::now();
        let outcome = timeout(limit, self.exchange(call, id)).await;
        let outcome = outcome.unwrap_or(Err(Trouble::TimedOut { after: limit }));
        let outcome = outcome.and_then(not_now_is_trouble);
        let end = if outcome.is_ok() { "answered" } else { "failed" };
        metrics().host_called(self.kind(), end, begun.elapsed());
        tracing::debug!(host = self.name(), route = call.route.name(), host_request_id = %id, end, "called a host service");
        self.note(call, &outcome);
        outcome
    }

    async fn exchange(&self, call: &Call<'_>, id: Ulid) -> Result<Reply, Trouble> {
        let request = self.request(call, id)?;
        let mut lent = Lent(self.connection().await?);
        if lent.0.used > 0 {
            self.0.reused.fetch_add(1, Ordering::Relaxed);
        }
        lent.0.exchange(request, call.route.body_max, id).await
    }

    async fn connection(&self) -> Result<Object<Manager>, Trouble> {
        let timeouts = Timeouts { wait: Some(pool::WAIT), create: None, recycle: None };
        self.0.pool.timeout_get(&timeouts).await.map_err(|error| match error {
            PoolError::Backend(trouble) => trouble,
            _ => Trouble::PoolExhausted { size: self.0.pool.status().max_size, waited: pool::WAIT },
        })
    }

    fn request(&self, call: &Call<'_>, id: Ulid) -> Result<Request<Full<Bytes>>, Trouble> {
        let address = &self.0.config.address;
        let mut request = Request::builder()
            .method(call.route.method.name())
            .uri(format!("{}{}", address.base, call.path))
            .header(header::HOST, address.authority())
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, concat!("ktrdrd/", env!("CARGO_PKG_VERSION")))
            .header("x-request-id", id.to_string())
            // https://www.w3.org/TR/trace-context: version, trace, this span, sampled
            .header("traceparent", format!("00-{:032x}-{:016x}-01", u128::from(id), fastrand::u64(1..)));
        if call.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = Full::new(call.body.clone().unwrap_or_default());
        request.body(body).map_err(|error| Trouble::Broken { text: error.to_string(), reused: false })
    }

    /// What the attempt says about the service.
    fn note(&self, call: &Call<'_>, outcome: &Result<Reply, Trouble>) {
        let (now, busy) = (Instant::now(), self.0.busy.load(Ordering::Relaxed));
        let mut watch = self.watch();
        watch.last = Some(now);
        let seen = match outcome {
            Ok(reply) => Seen::Answered(reply.took),
            // a gateway in between says these, in a page of its own
            Err(Trouble::Refused { status: 502..=504, .. }) => Seen::Unreachable,
            Err(
                Trouble::TooLong { .. } | Trouble::Refused { .. } | Trouble::NotJson { .. } | Trouble::Shape { .. },
            ) => Seen::Answered(Duration::ZERO),
            Err(Trouble::TimedOut { .. }) => Seen::TimedOut,
            Err(Trouble::Broken { reused: true, .. } | Trouble::PoolExhausted { .. } | Trouble::LeftAlone { .. }) => {
                return;
            }
            Err(Trouble::Unreachable(_) | Trouble::Certificate(_) | Trouble::Broken { .. }) => Seen::Unreachable,
        };
        watch.record.see(seen, clock::now());
        match seen {
            Seen::Answered(_) => watch.breaker.succeeded(now),
            Seen::TimedOut if !call.route.cheap && !watch.breaker.is_probing() => {}
            Seen::TimedOut | Seen::Unreachable => watch.breaker.failed(now, busy, random()),
        }
        if let Err(trouble) = outcome {
            let text = format!("{}: {}", call.route.name(), crate::error::in_line(trouble));
            watch.record.last_error = Some((clock::now(), text));
        }
    }
}

/// An attempt; dropped without a verdict, the breaker lets the next one find out.
struct Probe<'a>(&'a HostService);

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        self.0.watch().breaker.given_up(Instant::now());
    }
}

/// Gives a connection back to the pool, or closes it at once when its exchange was given up or failed.
struct Lent(Object<Manager>);

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.0.is_whole() {
            self.0.close();
        }
    }
}

/// 408, 429, 502, 503 and 504 say "not now"; a JSON 503 is an answer of the service itself, for its client to read.
fn not_now_is_trouble(reply: Reply) -> Result<Reply, Trouble> {
    let own_words = reply.status == 503 && reply.detail().is_some();
    match reply.status {
        408 | 429 | 502..=504 if !own_words => Err(reply.refusal()),
        _ => Ok(reply),
    }
}

/// 0 to 1.
pub(super) fn random() -> f64 {
    fastrand::f64()
}
