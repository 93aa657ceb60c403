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

use super::{
    access::{Access, Known},
    rights::{Right, needed},
    status,
};

/// Wraps the services.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    pub(super) access: Access,
}

impl<S> Layer<S> for Envelope {
    type Service = Enveloped<S>;

    fn layer(&self, inner: S) -> Enveloped<S> {
        Enveloped { inner, access: self.access.clone() }
    }
}

/// A wrapped service.
#[derive(Debug, Clone)]
pub(super) struct Enveloped<S> {
    inner: S,
    access: Access,
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
        let (access, path) = (self.access.clone(), request.uri().path().to_owned());
        let peer = request.extensions().get::<UdsConnectInfo>().and_then(|info| info.peer_cred);
        let Some(uid) = peer.map(|peer| peer.uid()) else { return refused("the caller is unknown") };
        let id = request.headers().get(ktrdr_proto::REQUEST_ID_KEY).and_then(|id| id.to_str().ok()).unwrap_or_default();
        let span = tracing::info_span!("rpc", method = path, request_id = id);
        if let Known::Is(right) = access.known(uid) {
            return match may_call(uid, right, &path) {
                Ok(()) => answered(self.inner.call(request), span),
                Err(why) => refused(&why),
            };
        }
        // the clone is not ready yet, this one is
        let mut inner = self.inner.clone();
        std::mem::swap(&mut inner, &mut self.inner);
        Box::pin(async move {
            let right = tokio::task::spawn_blocking(move || access.look_up(uid)).await.ok().flatten();
            match may_call(uid, right, &path) {
                Ok(()) => answered(inner.call(request), span).await,
                Err(why) => refused(&why).await,
            }
        })
    }
}

type Reply = BoxFuture<'static, Result<Response<Body>, Infallible>>;

fn answered<F>(reply: F, span: tracing::Span) -> Reply
where
    F: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
{
    Box::pin(async move { reply.await.map(labelled) }.instrument(span))
}

fn refused(why: &str) -> Reply {
    let refused = status::new(&ktrdr_proto::reason::PEER_REFUSED, why);
    Box::pin(async move { Ok(labelled(refused.into_http())) })
}

/// The kernel vouches for the uid.
fn may_call(uid: u32, right: Option<Right>, path: &str) -> Result<(), String> {
    match right {
        Some(right) if right >= needed(path) => Ok(()),
        Some(right) => {
            let (own, wanted) = (right.name(), needed(path).name());
            Err(format!("user {uid} has the right to {own}, and this needs the one to {wanted}"))
        }
        None => Err(format!("the caller is another user ({uid})")),
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
