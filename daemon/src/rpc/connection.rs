//! One connection: its bytes, and its end when it has to make room or never says anything.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
    time::Sleep,
};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::transport::server::Connected;

use super::connections::{Seat, Ticket};

/// From coming to the first call. gRPC clients connect when they call, and connect again when they call later.
const FIRST_CALL: Duration = Duration::from_secs(10);

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
    closing: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Until it has called.
    patience: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub(super) fn new(wire: Wire, ticket: Ticket) -> Self {
        let closing = Box::pin(ticket.seat().closing().cancelled_owned());
        Self { wire, ticket, closing, patience: Some(Box::pin(tokio::time::sleep(FIRST_CALL))) }
    }

    fn has_to_go(&mut self, cx: &mut Context<'_>) -> bool {
        if self.ticket.seat().has_called() {
            self.patience = None;
        }
        let silent = self.patience.as_mut().is_some_and(|patience| patience.as_mut().poll(cx).is_ready());
        silent || self.closing.as_mut().poll(cx).is_ready()
    }

    /// Who does not take what it is sent is not read from either, and has to be told to go here.
    fn unless_stuck<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_pending() && self.has_to_go(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        written
    }
}

impl Connected for Connection {
    type ConnectInfo = Arc<Seat>;

    fn connect_info(&self) -> Arc<Seat> {
        self.ticket.seat().clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.has_to_go(cx) {
            // as if the other end had closed
            return Poll::Ready(Ok(()));
        }
        match &mut self.wire {
            Wire::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Wire::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = match &mut self.wire {
            Wire::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
            Wire::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        };
        self.unless_stuck(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = match &mut self.wire {
            Wire::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Wire::Tls(stream) => Pin::new(stream).poll_flush(cx),
        };
        self.unless_stuck(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Wire::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.wire {
            Wire::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Wire::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        };
        self.unless_stuck(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.wire {
            Wire::Unix(stream) => stream.is_write_vectored(),
            Wire::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
