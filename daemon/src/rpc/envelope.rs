//! Around every call: who may call and how often at once, which request this is, how long it may take, and what the daemon is, as
//! reply metadata. Version skew then costs no call of its own.

use std::{
    convert::Infallible,
    sync::{Arc, LazyLock},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::BodyExt;
use ktrdr_proto::reason;
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::Instrument;

use super::{
    access::{Access, Known},
    connections::{OpenCall, Seat},
    peer::Peer,
    rights::{self, Called, Right},
    status,
};
use crate::metrics::metrics;

/// To the beginning of an answer, whatever the client would wait for: an upload of gigabytes, the end of a training that is told
/// to stop. A stream that has begun may go on.
const CEILING: Duration = Duration::from_hours(1);
/// For those who have too many calls open.
const TRY_AGAIN: f64 = 1.0;

/// Names are made once: each call looks for them.
static REQUEST_ID: HeaderName = HeaderName::from_static(ktrdr_proto::REQUEST_ID_KEY);
static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
static BUILD: HeaderName = HeaderName::from_static(ktrdr_proto::BUILD_KEY);
static CONTRACT: HeaderName = HeaderName::from_static(ktrdr_proto::CONTRACT_KEY);
static CONTRACT_SPOKEN: LazyLock<HeaderValue> = LazyLock::new(|| HeaderValue::from(ktrdr_proto::CONTRACT));

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

type Reply = BoxFuture<'static, Result<Response<Body>, Infallible>>;

impl<S> Service<Request<Body>> for Enveloped<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Reply;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Reply {
        let Some(seat) = request.extensions().get::<Arc<Seat>>().cloned() else {
            return refused(&status::new(&reason::PEER_REFUSED, "the caller is unknown"));
        };
        let called = rights::called(request.uri().path());
        let Called { name, needs } = called;
        let Some(call) = Counted::new(&seat, name) else {
            let why = too_many(seat.peer());
            metrics().call_ended(name, status::code_name(why.code()), Duration::ZERO);
            return refused(&why);
        };
        let span = span(&request, called);
        let uid = match self.access.known(seat.peer()) {
            Known::Is(right) => {
                return match may_call(seat.peer(), right, needs) {
                    Ok(()) => answered(self.inner.call(request), call, span),
                    Err(why) => call.refused(&why),
                };
            }
            Known::NotYet(uid) => uid,
        };
        // the clone is not ready yet, this one is
        let mut inner = self.inner.clone();
        std::mem::swap(&mut inner, &mut self.inner);
        let access = self.access.clone();
        Box::pin(async move {
            let right = tokio::task::spawn_blocking(move || access.look_up(uid)).await.ok().flatten();
            match may_call(seat.peer(), right, needs) {
                Ok(()) => answered(inner.call(request), call, span).await,
                Err(why) => call.refused(&why).await,
            }
        })
    }
}

/// What is told while the call is worked on tells of it. To make a span takes a third of a short call, so those have one only when
/// somebody wants to see everything.
fn span(request: &Request<Body>, called: Called) -> tracing::Span {
    let method = request.uri().path();
    // a span that nobody wants does not look at its fields
    if called.is_short() {
        tracing::debug_span!("rpc", %method, request_id = %request_id(request))
    } else {
        tracing::info_span!("rpc", %method, request_id = %request_id(request))
    }
}

/// Written without quotes, which cost more than all else that a span takes: so without spaces, too.
fn request_id(request: &Request<Body>) -> &str {
    let id = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok());
    id.filter(|id| id.bytes().all(|byte| byte.is_ascii_graphic())).unwrap_or_default()
}

fn answered<F>(reply: F, mut call: Counted, span: tracing::Span) -> Reply
where
    F: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
{
    let whole = async move {
        let reply = match tokio::time::timeout(CEILING, reply).await {
            Ok(reply) => reply?,
            Err(_) => status::new(&reason::TIMED_OUT, "the call took longer than any may").into_http(),
        };
        let (mut head, body) = reply.into_parts();
        label(&mut head.headers);
        call.saw(&head.headers);
        // what is open lives as long as its body
        let body = body.map_frame(move |frame| {
            if let Some(trailers) = frame.trailers_ref() {
                call.saw(trailers);
            }
            frame
        });
        Ok(Response::from_parts(head, Body::new(body)))
    };
    Box::pin(whole.instrument(span))
}

/// An open call, and how it ended as far as that is known.
#[derive(Debug)]
struct Counted {
    method: &'static str,
    begun: Instant,
    code: Option<Code>,
    _open: OpenCall,
}

impl Counted {
    fn new(seat: &Arc<Seat>, method: &'static str) -> Option<Self> {
        let open = seat.call()?;
        Some(Self { method, begun: Instant::now(), code: None, _open: open })
    }

    fn saw(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get(&GRPC_STATUS) {
            self.code = Some(Code::from_bytes(code.as_bytes()));
        }
    }

    fn refused(mut self, why: &Status) -> Reply {
        self.code = Some(why.code());
        refused(why)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // nobody took the end: the client went away, or cut a stream that it had enough of
        let code = self.code.map_or("CANCELLED", status::code_name);
        metrics().call_ended(self.method, code, self.begun.elapsed());
    }
}

fn refused(why: &Status) -> Reply {
    let mut reply = why.clone().into_http();
    label(reply.headers_mut());
    Box::pin(async move { Ok(reply) })
}

fn too_many(peer: &Peer) -> Status {
    status::retry(&reason::TOO_MANY_CALLS, format!("{peer} has as many calls open as one may"), TRY_AGAIN)
}

/// The kernel, or a handshake, vouches for who it is.
fn may_call(peer: &Peer, right: Option<Right>, needs: Right) -> Result<(), Status> {
    let refused = |why: String| Err(status::new(&reason::PEER_REFUSED, why));
    match right {
        Some(right) if right >= needs => Ok(()),
        Some(right) => {
            let (own, wanted) = (right.name(), needs.name());
            refused(format!("{peer} has the right to {own}, and this needs the one to {wanted}"))
        }
        None => refused(match peer {
            Peer::User(uid) => format!("the caller is another user ({uid})"),
            Peer::Certificate(hash) => format!("no right is given to the certificate sha256:{hash}"),
            Peer::Unknown => "the caller is unknown".into(),
        }),
    }
}

fn label(headers: &mut HeaderMap) {
    headers.insert(&BUILD, HeaderValue::from_static(ktrdr_proto::BUILD));
    headers.insert(&CONTRACT, CONTRACT_SPOKEN.clone());
}
