//! Taking connections, for as long as the daemon lives: neither a machine without descriptors nor a peer that cannot shake hands
//! ends it.

use std::{io, time::Duration};

use futures_util::{Stream, stream};
use rustix::net::sockopt::set_socket_send_buffer_size;
use tokio::{
    net::{TcpListener, UnixListener, UnixStream},
    sync::mpsc,
    time::Instant,
};
use tokio_rustls::TlsAcceptor;

use super::{
    connection::{Connection, Wire},
    connections::Connections,
    handshakes::Handshakes,
    peer::Peer,
};

/// Until the next attempt, when there is no descriptor left for a connection.
const BREATH: Duration = Duration::from_millis(50);
/// Connections that make room then.
const ROOM: usize = 8;
/// What the kernel takes at a time, if it may give so much (`net.core.wmem_max`). With its default, less than a chunk of bars, the
/// daemon has to be woken twice for each.
const SEND_BUFFER: usize = 512 << 10;
/// Between two words about the same trouble.
const TOLD_EVERY: Duration = Duration::from_mins(1);
const NO_SEAT: &str = "each connection that could make room has an open call";

/// Where other machines come in.
pub struct Door {
    pub(super) listener: TcpListener,
    pub(super) acceptor: TlsAcceptor,
    pub(super) ping: Ping,
}

/// How a machine that fell asleep is noticed: it would keep its seat and its calls for ever.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ping {
    /// After so long without a word.
    pub(super) every: Duration,
    /// For the answer.
    pub(super) patience: Duration,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("listener", &self.listener).finish_non_exhaustive()
    }
}

/// The socket here, and those that take its place: each from when it comes.
pub(super) struct Listeners {
    pub(super) now: UnixListener,
    pub(super) next: mpsc::Receiver<UnixListener>,
}

impl Listeners {
    async fn accept(&mut self) -> io::Result<UnixStream> {
        loop {
            tokio::select! {
                accepted = self.now.accept() => return accepted.map(|(stream, _)| stream),
                Some(next) = self.next.recv() => self.now = next,
            }
        }
    }
}

/// Who comes from this machine. Never ends.
pub(super) fn from_here(listeners: Listeners, connections: Connections) -> impl Stream<Item = Connection> + Send {
    stream::unfold(
        (listeners, connections, Trouble::default()),
        |(mut listeners, connections, mut trouble)| async move {
            loop {
                match listeners.accept().await {
                    Ok(stream) => {
                        if let Err(error) = set_socket_send_buffer_size(&stream, SEND_BUFFER) {
                            tracing::debug!(%error, "a connection keeps the usual buffer");
                        }
                        let peer = stream.peer_cred().map_or(Peer::Unknown, |peer| Peer::User(peer.uid()));
                        // without a seat it is closed at once: whoever called tries again, or says so
                        if let Some(ticket) = connections.admit(peer) {
                            let connection = Connection { wire: Wire::Left(stream), ticket };
                            return Some((connection, (listeners, connections, trouble)));
                        }
                        trouble.told(&NO_SEAT);
                    }
                    Err(error) => trouble.met(&error, &connections).await,
                }
            }
        },
    )
}

/// Who comes from another machine. Never ends.
pub(super) fn from_elsewhere(door: Door, connections: Connections) -> impl Stream<Item = Connection> + Send {
    stream::unfold(
        (door, connections, Handshakes::default(), Trouble::default()),
        |(door, connections, mut hands, mut trouble)| async move {
            loop {
                tokio::select! {
                    come = door.listener.accept() => match come {
                        Ok((stream, from)) => hands.begin(door.acceptor.clone(), stream, from.ip()),
                        Err(error) => trouble.met(&error, &connections).await,
                    },
                    Some((stream, peer)) = hands.next() => {
                        if let Some(ticket) = connections.admit(peer) {
                            let connection = Connection { wire: Wire::Right(Box::new(stream)), ticket };
                            return Some((connection, (door, connections, hands, trouble)));
                        }
                        trouble.told(&NO_SEAT);
                    }
                }
            }
        },
    )
}

/// What hinders, and when it was told last.
#[derive(Debug, Default)]
struct Trouble {
    told: Option<Instant>,
}

impl Trouble {
    fn told(&mut self, why: &dyn std::fmt::Display) {
        if self.told.is_none_or(|told| told.elapsed() > TOLD_EVERY) {
            self.told = Some(Instant::now());
            tracing::warn!(why = %why, "a connection cannot be taken");
        }
    }

    /// Makes room where room is what is missing, and takes a breath: the connection still waits at the door.
    async fn met(&mut self, error: &io::Error, connections: &Connections) {
        if error.kind() == io::ErrorKind::ConnectionAborted {
            return;
        }
        let closed = connections.make_room(ROOM);
        self.told(&format_args!("{error}; {closed} silent ones are closed"));
        tokio::time::sleep(BREATH).await;
    }
}
