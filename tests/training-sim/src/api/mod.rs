//! What each route answers, in the words of each generation.

mod head;
mod health;
mod openapi;
mod operations;
mod seed;
mod start;
mod validation;

use hyper::StatusCode;
use serde_json::Value;

use crate::book::Book;
use crate::config::Config;
use crate::pace::Moment;
use crate::route::Route;
use crate::stamps::Stamps;
use ktrdr_http_sim::{Answer, Found};
pub(crate) use start::busy;
pub(crate) use validation::unprocessable;

pub(crate) type Call = ktrdr_http_sim::Call<Route>;

/// The sessions at a moment, and how to speak of them.
pub(crate) struct Scene<'a> {
    pub(crate) book: &'a mut Book,
    pub(crate) now: Moment,
    pub(crate) stamps: Stamps,
    pub(crate) config: &'a Config,
}

/// An answer, and whether it has to wait.
pub(crate) enum Outlook {
    Now(Answer),
    Later(Moment, Answer),
}

impl Scene<'_> {
    pub(crate) fn device(&self) -> &'static str {
        if self.config.gpu.is_some() { "cuda" } else { "cpu" }
    }
}

/// Executes a request.
pub(crate) fn answer(scene: &mut Scene, route: Route, call: &Call) -> Outlook {
    let id = match &call.found {
        Found::Route(_, id) => id.as_str(),
        _ => "",
    };
    if route == Route::Stop {
        return seed::stop(scene, call);
    }
    Outlook::Now(match route {
        Route::Root => health::root(scene),
        Route::Openapi => openapi::document(scene.config.generation),
        Route::Health => health::plain(scene),
        Route::HealthSlash => health::nested(scene),
        Route::HealthDetailed => health::detailed(scene),
        Route::Start => start::start(scene, call),
        Route::Stop | Route::Status => seed::status(scene, id),
        Route::Sessions => seed::sessions(scene),
        Route::Delete => seed::delete(scene, id),
        Route::Evaluate => head::evaluate(scene, call),
        Route::Result => head::result(scene, id),
        Route::Operation => operations::one(scene, id),
        Route::OperationMetrics => operations::metrics(scene, id, call),
        Route::Operations => operations::list(scene, call),
        Route::Cancel => operations::cancel(scene, id, call),
        Route::Resume => operations::resume(scene, call),
        Route::Prometheus => health::prometheus(scene),
        Route::BackendShutdown => Answer::ok(&serde_json::json!({ "acknowledged": true })),
    })
}

/// The id a call is about: in its path, or in its body.
fn id_of(call: &Call) -> String {
    if let Found::Route(_, id) = &call.found
        && !id.is_empty()
    {
        return id.clone();
    }
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let told = ["task_id", "session_id", "operation_id"].into_iter().find_map(|key| body[key].as_str());
    told.unwrap_or_default().to_owned()
}

/// How the seed begins to tell a failure of each route.
fn seed_prefix(call: &Call) -> &'static str {
    match call.found {
        Found::Route(Route::Stop, _) => "Failed to stop training",
        Found::Route(Route::Delete, _) => "Failed to cleanup session",
        Found::Route(Route::Start, _) => "Failed to start training",
        Found::Route(Route::Sessions, _) => "Failed to list sessions",
        _ => "Failed to get training status",
    }
}

/// The seed's way to say that a session is unknown.
pub(crate) fn seed_not_found(call: &Call) -> Answer {
    Answer::failed(format!("{}: Session {} not found", seed_prefix(call), id_of(call)))
}

/// A failure that says nothing.
pub(crate) fn mute(call: &Call) -> Answer {
    Answer::failed(format!("{}: ", seed_prefix(call)))
}

pub(crate) fn conflict(call: &Call) -> Answer {
    Answer::detail(StatusCode::CONFLICT, format!("Session conflict: Session {} already exists", id_of(call)))
}
