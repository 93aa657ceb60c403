//! A running simulator.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::faults::Rule;
use crate::server::{self, Shared};
use crate::service::Service;

/// What every simulator is told.
#[derive(Clone, Debug)]
pub struct Frame {
    pub listen: SocketAddr,
    /// Connections that were idle for so long are closed; in real time.
    pub keep_alive: Duration,
    pub rules: Vec<Rule>,
}

/// A simulator at work. Dropping it closes its port and its connections.
#[derive(Debug)]
pub struct Simulator<S: Service> {
    address: SocketAddr,
    shared: Arc<Shared<S>>,
    server: JoinHandle<()>,
}

impl<S: Service> Simulator<S> {
    /// Binds the address and serves from then on. Needs a tokio runtime with I/O and time.
    pub async fn start(service: S, frame: Frame) -> io::Result<Self> {
        let listener = TcpListener::bind(frame.listen).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(service, frame));
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, server })
    }

    /// Where it listens, with the port it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has happened so far.
    pub fn report(&self) -> S::Report {
        self.shared.report()
    }
}

impl<S: Service> Drop for Simulator<S> {
    fn drop(&mut self) {
        self.server.abort();
    }
}
