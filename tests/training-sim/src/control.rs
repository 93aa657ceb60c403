//! The routes under `/_sim` that only this service has.

use std::time::Duration;

use jiff::SignedDuration;
use ktrdr_http_sim::{Shared, decode, read};
use serde::Deserialize;

use crate::book::Forced;
use crate::service::Training;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Restart {
    ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Speed {
    epoch_ms: u64,
}

/// What is left out stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct State {
    status: Option<String>,
    epoch: Option<u32>,
    batch: Option<u32>,
    error: Option<String>,
    /// Gone without a trace.
    vanish: bool,
    /// Back to what the clock says.
    release: bool,
}

/// Obeys a control request; `None` when there is no such one.
pub(crate) fn answer(shared: &Shared<Training>, method: &str, path: &str, body: &[u8]) -> Option<Result<(), String>> {
    let service = &shared.service;
    Some(match (method, path, path.strip_prefix("session/")) {
        ("POST", "restart", _) => read(body).map(|Restart { ms }| shared.restart(Duration::from_millis(ms))),
        ("POST", "speed", _) => read(body).map(|Speed { epoch_ms }| {
            service.scene(SignedDuration::ZERO, |scene| scene.book.pace.change(scene.now, epoch_ms));
        }),
        ("POST", _, Some(id)) => read(body).and_then(|state| session(service, &decode(id), state)),
        _ => return None,
    })
}

fn session(service: &Training, id: &str, state: State) -> Result<(), String> {
    service.scene(SignedDuration::ZERO, |scene| {
        let session = scene.book.stored(id).ok_or_else(|| format!("no session {id:?}"))?;
        if state.release {
            session.forced = Forced::default();
        }
        let forced = &mut session.forced;
        forced.status = state.status.or_else(|| forced.status.take());
        forced.epoch = state.epoch.or(forced.epoch);
        forced.batch = state.batch.or(forced.batch);
        forced.error = state.error.or_else(|| forced.error.take());
        if state.vanish {
            scene.book.vanish(id);
        }
        Ok(())
    })
}
