//! The routes in the service's words.

mod contracts;
mod dates;
mod health;
mod historical;
mod validation;

use ktrdr_http_sim::{Answer, FaultKind, Found};

use crate::route::Route;
use crate::service::IbHost;

pub(crate) type Call = ktrdr_http_sim::Call<Route>;

/// Executes a request; some faults concern what it brings.
pub(crate) async fn answer(host: &IbHost, route: Route, call: &Call, fault: Option<FaultKind>) -> Answer {
    match (route, &call.found) {
        (Route::Root, _) => health::root(),
        (Route::Health, _) => health::plain(),
        (Route::HealthSlash, _) => health::nested(),
        (Route::HealthDetailed, _) => health::detailed(),
        (Route::Historical, _) => historical::bars(host, call, fault).await,
        (Route::Validate, _) => contracts::validate(host, call).await,
        (Route::SymbolInfo, Found::Route(_, symbol)) => contracts::symbol_info(host, symbol).await,
        (Route::HeadTimestamp | Route::SymbolInfo, _) => contracts::head(host, call).await,
    }
}

/// How many times longer than one for bars a request for contracts takes while the gateway is down.
const ATTEMPTS: u32 = 8;

/// Until a connection is given up.
async fn no_connection(host: &IbHost, attempts: u32) {
    tokio::time::sleep(host.feed.real(host.config.down * attempts)).await;
}
