//! Being asked over HTTP/1.1: connections, their patience and their bodies. What is answered is told by others; nobody is known here,
//! so what listens is for this machine.

mod places;

use std::{
    convert::Infallible, fmt, io, net::SocketAddr, os::unix::fs::FileTypeExt, path::Path, sync::Arc, time::Duration,
};

use bytes::Bytes;
use futures_util::{TryStreamExt, stream::BoxStream};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener, UnixStream},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use places::{Place, Places};

/// For the head of a request, and between two of them.
const PATIENCE: Duration = Duration::from_mins(1);
/// Of a request. Ours are a few fields.
const BODY_MAX: usize = 1 << 20;
/// Until the next attempt to take a connection.
const BREATH: Duration = Duration::from_millis(200);

/// A request whose body has come.
#[derive(Debug)]
pub struct Asked {
    /// GET, POST …
    pub method: Method,
    /// As it was sent: percent-encoded.
    pub path: String,
    /// Without the question mark.
    pub query: String,
    /// All that was said before it.
    pub headers: HeaderMap,
    /// It says that it is JSON.
    pub json: bool,
    /// All of it.
    pub body: Bytes,
}

/// What goes back.
#[derive(Debug)]
pub struct Answer {
    /// 200 and so on.
    pub status: u16,
    /// The media type.
    pub kind: &'static str,
    /// The text.
    pub body: Body,
}

/// The text of an answer.
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// In pieces, each made when there is room for it on its way. After an error the connection is cut: what is not whole must not
    /// look so.
    Pieces(BoxStream<'static, io::Result<Bytes>>),
}

impl Answer {
    /// One that is there as a whole.
    pub fn whole(status: u16, kind: &'static str, text: impl Into<Bytes>) -> Self {
        Self { status, kind, body: Body::Whole(text.into()) }
    }

    /// A line for people.
    pub fn line(status: u16, text: &str) -> Self {
        Self::whole(status, "text/plain; charset=utf-8", format!("{text}\n"))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(text) => f.debug_tuple("Whole").field(text).finish(),
            Self::Pieces(_) => f.write_str("Pieces"),
        }
    }
}

impl Body {
    fn sent(self, place: Arc<Place>) -> UnsyncBoxBody<Bytes, io::Error> {
        match self {
            Self::Whole(text) => Full::new(text).map_err(|never| match never {}).boxed_unsync(),
            // whoever takes a piece is no idler
            Self::Pieces(pieces) => {
                StreamBody::new(pieces.inspect_ok(move |_| place.goes_on()).map_ok(Frame::data)).boxed_unsync()
            }
        }
    }
}

/// Whoever answers.
pub trait Service: Send + Sync + 'static {
    /// One request. The future is dropped when the client goes away.
    fn answer(&self, asked: Asked) -> impl Future<Output = Answer> + Send;
}

/// Where it listens.
#[derive(Debug)]
pub enum Listener {
    /// An address.
    Tcp(TcpListener),
    /// A socket of this machine.
    Unix(UnixListener),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Listener {
    /// At an address.
    pub async fn at(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self::Tcp)
    }

    /// On a socket. One that an earlier life left there is removed; anything else is not, least of all one that somebody answers on.
    pub async fn on(path: &Path) -> io::Result<Self> {
        if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket()) {
            match UnixStream::connect(path).await {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path)?,
                _ => return Err(io::Error::new(io::ErrorKind::AddrInUse, "somebody listens there")),
            }
        }
        UnixListener::bind(path).map(Self::Unix)
    }

    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Tcp(listener) => Box::new(listener.accept().await?.0),
            Self::Unix(listener) => Box::new(listener.accept().await?.0),
        })
    }
}

/// Answers until `stop` fires, `most` connections at once.
pub async fn serve(listener: Listener, most: usize, service: impl Service, stop: CancellationToken) {
    let (service, places) = (Arc::new(service), Places::new(most));
    let taking = async {
        loop {
            match listener.accept().await {
                Ok(stream) => {
                    let connection = connection(stream, service.clone(), places.take().await);
                    let stop = stop.clone();
                    drop(tokio::spawn(async move { stop.run_until_cancelled(connection).await }));
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection cannot be taken");
                    sleep(BREATH).await;
                }
            }
        }
    };
    stop.run_until_cancelled(taking).await;
}

async fn connection<S: Service>(stream: Box<dyn Stream>, service: Arc<S>, place: Place) {
    let place = Arc::new(place);
    let own = place.clone();
    let answer = service_fn(move |request| {
        let (service, place) = (service.clone(), own.clone());
        async move { Ok::<_, Infallible>(exchange(request, &*service, place).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    tokio::select! {
        ended = http.serve_connection(TokioIo::new(stream), answer) => if let Err(error) = ended {
            // they know
            tracing::debug!(%error, "a connection ended");
        },
        () = place.has_to_go() => {}
    }
}

async fn exchange<S: Service>(
    request: Request<Incoming>,
    service: &S,
    place: Arc<Place>,
) -> Response<UnsyncBoxBody<Bytes, io::Error>> {
    let (head, body) = request.into_parts();
    let answer = match tokio::time::timeout(PATIENCE, Limited::new(body, BODY_MAX).collect()).await {
        Ok(Ok(body)) => {
            let kind = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            let asked = Asked {
                json: kind.to_ascii_lowercase().starts_with("application/json"),
                method: head.method,
                path: head.uri.path().to_owned(),
                query: head.uri.query().unwrap_or_default().to_owned(),
                headers: head.headers,
                body: body.to_bytes(),
            };
            place.at_work(service.answer(asked)).await
        }
        Ok(Err(_)) => Answer::line(413, "the body is longer than 1 MiB, or was cut"),
        Err(_) => Answer::line(408, "the body did not come in time"),
    };
    let mut reply = Response::new(answer.body.sent(place));
    *reply.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.kind));
    reply
}
