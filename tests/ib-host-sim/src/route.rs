//! The routes of the service, and what can go wrong on them.

use ktrdr_http_sim::{FaultKind, Row};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Root,
    Health,
    HealthSlash,
    HealthDetailed,
    Historical,
    Validate,
    SymbolInfo,
    HeadTimestamp,
}

impl ktrdr_http_sim::Route for Route {
    const ROWS: &'static [Row<Self>] = &[
        (Route::Root, "GET", "/", "root"),
        (Route::Health, "GET", "/health", "health"),
        (Route::HealthSlash, "GET", "/health/", "health"),
        (Route::HealthDetailed, "GET", "/health/detailed", "health"),
        (Route::Historical, "POST", "/data/historical", "historical"),
        (Route::Validate, "POST", "/data/validate", "validate"),
        (Route::SymbolInfo, "GET", "/data/symbol-info/{symbol}", "validate"),
        (Route::HeadTimestamp, "GET", "/data/head-timestamp", "head"),
    ];
    const FAULTS: &'static [FaultKind] = &[
        FaultKind::Reset,
        FaultKind::EofAfter,
        FaultKind::Hang,
        FaultKind::Late,
        FaultKind::SlowBody,
        FaultKind::CutBody,
        FaultKind::Html,
        FaultKind::NotJson,
        FaultKind::WrongShape,
        FaultKind::E500,
        FaultKind::E503Retry,
        FaultKind::TooLarge,
        FaultKind::RowsLie,
        FaultKind::NotTwice,
        FaultKind::Doubled,
    ];

    /// Asks the gateway for something.
    fn weighs(self) -> bool {
        matches!(self, Self::Historical | Self::Validate | Self::SymbolInfo | Self::HeadTimestamp)
    }
}

#[cfg(test)]
mod tests {
    use ktrdr_http_sim::Found;

    use super::Route;

    #[test]
    fn each_request_line_has_its_place() {
        let table = [
            ("GET /data/symbol-info/BRK%20B", Found::Route(Route::SymbolInfo, "BRK B".to_owned())),
            ("GET /data/symbol-info/EUR%2FUSD", Found::Nowhere),
            ("GET /data/symbol-info/", Found::Nowhere),
            ("GET /data/historical", Found::MethodNotAllowed { allow: "POST".to_owned() }),
            ("POST /data/validate/", Found::Redirect { location: "/data/validate".to_owned() }),
            ("GET /health", Found::Route(Route::Health, String::new())),
            ("GET /health/", Found::Route(Route::HealthSlash, String::new())),
            ("GET /", Found::Route(Route::Root, String::new())),
            ("GET /data/nothing", Found::Nowhere),
        ];
        for (line, expected) in table {
            let (method, path) = line.split_once(' ').unwrap();
            assert_eq!(Found::of(|_: Route| true, method, path), expected, "{line}");
        }
    }
}
