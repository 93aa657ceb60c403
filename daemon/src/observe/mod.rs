//! What Prometheus reads: the counters of `metrics`, and what the parts of the daemon say of themselves when somebody asks. Only for
//! this machine, and only where the configuration wants it.

mod http;
mod read;

use std::{io, os::unix::fs::FileTypeExt, path::Path};

use prometheus_client::registry::Registry as Prometheus;
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;

pub use read::READ;

use crate::{
    config::MetricsAddress, facts::Facts, gateway::Gateway, host_service::HostService, market_data::MarketData,
    metrics::metrics, operations::Registry, rpc::Connections,
};

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

/// Opens the address and answers there until `stop` fires.
pub async fn start(address: &MetricsAddress, observed: Observed, stop: CancellationToken) -> io::Result<()> {
    let listener = match address {
        MetricsAddress::Loopback(address) => http::Listener::Tcp(TcpListener::bind(address).await?),
        MetricsAddress::Socket(path) => http::Listener::Unix(bind(path)?),
    };
    let mut prometheus = Prometheus::default();
    metrics().register(&mut prometheus);
    prometheus.register_collector(Box::new(observed));
    tokio::spawn(http::serve(listener, prometheus, stop));
    Ok(())
}

/// What an earlier life left there is removed; anything else is not.
fn bind(path: &Path) -> io::Result<UnixListener> {
    if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket()) {
        std::fs::remove_file(path)?;
    }
    UnixListener::bind(path)
}
