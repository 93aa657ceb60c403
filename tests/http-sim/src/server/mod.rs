//! The port: connections, what they ask, and what becomes of the answers.

mod body;
mod connection;
mod exchange;
mod play;
mod shared;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::service::Service;
pub use shared::Shared;

/// Accepts for ever. When it is dropped, its connections are dropped with it.
pub(crate) async fn serve<S: Service>(listener: TcpListener, shared: Arc<Shared<S>>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(connection::serve(stream, Arc::clone(&shared)));
            }
            // Out of descriptors, most likely: it may pass.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
