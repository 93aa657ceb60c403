//! Faults at work: executing a request or not, and giving its answer a shape.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::body::Pieces;
use super::connection::{Busy, Connection};
use super::shared::Shared;
use crate::answer::Answer;
use crate::faults::FaultKind;
use crate::route::Found;
use crate::service::{Call, Service};

const TOO_LARGE: usize = 64 << 20;
const LIE: u64 = 1 << 40;
/// Pieces of a body that dribbles.
const DRIPS: usize = 20;
const PAUSE_BEFORE_CUT: Duration = Duration::from_millis(50);

/// What becomes of a request.
pub(super) enum Outcome {
    Answer(Answer),
    Shaped(Answer, Shape),
    End {
        reset: bool,
    },
    /// Nothing comes, and the connection stays.
    Silence,
}

/// How a body comes.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Dribble(Duration),
    Cut,
    Flood,
    Lie,
}

pub(super) async fn play<S: Service>(
    shared: Arc<Shared<S>>,
    call: Call<S::Route>,
    fault: Option<(FaultKind, Duration)>,
) -> Outcome {
    let life = shared.life();
    shared.end_of_silence().await;
    let fault = fault.map(|(kind, delay)| (kind, shared.service.real(delay)));
    if let Some((kind, _)) = fault {
        shared.count(|tally| *tally.faults.entry(kind.name().to_owned()).or_default() += 1);
    }
    if let Some((FaultKind::Late, delay)) = fault {
        sleep(delay).await;
    }
    // The service that had read it is gone, and the request with it.
    if shared.life() != life {
        return Outcome::Silence;
    }
    let Some((kind, delay)) = fault else {
        return Outcome::Answer(execute(&shared.service, &call, None).await);
    };
    let answer = if kind.executes() {
        execute(&shared.service, &call, Some(kind)).await
    } else {
        shared.service.instead(kind, &call).unwrap_or_else(|| instead(kind))
    };
    if kind == FaultKind::SlowHeaders {
        sleep(delay).await;
    }
    match kind {
        FaultKind::Reset | FaultKind::ResetAfter => Outcome::End { reset: true },
        FaultKind::EofAfter => Outcome::End { reset: false },
        FaultKind::Hang | FaultKind::HangAfter => Outcome::Silence,
        FaultKind::SlowBody => Outcome::Shaped(answer, Shape::Dribble(delay)),
        FaultKind::CutBody => Outcome::Shaped(answer, Shape::Cut),
        FaultKind::TooLarge => Outcome::Shaped(answer, Shape::Flood),
        FaultKind::LyingLength => Outcome::Shaped(answer, Shape::Lie),
        _ => Outcome::Answer(answer),
    }
}

/// Requests that lead nowhere are the framework's to refuse.
async fn execute<S: Service>(service: &S, call: &Call<S::Route>, fault: Option<FaultKind>) -> Answer {
    match &call.found {
        Found::Route(route, _) => service.execute(*route, call, fault).await,
        Found::Nowhere => Answer::detail(StatusCode::NOT_FOUND, "Not Found"),
        Found::MethodNotAllowed { allow } => {
            Answer::detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed").with("allow", allow.as_str())
        }
        Found::Redirect { location } => {
            Answer::empty(StatusCode::TEMPORARY_REDIRECT).with("location", location.as_str())
        }
    }
}

/// The answer to a request that is not executed, in nobody's words.
fn instead(kind: FaultKind) -> Answer {
    let page = |status: StatusCode| {
        Answer::text(status, "text/html", format!("<html><body><h1>{status}</h1><p>nginx</p></body></html>"))
    };
    let plain = |status| Answer::text(status, "text/plain", "");
    match kind {
        FaultKind::Html => Answer::text(StatusCode::OK, "text/html; charset=utf-8", "<!doctype html><p>Welcome"),
        FaultKind::Empty => Answer::empty(StatusCode::OK),
        FaultKind::E400 => Answer::detail(StatusCode::BAD_REQUEST, "Bad request"),
        FaultKind::E404Plain => Answer::text(StatusCode::NOT_FOUND, "text/plain", "Not Found"),
        FaultKind::E502 => page(StatusCode::BAD_GATEWAY),
        FaultKind::E504 => page(StatusCode::GATEWAY_TIMEOUT),
        FaultKind::E503Retry => plain(StatusCode::SERVICE_UNAVAILABLE).with("retry-after", "1"),
        FaultKind::Redirect => Answer::empty(StatusCode::TEMPORARY_REDIRECT).with("location", "/elsewhere"),
        _ => Answer::failed("Something went wrong"),
    }
}

/// An answer as it is.
pub(super) fn response<S: Service>(answer: &Answer, busy: Busy<S>) -> Response<Pieces<S>> {
    head(answer, Pieces::whole(answer.body.clone(), busy))
}

/// An answer whose body comes in a bad way. It has no length of its own unless the shape lies about one.
pub(super) fn shaped<S: Service>(
    connection: &Arc<Connection<S>>,
    answer: &Answer,
    shape: Shape,
    busy: Busy<S>,
) -> Response<Pieces<S>> {
    let (pieces, body) = Pieces::fed(busy);
    let mut response = head(answer, body);
    let length = match shape {
        Shape::Dribble(_) | Shape::Cut => u64::try_from(answer.body.len()).ok(),
        Shape::Lie => Some(LIE),
        Shape::Flood => None,
    };
    response.headers_mut().extend(length.map(|length| (CONTENT_LENGTH, HeaderValue::from(length))));
    tokio::spawn(feed(pieces, Arc::clone(connection), answer.body.clone(), shape));
    response
}

fn head<S: Service>(answer: &Answer, body: Pieces<S>) -> Response<Pieces<S>> {
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.extend(answer.content_type.map(|media| (CONTENT_TYPE, HeaderValue::from_static(media))));
    let more = answer.header.as_ref().and_then(|(name, value)| Some((*name, HeaderValue::from_str(value).ok()?)));
    headers.extend(more.map(|(name, value)| (HeaderName::from_static(name), value)));
    response
}

/// A client that is gone ends it.
async fn feed<S: Service>(pieces: mpsc::Sender<Bytes>, connection: Arc<Connection<S>>, body: Bytes, shape: Shape) {
    match shape {
        Shape::Dribble(over) => {
            let size = body.len().div_ceil(DRIPS).max(1);
            let pause = over / u32::try_from(body.len().div_ceil(size).max(1)).unwrap_or(1);
            for piece in body.chunks(size) {
                sleep(pause).await;
                if pieces.send(Bytes::copy_from_slice(piece)).await.is_err() {
                    return;
                }
            }
        }
        Shape::Cut => {
            drop(pieces.send(body.slice(..body.len() / 2)).await);
            sleep(PAUSE_BEFORE_CUT).await;
            connection.end(false);
        }
        Shape::Flood => flood(&pieces).await,
        Shape::Lie => pieces.closed().await,
    }
}

/// A list of zeros without an end.
async fn flood(pieces: &mpsc::Sender<Bytes>) {
    let piece = Bytes::from(vec![b"0,".as_slice(); 32 << 10].concat());
    let mut left = TOO_LARGE / piece.len();
    let mut open = pieces.send(Bytes::from_static(b"[")).await.is_ok();
    while open && left > 0 {
        left -= 1;
        open = pieces.send(piece.clone()).await.is_ok();
    }
}
