//! The server: accepts connections and holds what they share.

mod answer;
mod connection;
mod contracts;
mod greeting;
mod handshake;
mod historical;
mod ledger;
mod live;
mod open;
mod outlet;
mod session;
#[cfg(test)]
mod tests;
mod work;

use std::collections::HashSet;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::config::Knobs;
use crate::market::Market;

pub(crate) use ledger::Ledger;

/// After a failed accept, such as "too many open files".
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) market: Market,
    pub(crate) clock: Clock,
    pub(crate) ledger: Ledger,
    pub(crate) knobs: Knobs,
    pub(crate) server_version: i32,
    /// Starts still to be refused.
    pub(crate) refusals_left: AtomicU32,
    pub(crate) client_ids: Mutex<HashSet<i32>>,
}

/// Serves until told to stop, then waits for every connection to end.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(connection::serve(stream, Arc::clone(&shared), stop.child_token()));
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}
