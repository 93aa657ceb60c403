//! The routes under `/_sim` that only this service has.

use ktrdr_http_sim::read;
use serde::Deserialize;

use crate::service::IbHost;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gateway {
    down: bool,
}

/// Obeys a control request; `None` when there is no such one.
pub(crate) fn answer(host: &IbHost, method: &str, path: &str, body: &[u8]) -> Option<Result<(), String>> {
    match (method, path) {
        ("POST", "gateway") => Some(read(body).map(|Gateway { down }| host.set_gateway_down(down))),
        _ => None,
    }
}
