//! One connection: handshake, then frames in and out until either side ends it.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::handshake::shake_hands;
use super::line::{Line, Strike};
use super::outlet::Outlet;
use super::pen::Pen;
use super::session::Session;
use crate::faults::{Fault, FaultKind};
use crate::log::log;
use crate::protocol::dialect::Dialect;
use crate::referee::{Ending, Event, UNREAD_LIMIT};

/// Messages that may wait for a client that reads slowly.
const WAITING_MESSAGES: usize = 64;
/// How long to wait for the other side's end after ours.
const PARTING: Duration = Duration::from_secs(1);
/// A pause in reading that is longer than any machine's own, real time.
const STALLED: Duration = Duration::from_millis(20);

/// A connection and what faults reach it by.
struct Open {
    shared: Arc<Shared>,
    line: Arc<Line>,
    strikes: mpsc::UnboundedReceiver<Strike>,
    /// What hits it until its client has been greeted.
    opening: Option<Fault>,
}

pub(crate) async fn serve(mut stream: TcpStream, shared: Arc<Shared>, stop: CancellationToken) {
    let number = shared.ledger.opened(&shared.clock).await;
    let (line, strikes) = Line::new(number);
    shared.faults.connected(&line);
    let opening = shared.faults.at_opening(&shared, &line);
    let open = Open { shared: Arc::clone(&shared), line: Arc::clone(&line), strikes, opening };
    let talk = async {
        if let Some(fault) = open.opening.as_ref().filter(|fault| fault.kind() == FaultKind::SilentAfterAccept) {
            return say_nothing(stream, &shared, &line, fault).await.map(|()| Ending::ByServer);
        }
        let handshake = tokio::select! {
            () = line.is_cut() => Ok(None),
            handshake = shake_hands(&mut stream, &shared, open.opening.as_ref()) => handshake,
        };
        match handshake? {
            Some(dialect) => open.converse(stream, dialect).await,
            None => end(stream, &line).await.map(|()| Ending::ByServer),
        }
    };
    let ending = tokio::select! {
        () = stop.cancelled() => Ending::ByServer,
        ended = talk => ended.unwrap_or_else(|error| {
            log(&format!("connection {number}: {error}"));
            note_malformed(&shared, &error);
            Ending::ByServer
        }),
    };
    shared.faults.disconnected(number);
    shared.ledger.closed(&shared.clock, number, ending);
}

/// Of a client that says what cannot be read the server lets go.
fn note_malformed(shared: &Shared, error: &io::Error) {
    if error.kind() == io::ErrorKind::InvalidData {
        shared.ledger.observe(&shared.clock, Event::Malformed { detail: error.to_string() });
    }
}

/// Hears everything and answers nothing, until the client leaves or long enough.
async fn say_nothing(mut stream: TcpStream, shared: &Shared, line: &Line, fault: &Fault) -> io::Result<()> {
    let mut heard = [0; 1024];
    let listening = async { while matches!(stream.read(&mut heard).await, Ok(1..)) {} };
    tokio::select! {
        () = listening => {}
        () = line.is_cut() => {}
        () = tokio::time::sleep(shared.clock.real(fault.lasts())) => {}
    }
    part(stream).await
}

impl Open {
    async fn converse(self, stream: TcpStream, dialect: Dialect) -> io::Result<Ending> {
        let Self { shared, line, strikes, opening } = self;
        let (mut reader, writer) = stream.into_split();
        let (out, waiting) = mpsc::channel(WAITING_MESSAGES);
        let outlet = Outlet::new(dialect, out, Arc::clone(&line), &shared);
        let mut session = Session::new(Arc::clone(&shared), outlet, opening);
        let listen = async {
            let listened = hear_all(&mut reader, dialect, &shared, &line, &mut session).await;
            session.ends(&listened);
            drop(session);
            line.client_is_gone();
            listened
        };
        let pen = Pen::new(Arc::clone(&shared), Arc::clone(&line), dialect, writer);
        // The writer ends once the session and its answers have let go of their ends of the channel.
        let (listened, writer) = tokio::join!(listen, pen.write_all(waiting, strikes));
        let (ending, writer) = (listened?, writer);
        // Where the client has gone without a word, the last frames may not have left.
        if ending != Ending::Abrupt {
            end(reader.reunite(writer?).map_err(io::Error::other)?, &line).await?;
        }
        Ok(ending)
    }
}

/// Until either side has had enough.
async fn hear_all(
    reader: &mut OwnedReadHalf,
    dialect: Dialect,
    shared: &Shared,
    line: &Line,
    session: &mut Session,
) -> io::Result<Ending> {
    while may_be_read(reader, shared, line).await {
        let body = tokio::select! {
            () = line.is_cut() => break,
            body = read_body(reader, dialect) => body,
        };
        let body = match body {
            Ok(Some(body)) => body,
            Ok(None) => return Ok(Ending::ByClient { open_requests: session.open_requests() }),
            Err(error) if is_abrupt(&error) => return Ok(Ending::Abrupt),
            Err(error) => return Err(error),
        };
        // A fault may have come while nobody had anything to say.
        if !may_be_read(reader, shared, line).await || session.hear(dialect.decode(&body)).await.is_break() {
            break;
        }
    }
    Ok(Ending::ByServer)
}

/// Waits until the line may be read. What comes after a while in which it was not read was sent before.
async fn may_be_read(reader: &OwnedReadHalf, shared: &Shared, line: &Line) -> bool {
    let (since, begun) = (shared.clock.elapsed(), Instant::now());
    let may = line.may_be_read(reader).await;
    if begun.elapsed() >= STALLED {
        let stalled = shared.clock.elapsed().saturating_sub(since);
        shared.ledger.observe(&shared.clock, Event::Resumed { connection: line.number, stalled });
    }
    may
}

/// A reset, or an end in the middle of a message.
fn is_abrupt(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof)
}

/// The body of the next frame; `None` when the client has closed between two frames.
async fn read_body(reader: &mut OwnedReadHalf, dialect: Dialect) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = [0; 4];
    if reader.read(&mut prefix[..1]).await? == 0 {
        return Ok(None);
    }
    reader.read_exact(&mut prefix[1..]).await?;
    let length = dialect.body_length(prefix).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await?;
    Ok(Some(body))
}

/// Closes as the connection is to end.
async fn end(stream: TcpStream, line: &Line) -> io::Result<()> {
    if line.was_reset() { stream.set_zero_linger() } else { part(stream).await }
}

/// Writes; the referee hears of a client that does not read what is written.
pub(super) async fn watched<T>(shared: &Shared, connection: u64, write: impl Future<Output = T>) -> T {
    let mut write = std::pin::pin!(write);
    if let Ok(written) = tokio::time::timeout(UNREAD_LIMIT, &mut write).await {
        return written;
    }
    shared.ledger.observe(&shared.clock, Event::Unread { connection, waiting: UNREAD_LIMIT });
    write.await
}

/// Closes so that what was written last still arrives: what the client sends meanwhile is read and dropped.
async fn part(mut stream: TcpStream) -> io::Result<()> {
    if stream.shutdown().await.is_err() {
        return Ok(());
    }
    let mut rest = [0; 1024];
    let drained = async { while matches!(stream.read(&mut rest).await, Ok(1..)) {} };
    tokio::time::timeout(PARTING, drained).await.map_or(Ok(()), Ok)
}
