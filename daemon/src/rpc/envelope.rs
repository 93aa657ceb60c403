//! Around every call: who may call and how often at once, which request this is, how long it may take, and what the daemon is, as
//! reply metadata. Version skew then costs no call of its own.

use std::{
    pin::Pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use ktrdr_proto::reason;
use tonic::{Code, Status, body::Body};
use tracing::Instrument;

use super::{
    access::{Access, Known},
    connections::{OpenCall, Seat},
    deadline,
    peer::Peer,
    rights::{self, Called, Right},
    services::Services,
    status,
};
use crate::metrics::metrics;

/// For those who have too many calls open.
const TRY_AGAIN: f64 = 1.0;

/// Names are made once: each call looks for them.
static REQUEST_ID: HeaderName = HeaderName::from_static(ktrdr_proto::REQUEST_ID_KEY);
static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
static BUILD: HeaderName = HeaderName::from_static(ktrdr_proto::BUILD_KEY);
static CONTRACT: HeaderName = HeaderName::from_static(ktrdr_proto::CONTRACT_KEY);
static CONTRACT_SPOKEN: LazyLock<HeaderValue> = LazyLock::new(|| HeaderValue::from(ktrdr_proto::CONTRACT));

/// The services, and who may call them.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) access: Access,
    pub(super) services: Services,
}

impl Envelope {
    /// One call of the connection that has this seat. Dropped when the client goes away.
    pub(super) async fn answer(self: Arc<Self>, seat: Arc<Seat>, mut request: Request<Incoming>) -> Response<Sent> {
        let called = rights::called(request.uri().path());
        let Some(call) = Counted::new(&seat, called.name) else {
            let why = too_many(seat.peer());
            metrics().call_ended(called.name, status::code_name(why.code()), Duration::ZERO);
            return Sent::of(why.into_http(), None);
        };
        let (span, limit) = (span(&request, called), deadline::of(request.headers()));
        let reply = async {
            self.may_call(seat.peer(), called.needs).await?;
            if !called.is_short {
                // in a task of its own, however long it takes
                tokio::task::yield_now().await;
            }
            request.extensions_mut().insert(seat);
            let Ok(reply) = self.services.call(request).await;
            Ok(reply)
        };
        let reply = deadline::within(limit, reply).instrument(span).await;
        Sent::of(reply.unwrap_or_else(Status::into_http), Some(call))
    }

    async fn may_call(&self, peer: &Peer, needs: Right) -> Result<(), Status> {
        let right = match self.access.known(peer) {
            Known::Is(right) => right,
            Known::NotYet(uid) => {
                let access = self.access.clone();
                tokio::task::spawn_blocking(move || access.look_up(uid)).await.ok().flatten()
            }
        };
        has_right(peer, right, needs)
    }
}

/// What is told while the call is worked on tells of it. To make a span takes a third of a short call, so those have one only when
/// somebody wants to see everything.
fn span(request: &Request<Incoming>, called: Called) -> tracing::Span {
    let method = request.uri().path();
    // a span that nobody wants does not look at its fields
    if called.is_short {
        tracing::debug_span!("rpc", %method, request_id = %request_id(request))
    } else {
        tracing::info_span!("rpc", %method, request_id = %request_id(request))
    }
}

/// Written without quotes, which cost more than all else that a span takes: so without spaces, too.
fn request_id(request: &Request<Incoming>) -> &str {
    let id = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok());
    id.filter(|id| id.bytes().all(|byte| byte.is_ascii_graphic())).unwrap_or_default()
}

/// The body of an answer. The call is open for as long as it lives.
#[derive(Debug)]
pub(super) struct Sent {
    body: Body,
    call: Option<Counted>,
}

impl Sent {
    fn of(reply: Response<Body>, mut call: Option<Counted>) -> Response<Self> {
        let (mut head, body) = reply.into_parts();
        head.headers.insert(&BUILD, HeaderValue::from_static(ktrdr_proto::BUILD));
        head.headers.insert(&CONTRACT, CONTRACT_SPOKEN.clone());
        if let Some(call) = &mut call {
            call.saw(&head.headers);
        }
        Response::from_parts(head, Self { body, call })
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let (Some(Ok(frame)), Some(call)) = (&frame, &mut self.call)
            && let Some(trailers) = frame.trailers_ref()
        {
            call.saw(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
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
}

impl Drop for Counted {
    fn drop(&mut self) {
        // nobody took the end: the client went away, or cut a stream that it had enough of
        let code = self.code.map_or("CANCELLED", status::code_name);
        metrics().call_ended(self.method, code, self.begun.elapsed());
    }
}

fn too_many(peer: &Peer) -> Status {
    status::retry(&reason::TOO_MANY_CALLS, format!("{peer} has as many calls open as one may"), TRY_AGAIN)
}

/// The kernel, or a handshake, vouches for who it is.
fn has_right(peer: &Peer, right: Option<Right>, needs: Right) -> Result<(), Status> {
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
