//! The connection: opened by the first call, to a daemon that is started when there is none, and opened again when the daemon
//! is restarted under a call.
//!
//! Not here: what is called and what an answer means (`client`).

use std::{
    error::Error,
    future::Future,
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::{
    body::Body,
    codegen::{Service, http},
    transport::{self, Channel, Endpoint, Uri},
};

use crate::{failure::Failure, launch};

/// Bars come in chunks; these let several be under way.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;
/// A restart cuts a connection once; a second one in the time of one call is possible, a third is something else.
const ATTEMPTS: usize = 3;
/// Calls that are sent once: what they ask for has no id by which the daemon would know it again, or is a stream.
const ONCE: [&str; 5] = [
    "/ktrdr.v1.Daemon/Shutdown",
    "/ktrdr.v1.Housekeeping/Compact",
    "/ktrdr.v1.Housekeeping/Delete",
    "/ktrdr.v1.Housekeeping/Restore",
    "/ktrdr.v1.MarketData/Import",
];

/// Whether a daemon is started when none is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Never,
    WhenAbsent,
}

/// Cheap to clone; all clones share the connection.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    channel: Channel,
    /// Why a daemon could not be started.
    not_started: Arc<Mutex<Option<Failure>>>,
}

impl Wire {
    /// Nothing is opened yet.
    pub(crate) fn new(socket: &Path, start: Start) -> Self {
        let not_started = Arc::new(Mutex::new(None));
        let connector = Connector { socket: socket.to_path_buf(), start, not_started: not_started.clone() };
        let channel = Endpoint::from_static("http://ktrdrd")
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .connect_with_connector_lazy(connector);
        Self { channel, not_started }
    }

    /// Why a daemon could not be started, if that is what went wrong.
    pub(crate) fn not_started(&self) -> Option<Failure> {
        self.not_started.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

type Sent<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl Service<http::Request<Body>> for Wire {
    type Response = http::Response<Body>;
    type Error = transport::Error;
    type Future = Sent<Self::Response, Self::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        // the clone is not ready yet, this one is
        let mut ready = self.channel.clone();
        std::mem::swap(&mut ready, &mut self.channel);
        if ONCE.contains(&request.uri().path()) {
            return Box::pin(ready.call(request));
        }
        Box::pin(send(ready, request))
    }
}

/// These requests may be sent again: they only look, or carry an id by which the daemon knows them again.
async fn send(mut channel: Channel, request: http::Request<Body>) -> Result<http::Response<Body>, transport::Error> {
    let (head, body) = request.into_parts();
    // encoding a message does not fail
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut attempt = 1;
    loop {
        let request = http::Request::from_parts(head.clone(), Body::new(Full::new(body.clone())));
        match channel.call(request).await {
            Err(error) if attempt < ATTEMPTS && was_cut(&error) => attempt += 1,
            answer => return answer,
        }
        std::future::poll_fn(|cx| channel.poll_ready(cx)).await?;
    }
}

/// The connection was there and is not any more; one that could not be opened at all is another matter.
fn was_cut(error: &transport::Error) -> bool {
    let mut next = error.source();
    let mut causes = std::iter::from_fn(|| {
        let this = next?;
        next = this.source();
        Some(this)
    });
    !causes.any(<dyn Error>::is::<Absent>)
}

/// There is nobody at the socket.
#[derive(Debug)]
struct Absent(io::Error);

impl std::fmt::Display for Absent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Absent {}

#[derive(Debug, Clone)]
struct Connector {
    socket: PathBuf,
    start: Start,
    not_started: Arc<Mutex<Option<Failure>>>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<UnixStream>;
    type Error = Absent;
    type Future = Sent<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: Uri) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { this.connect().await.map(TokioIo::new).map_err(Absent) })
    }
}

impl Connector {
    async fn connect(self) -> io::Result<UnixStream> {
        let error = match UnixStream::connect(&self.socket).await {
            Err(error) if self.start == Start::WhenAbsent && launch::is_absent(&error) => error,
            connected => return connected,
        };
        if !launch::is_wanted(&self.socket) {
            return Err(error);
        }
        launch::join(&self.socket).await.map_err(|failure| {
            *self.not_started.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
            error
        })
    }
}
