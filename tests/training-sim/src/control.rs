//! The routes under `/_sim`, by which tests steer a simulator. The report does not count them.

use std::time::Duration;

use hyper::StatusCode;
use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::answer::Answer;
use crate::book::Forced;
use crate::faults::RuleBody;
use crate::route::decode;
use crate::server::Shared;

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

/// Answers a control request.
pub(crate) fn answer(shared: &Shared, method: &str, path: &str, body: &[u8]) -> Answer {
    let path = path.strip_prefix("/_sim/").unwrap_or_default();
    let done = match (method, path, path.strip_prefix("session/")) {
        ("GET", "report", _) => return report(shared),
        ("POST", "fault", _) => fault(shared, body),
        ("DELETE", "fault", _) => {
            shared.with_rules(crate::faults::Rules::clear);
            Ok(())
        }
        ("POST", "restart", _) => read(body).map(|Restart { ms }| shared.restart(Duration::from_millis(ms))),
        ("POST", "speed", _) => read(body).map(|Speed { epoch_ms }| {
            shared.scene(SignedDuration::ZERO, |scene| scene.book.pace.change(scene.now, epoch_ms));
        }),
        ("POST", _, Some(id)) => read(body).and_then(|state| session(shared, &decode(id), state)),
        _ => return Answer::detail(StatusCode::NOT_FOUND, "no such control route"),
    };
    match done {
        Ok(()) => Answer::ok(&json!({ "ok": true })),
        Err(why) => Answer::detail(StatusCode::BAD_REQUEST, why),
    }
}

fn report(shared: &Shared) -> Answer {
    match serde_json::to_value(shared.report()) {
        Ok(report) => Answer::ok(&report),
        Err(error) => Answer::failed(error.to_string()),
    }
}

/// No body is an empty one.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = if body.is_empty() { b"{}".as_slice() } else { body };
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn fault(shared: &Shared, body: &[u8]) -> Result<(), String> {
    let rule = read::<RuleBody>(body)?.rule().map_err(|error| error.to_string())?;
    shared.with_rules(|rules| rules.add(rule));
    Ok(())
}

fn session(shared: &Shared, id: &str, state: State) -> Result<(), String> {
    shared.scene(SignedDuration::ZERO, |scene| {
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
