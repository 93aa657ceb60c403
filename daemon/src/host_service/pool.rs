//! The kept connections of one service, managed by `deadpool`.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use tokio_rustls::TlsConnector;

use super::{Address, Trouble, connection::Connection};

/// The services close a connection that rests for 5 s; one that is about to be closed is worse than a new one.
const IDLE: Duration = Duration::from_secs(4);
/// Names move to other addresses.
const AGE: Duration = Duration::from_mins(5);
/// For a connection of the pool.
pub(super) const WAIT: Duration = Duration::from_secs(2);

pub(super) type Pool = managed::Pool<Manager>;

/// Makes connections, and says which may be used again.
pub(super) struct Manager {
    address: Address,
    tls: Option<TlsConnector>,
    opened: AtomicU64,
}

impl std::fmt::Debug for Manager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Manager").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Manager {
    pub(super) fn new(address: Address, tls: Option<TlsConnector>) -> Self {
        Self { address, tls, opened: AtomicU64::new(0) }
    }

    /// Connections made since the start.
    pub(super) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }
}

/// Near services answer at once or not at all.
fn connect_limit(address: &Address) -> Duration {
    Duration::from_secs(if address.is_loopback() { 1 } else { 3 })
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = Trouble;

    async fn create(&self) -> Result<Connection, Trouble> {
        let limit = connect_limit(&self.address);
        let late = |_| {
            let error = std::io::Error::new(std::io::ErrorKind::TimedOut, "no connection in time");
            Trouble::Unreachable(std::sync::Arc::new(error))
        };
        let opening = Connection::open(&self.address, self.tls.as_ref());
        let connection = tokio::time::timeout(limit, opening).await.map_err(late)??;
        self.opened.fetch_add(1, Ordering::Relaxed);
        Ok(connection)
    }

    async fn recycle(&self, connection: &mut Connection, metrics: &Metrics) -> RecycleResult<Trouble> {
        if is_good(connection, metrics) { Ok(()) } else { Err(RecycleError::message("closed, or rested too long")) }
    }
}

/// May be used for one more call.
pub(super) fn is_good(connection: &Connection, metrics: &Metrics) -> bool {
    let rested = Instant::now().saturating_duration_since(connection.last_used);
    connection.is_whole() && !connection.is_closed() && rested < IDLE && metrics.age() < AGE
}
