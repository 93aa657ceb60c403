//! Host services: `services …`.

use ktrdr_proto::{
    spelling::Word as _,
    v1::{HostService, HostServiceState},
};
use serde::Serialize;

use crate::{
    output::table::{Align, Cell, Table, Tone},
    time::Instant,
};

/// The document of `services list` and `services check`.
#[derive(Debug, Serialize)]
pub(crate) struct ServicesView {
    pub(crate) services: Vec<ServiceView>,
}

/// One service.
#[derive(Debug, Serialize)]
pub(crate) struct ServiceView {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) url: String,
    pub(crate) state: &'static str,
    pub(crate) since: Option<Instant>,
    pub(crate) version: Option<String>,
    pub(crate) latency_ms: Option<f64>,
    pub(crate) pool: PoolView,
    pub(crate) breaker: String,
    pub(crate) last_error: Option<String>,
    pub(crate) last_error_at: Option<Instant>,
    pub(crate) requests: u64,
    pub(crate) slots: u32,
    pub(crate) sessions: u32,
    pub(crate) labels: Vec<String>,
    pub(crate) about: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct PoolView {
    pub(crate) size: u32,
    pub(crate) idle: u32,
    pub(crate) waiting: u32,
    pub(crate) opened: u64,
    pub(crate) reused: u64,
}

impl From<&HostService> for ServiceView {
    fn from(one: &HostService) -> Self {
        let pool = one.pool.unwrap_or_default();
        Self {
            name: one.name.clone(),
            kind: one.kind.clone(),
            url: one.url.clone(),
            state: one.state().word(),
            since: one.since_ns.map(Instant),
            version: one.version.clone(),
            latency_ms: one.latency_seconds.map(|seconds| (seconds * 1e6).round() / 1e3),
            pool: PoolView {
                size: pool.size,
                idle: pool.idle,
                waiting: pool.waiting,
                opened: pool.opened,
                reused: pool.reused,
            },
            breaker: one.breaker.clone(),
            last_error: one.last_error.clone(),
            last_error_at: one.last_error_at_ns.map(Instant),
            requests: one.requests,
            slots: one.slots,
            sessions: one.sessions,
            labels: one.labels.clone(),
            about: one.about.clone(),
        }
    }
}

/// All of them, a line each.
pub(crate) fn table(services: &[HostService]) -> Table {
    let mut table = Table::new([
        ("Name", Align::Left),
        ("Kind", Align::Left),
        ("State", Align::Left),
        ("Speaks", Align::Left),
        ("Latency", Align::Right),
        ("Sessions", Align::Right),
        ("Pool", Align::Right),
        ("Opened", Align::Right),
        ("Reused", Align::Right),
        ("Breaker", Align::Left),
        ("About", Align::Left),
        ("URL", Align::Left),
    ]);
    for one in services {
        let pool = one.pool.unwrap_or_default();
        table.row([
            one.name.as_str().into(),
            one.kind.as_str().into(),
            state_cell(one),
            one.version.clone().unwrap_or_else(|| "-".into()).into(),
            one.latency_seconds.map_or_else(|| "-".into(), |seconds| format!("{:.1} ms", seconds * 1e3)).into(),
            if one.slots == 0 { "-".to_owned() } else { format!("{}/{}", one.sessions, one.slots) }.into(),
            format!("{}/{}", pool.idle, pool.size).into(),
            pool.opened.to_string().into(),
            pool.reused.to_string().into(),
            one.breaker.as_str().into(),
            if one.about.is_empty() { "-" } else { one.about.as_str() }.into(),
            one.url.as_str().into(),
        ]);
    }
    table
}

/// The word of its state, coloured.
pub(crate) fn state_cell(one: &HostService) -> Cell {
    let tone = match one.state() {
        HostServiceState::Up => Tone::Good,
        HostServiceState::Down | HostServiceState::Incompatible => Tone::Bad,
        HostServiceState::Slow => Tone::Busy,
        HostServiceState::Unknown | HostServiceState::Unspecified => Tone::Plain,
    };
    Cell::toned(one.state().word(), tone)
}
