//! Around every call: who may call, which request this is, and what the daemon is, as reply metadata. Version skew then
//! costs no call of its own.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response};
use tonic::{body::Body, transport::server::UdsConnectInfo};
use tower::{Layer, Service};
use tracing::Instrument;

use super::status;

/// Wraps the services; `uid` is the daemon's own user.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    pub(super) uid: u32,
}

impl<S> Layer<S> for Envelope {
    type Service = Enveloped<S>;

    fn layer(&self, inner: S) -> Enveloped<S> {
        Enveloped { inner, uid: self.uid }
    }
}

/// A wrapped service.
#[derive(Debug, Clone)]
pub(super) struct Enveloped<S> {
    inner: S,
    uid: u32,
}

impl<S> Service<Request<Body>> for Enveloped<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if !self.may_call(&request) {
            let refused = status::new(&ktrdr_proto::reason::PEER_REFUSED, "the caller is another user");
            return Box::pin(async move { Ok(labelled(refused.into_http())) });
        }
        let id = request.headers().get(ktrdr_proto::REQUEST_ID_KEY).and_then(|id| id.to_str().ok()).unwrap_or_default();
        let span = tracing::info_span!("rpc", method = request.uri().path(), request_id = id);
        let reply = self.inner.call(request);
        Box::pin(async move { reply.await.map(labelled) }.instrument(span))
    }
}

impl<S> Enveloped<S> {
    /// The daemon's user and root; the kernel vouches for the uid.
    fn may_call(&self, request: &Request<Body>) -> bool {
        let peer = request.extensions().get::<UdsConnectInfo>().and_then(|info| info.peer_cred);
        peer.is_some_and(|peer| peer.uid() == self.uid || peer.uid() == 0)
    }
}

fn labelled(mut reply: Response<Body>) -> Response<Body> {
    label(reply.headers_mut());
    reply
}

fn label(headers: &mut HeaderMap) {
    headers.insert(ktrdr_proto::BUILD_KEY, HeaderValue::from_static(ktrdr_proto::BUILD));
    headers.insert(ktrdr_proto::CONTRACT_KEY, HeaderValue::from(ktrdr_proto::CONTRACT));
}
