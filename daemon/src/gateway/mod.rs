//! The one connection to the IB Gateway, and the only place that names a type of `ibapi`.
//!
//! - [`Gateway`] is a handle anyone may hold; the task in `session` alone touches the connection.
//! - Nobody opens a second one, not even to look; the crate's own reconnecting is switched off.
//! - No request leaves before the session is synchronised, nor before `pacing` allows it; each gets exactly one answer.
//! - The daemon reads market data. It has no code that could place an order.
//!
//! Not here: what to ask (`market_data::plan`), whether to ask again (`market_data::fetch`).

mod ask;
mod command;
mod contract;
mod error;
mod error_table;
mod handle;
mod link;
mod pacing;
mod phase;
mod session;
mod status;
mod translate;

pub use ask::{BarsAnswer, BarsAsk, ClockAnswer, Contract, Duration, SecurityKind, Unit};
pub use error::{Class, GatewayError};
pub use handle::Gateway;
pub use status::{State, Status};

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
    /// Simulated seconds per second, for tests against a simulator on loopback; 1 otherwise.
    pub time_scale: f64,
}

impl GatewayConfig {
    /// `host:port`.
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// A pause or window, shortened by the time scale.
    pub(crate) fn scaled(&self, duration: std::time::Duration) -> std::time::Duration {
        std::time::Duration::try_from_secs_f64(duration.as_secs_f64() / self.time_scale).unwrap_or(duration)
    }
}
