//! A running simulator, as tests hold it.

use std::net::SocketAddr;
use std::sync::Arc;

use ktrdr_gateway_sim::Feed;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::report::Report;
use crate::server::{self, Shared};

/// A simulator at work. Dropping it closes its port and its connections.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Market(#[from] ktrdr_gateway_sim::StartError),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
}

impl Simulator {
    /// Reads the replay folder, binds the address and serves from then on. Needs a tokio runtime with I/O and time.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let feed = Feed::open(&config.market())?;
        let failed = |source| StartError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared::new(config, feed));
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, server })
    }

    /// Where it listens, with the port it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has happened so far.
    pub fn report(&self) -> Report {
        self.shared.report()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}
