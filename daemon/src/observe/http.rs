//! A few lines of HTTP: `/metrics` for Prometheus, `/healthz` for whoever asks whether the daemon answers.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::{encoding::text, registry::Registry};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// Prometheus keeps one; people look with a second.
const CONNECTIONS: usize = 16;
/// For the head of a request, and between two of them.
const PATIENCE: Duration = Duration::from_secs(30);
/// A connection is closed after so long, whatever it does.
const LONGEST: Duration = Duration::from_mins(10);
/// Until the next attempt to take a connection.
const BREATH: Duration = Duration::from_millis(200);
/// As the OpenMetrics specification names it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Where it listens.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Listener {
    async fn accept(&self) -> std::io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Tcp(listener) => Box::new(listener.accept().await?.0),
            Self::Unix(listener) => Box::new(listener.accept().await?.0),
        })
    }
}

pub(super) async fn serve(listener: Listener, registry: Registry, stop: CancellationToken) {
    let (registry, places) = (Arc::new(registry), Arc::new(Semaphore::new(CONNECTIONS)));
    let taking = async {
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok(stream) => drop(tokio::spawn(answer(stream, registry.clone(), place))),
                Err(error) => {
                    tracing::debug!(%error, "nobody can ask for metrics");
                    sleep(BREATH).await;
                }
            }
        }
    };
    stop.run_until_cancelled(taking).await;
}

async fn answer(stream: Box<dyn Stream>, registry: Arc<Registry>, _place: OwnedSemaphorePermit) {
    let service = service_fn(move |request| {
        let reply = reply(&request, &registry);
        async move { Ok::<_, Infallible>(reply) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    // who cut it knows
    drop(timeout(LONGEST, http.serve_connection(TokioIo::new(stream), service)).await);
}

fn reply(request: &Request<Incoming>, registry: &Registry) -> Response<Full<Bytes>> {
    let (status, kind, text) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => {
            let mut text = String::new();
            match text::encode(&mut text, registry) {
                Ok(()) => (StatusCode::OK, OPEN_METRICS, text),
                Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string()),
            }
        }
        (&Method::GET | &Method::HEAD, "/healthz") => (StatusCode::OK, "text/plain", "ok\n".into()),
        (_, "/metrics" | "/healthz") => (StatusCode::METHOD_NOT_ALLOWED, "text/plain", "GET only\n".into()),
        _ => (StatusCode::NOT_FOUND, "text/plain", "there are /metrics and /healthz\n".into()),
    };
    let mut reply = Response::new(Full::new(text.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    reply
}
