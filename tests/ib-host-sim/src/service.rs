//! The service: the market behind it, and whether its gateway is there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::StatusCode;
use ktrdr_gateway_sim::Feed;
use ktrdr_http_sim::{Answer, FaultKind, Frame, Service, Shared, Simulator, Tally};
use serde_json::json;

use crate::api::{self, Call};
use crate::config::Config;
use crate::control;
use crate::report::Report;
use crate::route::Route;

/// An IB host service.
#[derive(Debug)]
pub struct IbHost {
    pub(crate) config: Config,
    pub(crate) feed: Arc<Feed>,
    gateway_down: AtomicBool,
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Market(#[from] ktrdr_gateway_sim::StartError),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
}

/// Reads the replay folder, binds the address and serves from then on. Needs a tokio runtime with I/O and time.
pub async fn start(config: Config) -> Result<Simulator<IbHost>, StartError> {
    let feed = Arc::new(Feed::open(&config.market())?);
    let address = config.listen;
    let frame = Frame { listen: address, keep_alive: config.keep_alive, rules: config.rules.clone() };
    let host = IbHost { gateway_down: AtomicBool::new(config.gateway_down), feed, config };
    Simulator::start(host, frame).await.map_err(|source| StartError::Listen { address, source })
}

impl IbHost {
    pub(crate) fn gateway_is_down(&self) -> bool {
        self.gateway_down.load(Ordering::SeqCst)
    }

    pub(crate) fn set_gateway_down(&self, down: bool) {
        self.gateway_down.store(down, Ordering::SeqCst);
    }
}

impl Service for IbHost {
    type Route = Route;
    type Report = Report;

    const NAME: &'static str = "ktrdr-ib-host-sim";

    async fn execute(&self, route: Route, call: &Call, fault: Option<FaultKind>) -> Answer {
        api::answer(self, route, call, fault).await
    }

    fn instead(&self, kind: FaultKind, _call: &Call) -> Option<Answer> {
        Some(match kind {
            FaultKind::NotJson => Answer::text(StatusCode::OK, "application/json", "{\"success\": true, \"da"),
            FaultKind::WrongShape => Answer::ok(&json!([{ "success": "yes", "data": [7], "rows": "many" }])),
            _ => return None,
        })
    }

    fn control(shared: &Shared<Self>, method: &str, path: &str, body: &[u8]) -> Option<Result<(), String>> {
        control::answer(&shared.service, method, path, body)
    }

    fn real(&self, delay: Duration) -> Duration {
        self.feed.real(delay)
    }

    fn report(&self, tally: &Tally) -> Report {
        Report {
            connections: tally.connections,
            requests: tally.requests.clone(),
            faults: tally.faults.clone(),
            most_open: tally.most_open,
        }
    }
}
