//! What Prometheus reads: the counters of `metrics`, and what the parts of the daemon say of themselves when somebody asks. Only for
//! this machine, and only where the configuration wants it.

mod read;
#[cfg(test)]
mod tests;

use http::Method;
use prometheus_client::{encoding::text, registry::Registry as Prometheus};
use tokio_util::sync::CancellationToken;

pub use read::READ;

use crate::{
    facts::Facts,
    gateway::Gateway,
    host_service::HostService,
    market_data::MarketData,
    metrics::metrics,
    operations::Registry,
    rpc::Connections,
    web::{self, Answer, Asked, Listener},
};

/// Prometheus keeps one; people look with a second.
const CONNECTIONS: usize = 16;
/// As the specification of `OpenMetrics` names it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is observed.
#[derive(Debug)]
pub struct Observed {
    /// The daemon.
    pub facts: Facts,
    /// Bars.
    pub market_data: MarketData,
    /// Operations.
    pub registry: Registry,
    /// The connection to the gateway.
    pub gateway: Gateway,
    /// All host services.
    pub services: Vec<HostService>,
    /// Who is connected.
    pub connections: Connections,
}

/// Answers there until `stop` fires.
pub fn start(listener: Listener, observed: Observed, stop: CancellationToken) {
    let mut prometheus = Prometheus::default();
    metrics().register(&mut prometheus);
    prometheus.register_collector(Box::new(observed));
    tokio::spawn(web::serve(listener, CONNECTIONS, Page(prometheus), stop));
}

/// `/metrics` for Prometheus, `/healthz` for whoever asks whether the daemon answers.
struct Page(Prometheus);

impl web::Service for Page {
    async fn answer(&self, asked: Asked) -> Answer {
        match (asked.method, asked.path.as_str()) {
            (Method::GET | Method::HEAD, "/metrics") => {
                let mut text = String::new();
                match text::encode(&mut text, &self.0) {
                    Ok(()) => Answer::whole(200, OPEN_METRICS, text),
                    Err(error) => Answer::line(500, &error.to_string()),
                }
            }
            (Method::GET | Method::HEAD, "/healthz") => Answer::line(200, "ok"),
            (_, "/metrics" | "/healthz") => Answer::line(405, "GET only"),
            _ => Answer::line(404, "there are /metrics and /healthz"),
        }
    }
}
