//! One connection: its bytes, and the seat that it has.

use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use super::connections::Ticket;

/// What carries a connection: from this machine, or from another, after its handshake.
pub(super) type Wire = Either<UnixStream, Box<TlsStream<TcpStream>>>;

/// A connection that has a seat.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) wire: Wire,
    pub(super) ticket: Ticket,
}
