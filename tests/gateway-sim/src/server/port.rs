//! The port: who is accepted, and who is not.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::faults::Port;
use super::{Shared, connection};
use crate::log::log;

/// After a failed accept, such as "too many open files".
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Clients that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Serves until told to stop, then waits for every connection to end.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let connections = TaskTracker::new();
    // Without a listener this ends at once: there is nothing to come back to.
    if let Ok(address) = listener.local_addr() {
        let mut listener = Some(listener);
        while let Some(open) = listener.take() {
            let Some(open) = accept(open, &connections, &shared, &stop).await else {
                break;
            };
            listener = keep_out(open, address, &shared, &stop).await;
        }
    }
    connections.close();
    connections.wait().await;
}

/// Accepts until the port is to do something else, or `None` at the end.
async fn accept(
    listener: TcpListener,
    connections: &TaskTracker,
    shared: &Arc<Shared>,
    stop: &CancellationToken,
) -> Option<TcpListener> {
    let mut port = shared.faults.port.subscribe();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return None,
            _ = port.wait_for(|port| matches!(port, Port::Closed | Port::Wedged)) => return Some(listener),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(connection::serve(stream, Arc::clone(shared), stop.child_token()));
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Closes the port, or leaves everyone waiting at it, until it is to open again; `None` at the end. Whoever still
/// waits then is sent away: nobody has heard of them.
async fn keep_out(
    listener: TcpListener,
    address: SocketAddr,
    shared: &Shared,
    stop: &CancellationToken,
) -> Option<TcpListener> {
    let mut port = shared.faults.port.subscribe();
    let mut wedged = Some(listener);
    // Bound, but nobody can connect to it: the port stays ours.
    let mut closed = None;
    loop {
        let now = *port.borrow_and_update();
        if now == Port::Closed {
            wedged = None;
            if closed.is_none() {
                closed = bind(address).await;
            }
        } else if now != Port::Wedged {
            drop(wedged.take());
            let socket = if closed.is_some() { closed } else { bind(address).await };
            return socket.and_then(|socket| socket.listen(BACKLOG).map_err(|error| fail(address, &error)).ok());
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            changed = port.changed() => changed.ok()?,
        }
    }
}

async fn bind(address: SocketAddr) -> Option<TcpSocket> {
    // A listener that was just dropped may take a moment to be gone.
    for _ in 0..50 {
        match try_bind(address) {
            Ok(socket) => return Some(socket),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => tokio::time::sleep(ACCEPT_PAUSE).await,
            Err(error) => {
                fail(address, &error);
                return None;
            }
        }
    }
    fail(address, &io::ErrorKind::AddrInUse.into());
    None
}

fn try_bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn fail(address: SocketAddr, error: &io::Error) {
    log(&format!("cannot listen on {address} again: {error}"));
}
