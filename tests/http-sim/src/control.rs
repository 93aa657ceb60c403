//! The routes under `/_sim`, by which tests steer a simulator. The report does not count them.

use hyper::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::answer::Answer;
use crate::faults::{RuleBody, Rules};
use crate::server::Shared;
use crate::service::Service;

/// Answers a control request.
pub(crate) fn answer<S: Service>(shared: &Shared<S>, method: &str, path: &str, body: &[u8]) -> Answer {
    let path = path.strip_prefix("/_sim/").unwrap_or_default();
    let done = match (method, path) {
        ("GET", "report") => return report(shared),
        ("POST", "fault") => fault(shared, body),
        ("DELETE", "fault") => {
            shared.with_rules(Rules::clear);
            Ok(())
        }
        _ => match S::control(shared, method, path, body) {
            Some(done) => done,
            None => return Answer::detail(StatusCode::NOT_FOUND, "no such control route"),
        },
    };
    match done {
        Ok(()) => Answer::ok(&json!({ "ok": true })),
        Err(why) => Answer::detail(StatusCode::BAD_REQUEST, why),
    }
}

fn report<S: Service>(shared: &Shared<S>) -> Answer {
    match serde_json::to_value(shared.report()) {
        Ok(report) => Answer::ok(&report),
        Err(error) => Answer::failed(error.to_string()),
    }
}

/// The body of a control request. No body is an empty one.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = if body.is_empty() { b"{}".as_slice() } else { body };
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn fault<S: Service>(shared: &Shared<S>, body: &[u8]) -> Result<(), String> {
    let rule = read::<RuleBody>(body)?.rule::<S::Route>().map_err(|error| error.to_string())?;
    shared.with_rules(|rules| rules.add(rule));
    Ok(())
}
