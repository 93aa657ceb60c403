//! The routes in the service's words.

mod contracts;
mod dates;
mod health;
mod historical;
mod validation;

use std::sync::Arc;

use bytes::Bytes;
use hyper::StatusCode;

use crate::answer::Answer;
use crate::route::{Found, Route};
use crate::server::Shared;

/// A request that was read to its end.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) found: Found,
    pub(crate) query: String,
    /// Its content type says JSON.
    pub(crate) json: bool,
    pub(crate) body: Bytes,
}

/// What is wrong with an answer that has bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twist {
    None,
    RowsLie,
    NotTwice,
    Doubled,
}

/// Executes a request.
pub(crate) async fn answer(shared: &Arc<Shared>, call: &Call, twist: Twist) -> Answer {
    match &call.found {
        Found::Nowhere => Answer::detail(StatusCode::NOT_FOUND, "Not Found"),
        Found::MethodNotAllowed { allow } => {
            Answer::detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed").with("allow", allow.as_str())
        }
        Found::Redirect { location } => {
            Answer::empty(StatusCode::TEMPORARY_REDIRECT).with("location", location.as_str())
        }
        Found::Route(Route::Root, _) => health::root(),
        Found::Route(Route::Health, _) => health::plain(),
        Found::Route(Route::HealthSlash, _) => health::nested(),
        Found::Route(Route::HealthDetailed, _) => health::detailed(),
        Found::Route(Route::Historical, _) => historical::bars(shared, call, twist).await,
        Found::Route(Route::Validate, _) => contracts::validate(shared, call).await,
        Found::Route(Route::SymbolInfo, symbol) => contracts::symbol_info(shared, symbol).await,
        Found::Route(Route::HeadTimestamp, _) => contracts::head(shared, call).await,
    }
}

/// How many times longer than one for bars a request for contracts takes while the gateway is down.
const ATTEMPTS: u32 = 8;

/// Until a connection is given up.
async fn no_connection(shared: &Shared, attempts: u32) {
    tokio::time::sleep(shared.feed.real(shared.config.down * attempts)).await;
}
