//! The bytes of one connection, and the seat that it has.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::server::TlsStream;

use super::connections::{Seat, Ticket};

/// What carries a connection.
#[derive(Debug)]
pub(super) enum Wire {
    /// From this machine.
    Unix(UnixStream),
    /// From another, after its handshake.
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection that has a seat.
#[derive(Debug)]
pub(super) struct Connection {
    wire: Wire,
    ticket: Ticket,
}

impl Connection {
    pub(super) fn new(wire: Wire, ticket: Ticket) -> Self {
        Self { wire, ticket }
    }

    pub(super) fn seat(&self) -> &Arc<Seat> {
        self.ticket.seat()
    }
}

/// The same of either.
macro_rules! wire {
    ($connection:expr, $stream:ident => $call:expr) => {
        match &mut $connection.get_mut().wire {
            Wire::Unix(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            Wire::Tls(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
        }
    };
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        wire!(self, stream => stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        wire!(self, stream => stream.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        wire!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        wire!(self, stream => stream.poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        wire!(self, stream => stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.wire {
            Wire::Unix(stream) => stream.is_write_vectored(),
            Wire::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
