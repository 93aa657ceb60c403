//! The routes under `/_sim`, by which tests steer a simulator. The report does not count them.

use hyper::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::answer::Answer;
use crate::faults::{RuleBody, Rules};
use crate::server::Shared;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gateway {
    down: bool,
}

/// Answers a control request.
pub(crate) fn answer(shared: &Shared, method: &str, path: &str, body: &[u8]) -> Answer {
    let done = match (method, path.strip_prefix("/_sim/").unwrap_or_default()) {
        ("GET", "report") => return report(shared),
        ("POST", "fault") => fault(shared, body),
        ("DELETE", "fault") => {
            shared.with_rules(Rules::clear);
            Ok(())
        }
        ("POST", "gateway") => read(body).map(|Gateway { down }| shared.set_gateway_down(down)),
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
        Err(error) => Answer::detail(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn fault(shared: &Shared, body: &[u8]) -> Result<(), String> {
    let rule = read::<RuleBody>(body)?.rule().map_err(|error| error.to_string())?;
    shared.with_rules(|rules| rules.add(rule));
    Ok(())
}
