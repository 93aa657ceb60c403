//! One connection: handshake, then frames in and out until either side ends it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

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

/// Messages that may wait for a client that reads slowly.
const WAITING_MESSAGES: usize = 64;
/// How long to wait for the other side's end after ours.
const PARTING: Duration = Duration::from_secs(1);

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
            return say_nothing(stream, &shared, &line, fault).await;
        }
        let handshake = tokio::select! {
            () = line.is_cut() => Ok(None),
            handshake = shake_hands(&mut stream, &shared, open.opening.as_ref()) => handshake,
        };
        match handshake? {
            Some(dialect) => open.converse(stream, dialect).await,
            None => end(stream, &line).await,
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        ended = talk => if let Err(error) = ended {
            log(&format!("connection {number}: {error}"));
        },
    }
    shared.faults.disconnected(number);
    shared.ledger.closed(&shared.clock, number);
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
    async fn converse(self, stream: TcpStream, dialect: Dialect) -> io::Result<()> {
        let Self { shared, line, strikes, opening } = self;
        let (mut reader, writer) = stream.into_split();
        let (out, waiting) = mpsc::channel(WAITING_MESSAGES);
        let outlet = Outlet::new(dialect, out, Arc::clone(&line));
        let mut session = Session::new(Arc::clone(&shared), outlet, opening);
        let listen = async {
            let listened = hear_all(&mut reader, dialect, &line, &mut session).await;
            session.ends(&listened);
            drop(session);
            line.client_is_gone();
            listened
        };
        let pen = Pen::new(Arc::clone(&shared), Arc::clone(&line), dialect, writer);
        // The writer ends once the session and its answers have let go of their ends of the channel.
        let (listened, writer) = tokio::join!(listen, pen.write_all(waiting, strikes));
        listened?;
        end(reader.reunite(writer?).map_err(io::Error::other)?, &line).await
    }
}

/// Until either side has had enough.
async fn hear_all(reader: &mut OwnedReadHalf, dialect: Dialect, line: &Line, session: &mut Session) -> io::Result<()> {
    while line.may_be_read(reader).await {
        let body = tokio::select! {
            () = line.is_cut() => break,
            body = read_body(reader, dialect) => body?,
        };
        let Some(body) = body else {
            break;
        };
        // A fault may have come while nobody had anything to say.
        if !line.may_be_read(reader).await || session.hear(dialect.decode(&body)).await.is_break() {
            break;
        }
    }
    Ok(())
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

/// Closes so that what was written last still arrives: what the client sends meanwhile is read and dropped.
async fn part(mut stream: TcpStream) -> io::Result<()> {
    if stream.shutdown().await.is_err() {
        return Ok(());
    }
    let mut rest = [0; 1024];
    let drained = async { while matches!(stream.read(&mut rest).await, Ok(1..)) {} };
    tokio::time::timeout(PARTING, drained).await.map_or(Ok(()), Ok)
}
