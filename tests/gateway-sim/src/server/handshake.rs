//! The start of a connection: which versions the client speaks, which dialect follows.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Shared, answer};
use crate::faults::{Fault, FaultKind};
use crate::log::log;
use crate::protocol::dialect::Dialect;
use crate::protocol::{dates, handshake};

/// The dialect of the conversation; `None` if there is to be none.
pub(crate) async fn shake_hands(
    stream: &mut TcpStream,
    shared: &Shared,
    fault: Option<&Fault>,
) -> io::Result<Option<Dialect>> {
    let hit = |kind: FaultKind| fault.filter(|fault| fault.kind() == kind);
    stream.set_nodelay(true)?;
    let mut prefix = [0; 4];
    stream.read_exact(&mut prefix).await?;
    if shared.knobs.close_in_handshake {
        shared.ledger.played(FaultKind::AcceptThenClose);
        return Ok(None);
    }
    if hit(FaultKind::AcceptThenClose).is_some() {
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
    let too_old = hit(FaultKind::OldVersion).map(|fault| i32::try_from(fault.number("version")).unwrap_or(0));
    let version = handshake::choose(client, too_old.unwrap_or(shared.server_version));
    let mut clock = dates::utc(answer::wall_second());
    if let Some(fault) = hit(FaultKind::BadZoneInAck) {
        clock = clock.replace("UTC", fault.text("zone"));
    }
    stream.write_all(&handshake::acknowledgement(version, &clock)).await?;
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
