//! One connection: TCP, TLS where the address says so, HTTP/1.1; and one exchange on it.

use std::{sync::Arc, time::Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Body, Incoming},
    client::conn::http1::SendRequest,
};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::{net::TcpStream, task::AbortHandle};
use tokio_rustls::TlsConnector;
use ulid::Ulid;

use super::{Address, Reply, Trouble};

/// A kept connection.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    pub(super) used: u64,
    whole: bool,
    task: AbortHandle,
    pub(super) last_used: Instant,
}

impl Connection {
    /// Connects. The caller limits the time.
    pub(super) async fn open(address: &Address, tls: Option<&TlsConnector>) -> Result<Self, Trouble> {
        let unreachable = |error| Trouble::Unreachable(Arc::new(error));
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await.map_err(unreachable)?;
        // requests are small and answered one by one
        stream.set_nodelay(true).map_err(unreachable)?;
        let (sender, task) = match tls {
            None => shake_hands(TokioIo::new(stream)).await?,
            Some(tls) => {
                let untrusted = |error: String| Trouble::Certificate(error);
                let name = ServerName::try_from(address.host.clone()).map_err(|error| untrusted(error.to_string()))?;
                let stream = tls.connect(name, stream).await.map_err(|error| untrusted(error.to_string()))?;
                shake_hands(TokioIo::new(stream)).await?
            }
        };
        Ok(Self { sender, used: 0, whole: true, task, last_used: Instant::now() })
    }

    /// No exchange was given up in the middle: the answer to that one would be taken for the next one's.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Hangs up.
    pub(super) fn close(&self) {
        self.task.abort();
    }

    /// The service has closed it, or it broke.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Sends a request and reads its answer to the end.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        body_max: usize,
        request_id: Ulid,
    ) -> Result<Reply, Trouble> {
        let (begun, reused) = (Instant::now(), self.used > 0);
        let broken = |error: hyper::Error| Trouble::Broken { text: told(&error), reused };
        self.used += 1;
        self.whole = false;
        self.sender.ready().await.map_err(broken)?;
        let response = self.sender.send_request(request).await.map_err(broken)?;
        let (head, body) = response.into_parts();
        let body = read_whole(body, body_max, reused).await?;
        (self.last_used, self.whole) = (Instant::now(), true);
        Ok(Reply {
            status: head.status.as_u16(),
            body,
            retry_after: retry_after(&head.headers),
            took: begun.elapsed(),
            request_id,
        })
    }
}

async fn shake_hands<S>(io: TokioIo<S>) -> Result<(SendRequest<Full<Bytes>>, AbortHandle), Trouble>
where
    TokioIo<S>: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let failed = |error: hyper::Error| Trouble::Broken { text: told(&error), reused: false };
    let (sender, connection) = hyper::client::conn::http1::handshake(io).await.map_err(failed)?;
    // ends when the sender is dropped, or the service hangs up
    let task = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to a host service ended");
        }
    });
    Ok((sender, task.abort_handle()))
}

/// What it promises is looked at before anything is kept.
async fn read_whole(mut body: Incoming, max: usize, reused: bool) -> Result<Bytes, Trouble> {
    let promised = body.size_hint().lower();
    if promised > max as u64 {
        return Err(Trouble::TooLong { max });
    }
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Trouble::Broken { text: told(&error), reused })?;
        if let Some(data) = frame.data_ref() {
            if whole.len() + data.len() > max {
                return Err(Trouble::TooLong { max });
            }
            whole.extend_from_slice(data);
        }
    }
    Ok(whole.freeze())
}

/// Seconds only: none of the services sends a date, and a date needs a clock that agrees with ours.
fn retry_after(headers: &HeaderMap) -> Option<std::time::Duration> {
    let seconds: u64 = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(std::time::Duration::from_secs(seconds.min(86_400)))
}

fn told(error: &hyper::Error) -> String {
    crate::error::in_line(error)
}
