//! A stream that can end with a TCP reset.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::connection::Connection;
use crate::service::Service;

#[derive(Debug)]
pub(super) struct Wire<S: Service> {
    stream: TcpStream,
    connection: Arc<Connection<S>>,
}

impl<S: Service> Wire<S> {
    pub(super) fn new(stream: TcpStream, connection: Arc<Connection<S>>) -> Self {
        Self { stream, connection }
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.get_mut().stream)
    }
}

impl<S: Service> Drop for Wire<S> {
    fn drop(&mut self) {
        self.connection.leave();
        if self.connection.ends_with_reset() {
            // A peer that is gone already needs no reset.
            drop(self.stream.set_zero_linger());
        }
    }
}

impl<S: Service> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_read(context, buffer)
    }
}

impl<S: Service> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Before the peer can know: its next connection must not seem to be a second one.
        self.connection.leave();
        self.stream().poll_shutdown(context)
    }
}
