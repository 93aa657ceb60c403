//! Which route a request asks for, with the answers of the Python framework to wrong ones.

use crate::generation::Generation;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
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

/// Route, method, path, and the name faults know it by.
pub(crate) const ROUTES: [(Route, &str, &str, &str); 19] = [
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

impl Route {
    /// Method and path, as the report counts it.
    pub(crate) fn key(self) -> String {
        ROUTES.iter().find(|row| row.0 == self).map_or_else(String::new, |row| format!("{} {}", row.1, row.2))
    }

    pub(crate) fn fault_name(self) -> &'static str {
        ROUTES.iter().find(|row| row.0 == self).map_or("", |row| row.3)
    }
}

/// What a request line leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A route, and the id in its path.
    Route(Route, String),
    Nowhere,
    MethodNotAllowed {
        allow: String,
    },
    /// To the same path without its slash at the end.
    Redirect {
        location: String,
    },
}

/// The path as it was sent. It is decoded before it is matched, so an id with a slash leads nowhere.
pub(crate) fn find(generation: Generation, method: &str, path: &str) -> Found {
    let path = decode(path);
    let matching = matches_of(generation, &path);
    match matching.iter().find(|(row, _)| row.1 == method) {
        Some((row, id)) => Found::Route(row.0, id.clone()),
        None if !matching.is_empty() => {
            Found::MethodNotAllowed { allow: matching.iter().map(|(row, _)| row.1).collect::<Vec<_>>().join(", ") }
        }
        None => elsewhere(generation, &path),
    }
}

fn elsewhere(generation: Generation, path: &str) -> Found {
    match path.strip_suffix('/') {
        Some(shorter) if shorter != "/health" && !matches_of(generation, shorter).is_empty() => {
            Found::Redirect { location: shorter.to_owned() }
        }
        _ => Found::Nowhere,
    }
}

type Row = (Route, &'static str, &'static str, &'static str);

fn matches_of(generation: Generation, path: &str) -> Vec<(&'static Row, String)> {
    ROUTES
        .iter()
        .filter(|row| generation.serves(row.0))
        .filter_map(|row| id_in(row.2, path).map(|id| (row, id)))
        .collect()
}

/// The id, empty for a pattern without one.
fn id_in(pattern: &str, path: &str) -> Option<String> {
    let Some((before, after)) = pattern.split_once("{id}") else {
        return (pattern == path).then(String::new);
    };
    let id = path.strip_prefix(before)?.strip_suffix(after)?;
    (!id.is_empty() && !id.contains('/')).then(|| id.to_owned())
}

/// Percent-decoding; what does not decode stays as it is.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = text.get(at + 1..at + 3).filter(|_| byte == b'%');
        if let Some(escaped) = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            decoded.push(escaped);
            at += 3;
        } else {
            decoded.push(byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The value of a key in a query.
pub(crate) fn query_value(query: &str, key: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(name, _)| *name == key).map(|(_, value)| decode(&value.replace('+', " ")))
}

#[cfg(test)]
mod tests {
    use super::{Found, Route, decode, find, query_value};
    use crate::generation::Generation;

    fn found(generation: Generation, line: &str) -> Found {
        let (method, path) = line.split_once(' ').unwrap();
        find(generation, method, path)
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

    #[test]
    fn escapes_decode_and_wrong_ones_stay() {
        assert_eq!(decode("a%2Fb%c3%a4%zz%4"), "a/b\u{e4}%zz%4");
        assert_eq!(query_value("a=1&reason=by+the%20user", "reason").as_deref(), Some("by the user"));
        assert_eq!(query_value("a=1", "reason"), None);
    }
}
