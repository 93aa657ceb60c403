//! One request and its answer.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, Response};

use super::body::Pieces;
use super::connection::Connection;
use super::play::{self, Outcome};
use crate::control;
use crate::route::{Found, Route};
use crate::service::{Call, Service};

/// Headers of a request that the report counts.
const COUNTED_HEADERS: [&str; 2] = ["x-request-id", "traceparent"];

pub(super) async fn answer<S: Service>(
    connection: Arc<Connection<S>>,
    request: Request<Incoming>,
) -> Result<Response<Pieces<S>>, Infallible> {
    let busy = connection.busy();
    let shared = &connection.shared;
    if request.uri().path().starts_with("/_sim/") {
        connection.mark_control();
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let answer = control::answer(shared, head.method.as_str(), head.uri.path(), &body);
        return Ok(play::response(&answer, busy));
    }
    connection.mark_used();
    let (head, body) = request.into_parts();
    let found = Found::of(|route| shared.service.serves(route), head.method.as_str(), head.uri.path());
    let route = found.route();
    shared.count(|tally| {
        let key = route.map_or_else(|| "other".to_owned(), Route::key);
        *tally.requests.entry(key).or_default() += 1;
        for name in COUNTED_HEADERS.into_iter().filter(|name| head.headers.contains_key(*name)) {
            *tally.headers.entry(name.to_owned()).or_default() += 1;
        }
    });
    let open = route.is_some_and(Route::weighs).then(|| shared.open());
    let Ok(body) = body.collect().await else {
        return std::future::pending().await;
    };
    let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = content_type.split(';').next().unwrap_or_default().trim();
    let call = Call {
        found,
        query: head.uri.query().unwrap_or_default().to_owned(),
        json: media == "application/json" || (media.starts_with("application/") && media.ends_with("+json")),
        body: body.to_bytes(),
    };
    let fault = shared.with_rules(|rules| rules.strike(route.map(Route::fault_name)));
    // A task of its own: what was read is executed even if the client is gone.
    let played = tokio::spawn(play::play(Arc::clone(shared), call, fault));
    let outcome = played.await;
    if !matches!(outcome, Ok(Outcome::Silence)) {
        drop(open);
    }
    match outcome {
        Ok(Outcome::Answer(answer)) => Ok(play::response(&answer, busy)),
        Ok(Outcome::Shaped(answer, shape)) => Ok(play::shaped(&connection, &answer, shape, busy)),
        Ok(Outcome::End { reset }) => {
            connection.end(reset);
            std::future::pending().await
        }
        Ok(Outcome::Silence) | Err(_) => std::future::pending().await,
    }
}
