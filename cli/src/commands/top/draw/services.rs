//! The host services with their pools, and one of them in detail.

use ktrdr_proto::v1::{HostService, HostServiceState};

use super::{grid::Column, paint::GAP};
use crate::{
    output::table::{Cell, Tone, thousands},
    time::Stamps,
    views::services::state_cell,
};

pub(super) const COLUMNS: [Column; 11] = [
    Column::new("HOST", 0).between(0, 24),
    Column::new("KIND", 7),
    Column::new("STATE", 1),
    Column::new("LATENCY", 2).right().between(8, 10),
    Column::new("POOL", 3).right(),
    Column::new("IDLE", 4).right(),
    Column::new("WAITING", 5).right(),
    Column::new("BREAKER", 6),
    Column::new("SESSIONS", 8).right(),
    Column::new("CALLS", 9).right().between(6, 12),
    Column::new("ABOUT", 10).between(8, 0),
];

pub(super) fn row(service: &HostService) -> Vec<Cell> {
    let pool = service.pool.unwrap_or_default();
    let latency = service.latency_seconds.map(|seconds| format!("{:.1} ms", seconds * 1e3));
    let breaker = match service.breaker.as_str() {
        "open" => Tone::Bad,
        "half-open" => Tone::Busy,
        _ => Tone::Plain,
    };
    let sessions = if service.slots == 0 { "-".to_owned() } else { format!("{}/{}", service.sessions, service.slots) };
    let waiting = if pool.waiting > 0 { Tone::Busy } else { Tone::Plain };
    vec![
        service.name.as_str().into(),
        service.kind.as_str().into(),
        state_cell(service),
        latency.unwrap_or_else(|| "-".to_owned()).into(),
        pool.size.to_string().into(),
        pool.idle.to_string().into(),
        Cell::toned(pool.waiting.to_string(), waiting),
        Cell::toned(service.breaker.as_str(), breaker),
        sessions.into(),
        thousands(service.requests).into(),
        service.about.as_str().into(),
    ]
}

/// `2 of 3 up`.
pub(super) fn count(services: &[HostService]) -> String {
    let up = services.iter().filter(|service| service.state() == HostServiceState::Up).count();
    format!("{up} of {} up", services.len())
}

/// Its name, and two lines.
pub(super) fn detail(service: &HostService) -> (String, [String; 2]) {
    let mut parts = vec![service.url.clone()];
    parts.extend(service.version.as_ref().map(|version| format!("speaks {version}")));
    let pool = service.pool.unwrap_or_default();
    parts.push(format!("{} connections opened, {} reused", thousands(pool.opened), thousands(pool.reused)));
    parts.extend((!service.labels.is_empty()).then(|| service.labels.join(", ")));
    let error = service.last_error.as_ref().map(|error| {
        let at =
            service.last_error_at_ns.map(|at| Stamps::default().plain(at).get(..19).unwrap_or_default().to_owned());
        format!("last error {}: {error}", at.unwrap_or_default())
    });
    (service.name.clone(), [parts.join(GAP), error.unwrap_or_default()])
}
