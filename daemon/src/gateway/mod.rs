//! The one connection to the IB Gateway, or to the host service in front of it, and the only place that names a type of
//! `ibapi`.
//!
//! - [`Gateway`] is a handle anyone may hold; the task in `session` alone touches the connection.
//! - Nobody opens a second one, not even to look; the crate's own reconnecting is switched off.
//! - No request leaves before the session is synchronised, nor before `pacing` allows it; each gets exactly one answer.
//! - The daemon reads market data. It has no code that could place an order.
//!
//! Not here: what to ask (`market_data::plan`), whether to ask again (`market_data::fetch`).

mod ask;
mod attempts;
mod command;
mod contract;
mod direct;
mod error;
mod error_table;
mod handle;
mod hosted;
mod hosted_wire;
mod link;
mod live;
mod machine;
mod origin;
mod outages;
mod overheard;
mod pacing;
mod queue;
mod quiet;
mod session;
mod sharing;
mod source;
mod status;
mod translate;

pub use ask::{BarsAnswer, BarsAsk, ClockAnswer, Contract, Duration, SecurityKind, Unit};
pub use error::GatewayError;
pub use error_table::{Class, Verdict};
pub use handle::Gateway;
pub use live::{LiveAsk, LiveStream, LiveUpdate, comes_closed};
pub use origin::Origin;
pub use overheard::overhear;
pub use quiet::QuietTime;
pub use status::{Pacing, State, Status};

use crate::host_service::HostService;

/// When IB ends every login of the week (Sunday, 01:00 in New York), a person has the day to log in.
const WEEKLY_LOGIN: &str = "sun 01:00-23:59 America/New_York";

/// Where the gateway is and how to treat it.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// Off: nothing connects, and every request says so.
    pub enabled: bool,
    /// Name or address.
    pub host: String,
    /// 4001 live, 4002 paper (Gateway); 7496 and 7497 (TWS).
    pub port: u16,
    /// Never 0, which is special to IB; this one and the next two are tried.
    pub client_id: i32,
    /// When the gateway is left alone: its nightly restart, say.
    pub quiet: Vec<QuietTime>,
    /// When a gateway that is away waits for a person.
    pub weekly_login: Vec<QuietTime>,
    /// The HTTP service in front of the gateway, where that is used.
    pub host_service: Option<HostService>,
    /// Simulated seconds per second, for tests against a simulator on loopback; 1 otherwise.
    pub time_scale: f64,
}

impl GatewayConfig {
    /// A connection with the usual settings.
    pub fn on(host: &str, port: u16, client_id: i32) -> Self {
        Self {
            enabled: true,
            host: host.into(),
            port,
            client_id,
            quiet: Vec::new(),
            weekly_login: WEEKLY_LOGIN.parse().into_iter().collect(),
            host_service: None,
            time_scale: 1.0,
        }
    }

    /// `host:port`, or the URL of the service.
    pub fn address(&self) -> String {
        match &self.host_service {
            Some(service) => service.address().to_string(),
            None => format!("{}:{}", self.host, self.port),
        }
    }

    /// A limit on an answer. However much time is shortened, a machine needs its time to answer.
    pub(crate) fn deadline(&self, limit: std::time::Duration) -> std::time::Duration {
        const AT_LEAST: std::time::Duration = std::time::Duration::from_secs(2);
        self.scaled(limit).max(limit.min(AT_LEAST))
    }

    /// A pause or window, shortened by the time scale.
    pub(crate) fn scaled(&self, duration: std::time::Duration) -> std::time::Duration {
        std::time::Duration::try_from_secs_f64(duration.as_secs_f64() / self.time_scale).unwrap_or(duration)
    }
}
