//! Faults at work: executing a request or not, and giving its answer a shape.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::body::Pieces;
use super::connection::{Busy, Connection};
use super::shared::Shared;
use crate::answer::Answer;
use crate::api::{self, Call, Twist};
use crate::faults::FaultKind;

const TOO_LARGE: usize = 64 << 20;
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
}

pub(super) async fn play(shared: Arc<Shared>, call: Call, fault: Option<(FaultKind, Duration)>) -> Outcome {
    let Some((kind, delay)) = fault else {
        return Outcome::Answer(api::answer(&shared, &call, Twist::None).await);
    };
    shared.count(|tally| *tally.faults.entry(kind.name().to_owned()).or_default() += 1);
    let delay = shared.feed.real(delay);
    if kind == FaultKind::Late {
        sleep(delay).await;
    }
    let twist = match kind {
        FaultKind::RowsLie => Twist::RowsLie,
        FaultKind::NotTwice => Twist::NotTwice,
        FaultKind::Doubled => Twist::Doubled,
        _ => Twist::None,
    };
    let answer = if kind.executes() { api::answer(&shared, &call, twist).await } else { instead(kind) };
    match kind {
        FaultKind::Reset => Outcome::End { reset: true },
        FaultKind::EofAfter => Outcome::End { reset: false },
        FaultKind::Hang => Outcome::Silence,
        FaultKind::SlowBody => Outcome::Shaped(answer, Shape::Dribble(delay)),
        FaultKind::CutBody => Outcome::Shaped(answer, Shape::Cut),
        FaultKind::TooLarge => Outcome::Shaped(answer, Shape::Flood),
        _ => Outcome::Answer(answer),
    }
}

/// The answer to a request that is not executed.
fn instead(kind: FaultKind) -> Answer {
    match kind {
        FaultKind::Html => Answer::text(StatusCode::OK, "text/html; charset=utf-8", "<!doctype html><p>Welcome"),
        FaultKind::NotJson => Answer::text(StatusCode::OK, "application/json", "{\"success\": true, \"da"),
        FaultKind::WrongShape => Answer::ok(&json!([{ "success": "yes", "data": [7], "rows": "many" }])),
        FaultKind::E503Retry => {
            Answer::text(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "").with("retry-after", "1")
        }
        _ => Answer::detail(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong"),
    }
}

/// An answer as it is.
pub(super) fn response(answer: &Answer, busy: Busy) -> Response<Pieces> {
    head(answer, Pieces::whole(answer.body.clone(), busy))
}

/// An answer whose body comes in a bad way. It has no length of its own unless the shape lies about one.
pub(super) fn shaped(connection: &Arc<Connection>, answer: &Answer, shape: Shape, busy: Busy) -> Response<Pieces> {
    let (pieces, body) = Pieces::fed(busy);
    let mut response = head(answer, body);
    let length = match shape {
        Shape::Dribble(_) | Shape::Cut => u64::try_from(answer.body.len()).ok(),
        Shape::Flood => None,
    };
    response.headers_mut().extend(length.map(|length| (CONTENT_LENGTH, HeaderValue::from(length))));
    tokio::spawn(feed(pieces, Arc::clone(connection), answer.body.clone(), shape));
    response
}

fn head(answer: &Answer, body: Pieces) -> Response<Pieces> {
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.extend(answer.content_type.map(|media| (CONTENT_TYPE, HeaderValue::from_static(media))));
    let more = answer.header.as_ref().and_then(|(name, value)| Some((*name, HeaderValue::from_str(value).ok()?)));
    headers.extend(more.map(|(name, value)| (HeaderName::from_static(name), value)));
    response
}

/// A client that is gone ends it.
async fn feed(pieces: mpsc::Sender<Bytes>, connection: Arc<Connection>, body: Bytes, shape: Shape) {
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
