//! One connection: handshake, then frames in and out until either side ends it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::handshake::shake_hands;
use super::outlet::Outlet;
use super::session::Session;
use crate::log::log;
use crate::protocol::dialect::Dialect;
use crate::referee::{Ending, Event, UNREAD_LIMIT};

/// Messages that may wait for a client that reads slowly.
const WAITING_MESSAGES: usize = 64;
/// How long to wait for the other side's end after ours.
const PARTING: Duration = Duration::from_secs(1);

pub(crate) async fn serve(mut stream: TcpStream, shared: Arc<Shared>, stop: CancellationToken) {
    let number = shared.ledger.opened(&shared.clock).await;
    let talk = async {
        match shake_hands(&mut stream, &shared).await? {
            Some(dialect) => converse(stream, &shared, number, dialect).await,
            None => part(stream).await.map(|()| Ending::ByServer),
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
    shared.ledger.closed(&shared.clock, number, ending);
}

/// Of a client that says what cannot be read the server lets go.
fn note_malformed(shared: &Shared, error: &io::Error) {
    if error.kind() == io::ErrorKind::InvalidData {
        shared.ledger.observe(&shared.clock, Event::Malformed { detail: error.to_string() });
    }
}

async fn converse(stream: TcpStream, shared: &Arc<Shared>, number: u64, dialect: Dialect) -> io::Result<Ending> {
    let (mut reader, writer) = stream.into_split();
    let (out, waiting) = mpsc::channel(WAITING_MESSAGES);
    let mut session = Session::new(Arc::clone(shared), number, Outlet::new(dialect, out, Arc::clone(shared), number));
    let listen = async {
        let ending = loop {
            match read_body(&mut reader, dialect).await {
                Ok(Some(body)) if session.hear(dialect.decode(&body)).await.is_break() => break Ok(Ending::ByServer),
                Ok(Some(_)) => {}
                Ok(None) => break Ok(Ending::ByClient { open_requests: session.open_requests() }),
                Err(error) if is_abrupt(&error) => break Ok(Ending::Abrupt),
                Err(error) => break Err(error),
            }
        };
        drop(session);
        ending
    };
    // The writer ends once the session and its answers have let go of their ends of the channel.
    let (listened, writer) = tokio::join!(listen, write_all(writer, waiting, shared, number));
    let ending = listened?;
    if ending == Ending::ByServer {
        part(reader.reunite(writer?).map_err(io::Error::other)?).await?;
    }
    Ok(ending)
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

async fn write_all(
    mut writer: OwnedWriteHalf,
    mut waiting: mpsc::Receiver<Vec<u8>>,
    shared: &Shared,
    connection: u64,
) -> io::Result<OwnedWriteHalf> {
    while let Some(frames) = waiting.recv().await {
        watched(shared, connection, writer.write_all(&frames)).await?;
    }
    Ok(writer)
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
