//! The start of a connection: which versions the client speaks, which dialect follows.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::ledger::Fault;
use super::{Shared, answer};
use crate::log::log;
use crate::protocol::dialect::Dialect;
use crate::protocol::{dates, handshake};

/// The dialect of the conversation; `None` if there is to be none.
pub(crate) async fn shake_hands(stream: &mut TcpStream, shared: &Shared) -> io::Result<Option<Dialect>> {
    stream.set_nodelay(true)?;
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix).await?;
    if shared.knobs.close_in_handshake {
        shared.ledger.played(Fault::AcceptThenClose);
        return Ok(None);
    }
    let length = usize::try_from(stream.read_u32().await?).unwrap_or(usize::MAX);
    if &prefix != handshake::PREFIX || length > handshake::MAX_VERSIONS {
        return Err(invalid("not a client of this protocol"));
    }
    let mut versions = vec![0; length];
    stream.read_exact(&mut versions).await?;
    let client = handshake::range(&String::from_utf8_lossy(&versions));
    let client = client.ok_or_else(|| invalid("a client without a version"))?;
    let version = handshake::choose(client, shared.server_version);
    stream.write_all(&handshake::acknowledgement(version, &dates::utc(answer::wall_second()))).await?;
    // A client that hears of a version it is too new for goes away by itself, or is sent away.
    let dialect = Dialect::of_version(version).filter(|_| version >= client.lowest);
    if dialect.is_none() {
        log(&format!("version {version} agreed, which is not spoken by both: closing"));
    }
    Ok(dialect)
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
