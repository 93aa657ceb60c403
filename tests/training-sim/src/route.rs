//! The routes of the service, and what can go wrong on them.

use ktrdr_http_sim::{FaultKind, Row};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Root,
    Openapi,
    Health,
    HealthSlash,
    HealthDetailed,
    Start,
    Stop,
    Status,
    Sessions,
    Delete,
    Evaluate,
    Result,
    Operation,
    OperationMetrics,
    Operations,
    Cancel,
    Resume,
    Prometheus,
    BackendShutdown,
}

impl ktrdr_http_sim::Route for Route {
    const ROWS: &'static [Row<Self>] = &[
        (Route::Root, "GET", "/", "root"),
        (Route::Openapi, "GET", "/openapi.json", "openapi"),
        (Route::Health, "GET", "/health", "health"),
        (Route::HealthSlash, "GET", "/health/", "health"),
        (Route::HealthDetailed, "GET", "/health/detailed", "health"),
        (Route::Start, "POST", "/training/start", "start"),
        (Route::Stop, "POST", "/training/stop", "stop"),
        (Route::Status, "GET", "/training/status/{id}", "status"),
        (Route::Sessions, "GET", "/training/sessions", "list"),
        (Route::Delete, "DELETE", "/training/sessions/{id}", "delete"),
        (Route::Evaluate, "POST", "/training/evaluate", "evaluate"),
        (Route::Result, "GET", "/training/result/{id}", "result"),
        (Route::Operation, "GET", "/api/v1/operations/{id}", "operation"),
        (Route::OperationMetrics, "GET", "/api/v1/operations/{id}/metrics", "metrics"),
        (Route::Operations, "GET", "/api/v1/operations", "operations"),
        (Route::Cancel, "DELETE", "/api/v1/operations/{id}/cancel", "cancel"),
        (Route::Resume, "POST", "/training/resume", "resume"),
        (Route::Prometheus, "GET", "/metrics", "prometheus"),
        (Route::BackendShutdown, "POST", "/backend-shutdown", "backend-shutdown"),
    ];
    const FAULTS: &'static [FaultKind] = &[
        FaultKind::Reset,
        FaultKind::ResetAfter,
        FaultKind::EofAfter,
        FaultKind::Hang,
        FaultKind::HangAfter,
        FaultKind::Late,
        FaultKind::SlowHeaders,
        FaultKind::SlowBody,
        FaultKind::CutBody,
        FaultKind::TooLarge,
        FaultKind::LyingLength,
        FaultKind::Html,
        FaultKind::NotJson,
        FaultKind::WrongShape,
        FaultKind::Empty,
        FaultKind::E400,
        FaultKind::E422,
        FaultKind::E404Plain,
        FaultKind::E500,
        FaultKind::E500NotFound,
        FaultKind::E502,
        FaultKind::E503Retry,
        FaultKind::E504,
        FaultKind::Redirect,
        FaultKind::Conflict,
        FaultKind::Busy,
        FaultKind::SkewedClock,
        FaultKind::Executed500,
    ];
}

#[cfg(test)]
mod tests {
    use ktrdr_http_sim::Found;

    use super::Route;
    use crate::generation::Generation;

    fn found(generation: Generation, line: &str) -> Found<Route> {
        let (method, path) = line.split_once(' ').unwrap();
        Found::of(|route| generation.serves(route), method, path)
    }

    #[test]
    fn each_request_line_has_its_place() {
        let status = Found::Route(Route::Status, "run 1".to_owned());
        let table = [
            (Generation::A, "GET /training/status/run%201", status),
            (Generation::A, "GET /training/status/a%2Fb", Found::Nowhere),
            (Generation::A, "GET /training/status/", Found::Nowhere),
            (Generation::A, "GET /training/start", Found::MethodNotAllowed { allow: "POST".to_owned() }),
            (
                Generation::A,
                "DELETE /training/sessions/",
                Found::Redirect { location: "/training/sessions".to_owned() },
            ),
            (Generation::A, "GET /health/", Found::Route(Route::HealthSlash, String::new())),
            (Generation::A, "GET /api/v1/operations", Found::Nowhere),
            (Generation::E, "GET /health/", Found::Nowhere),
            (Generation::E, "GET /training/status/x", Found::Nowhere),
            (Generation::E, "DELETE /api/v1/operations/x/cancel", Found::Route(Route::Cancel, "x".to_owned())),
            (Generation::E, "GET /api/v1/operations/x/metrics", Found::Route(Route::OperationMetrics, "x".to_owned())),
            (Generation::Worker, "GET /training/sessions", Found::Nowhere),
            (Generation::Worker, "POST /training/resume", Found::Route(Route::Resume, String::new())),
        ];
        for (generation, line, expected) in table {
            assert_eq!(found(generation, line), expected, "{line}");
        }
    }
}
