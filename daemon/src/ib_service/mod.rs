//! The place of the old IB host service: its routes and documents, over HTTP, so that a backend whose `IB_HOST_SERVICE_URL` points here
//! goes on unchanged and shares the one connection, its pacing and the store. Where the old answers were lies, ours are true within the
//! same documents.

mod answers;
mod callers;
mod dates;
mod fields;
mod historical;
mod history;
mod symbols;

use http::Method;
use tokio_util::sync::CancellationToken;

use crate::{
    gateway::Gateway,
    market_data::MarketData,
    model::Nanos,
    operations::Registry,
    web::{self, Answer, Asked, Listener},
};

/// Old clients open one a call.
const CONNECTIONS: usize = 256;

/// What it stands on.
#[derive(Debug, Clone)]
pub struct IbService {
    /// Bars.
    pub market_data: MarketData,
    /// Loads that are under way.
    pub registry: Registry,
    /// The connection to the gateway.
    pub gateway: Gateway,
    /// When the daemon started.
    pub started_at: Nanos,
    /// Under which others may call, besides those of loopback.
    pub names: Vec<String>,
}

/// Answers there until `stop` fires.
pub fn start(listener: Listener, service: IbService, stop: CancellationToken) {
    tokio::spawn(web::serve(listener, CONNECTIONS, service, stop));
}

impl web::Service for IbService {
    async fn answer(&self, asked: Asked) -> Answer {
        if let Some(why) = callers::stranger(&asked.headers, &self.names) {
            return answers::detail(403, &why);
        }
        let (method, path) = (asked.method.clone(), asked.path.clone());
        let info = path.strip_prefix("/data/symbol-info/").filter(|rest| !rest.is_empty() && !rest.contains('/'));
        match (path.as_str(), info) {
            (_, Some(symbol)) if method == Method::GET => self.symbol_info(symbol).await,
            ("/data/historical", _) if method == Method::POST => self.historical(&asked).await,
            ("/data/validate", _) if method == Method::POST => self.validate(&asked).await,
            ("/data/head-timestamp", _) if method == Method::GET => self.head_timestamp(&asked).await,
            ("/", _) if method == Method::GET => answers::root(),
            ("/health", _) if method == Method::GET => answers::health(),
            ("/health/", _) if method == Method::GET => answers::health_of(&self.gateway.status()),
            ("/health/detailed", _) if method == Method::GET => {
                answers::health_in_detail(&self.gateway.status(), self.started_at)
            }
            (
                "/data/historical"
                | "/data/validate"
                | "/data/head-timestamp"
                | "/"
                | "/health"
                | "/health/"
                | "/health/detailed",
                _,
            )
            | (_, Some(_)) => answers::detail(405, "Method Not Allowed"),
            _ => answers::detail(404, "Not Found"),
        }
    }
}
