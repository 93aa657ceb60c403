//! Connections that say nothing. The daemon closes them, be it one after the other when there are too many, be it after a while.

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::{net::UnixStream, task::JoinSet};

/// A connection that says nothing is closed after ten seconds; these are for a busy machine.
const CLOSED_MAX: Duration = Duration::from_secs(30);

/// What became of them.
#[derive(Debug, Default)]
pub(super) struct Left {
    pub(super) opened: Duration,
    /// Since the first was opened.
    pub(super) closed: Duration,
    /// Those that the daemon never closed.
    pub(super) open: Vec<String>,
}

pub(super) async fn run(socket: &Path, count: usize) -> Result<Left> {
    let began = Instant::now();
    let mut silent = JoinSet::new();
    for number in 0..count {
        let stream = connected(socket).await?;
        silent.spawn(async move { (number, tokio::time::timeout(CLOSED_MAX, closed(stream)).await.is_ok()) });
    }
    let mut left = Left { opened: began.elapsed(), ..Left::default() };
    while let Some(one) = silent.join_next().await {
        match one? {
            (_, true) => left.closed = began.elapsed(),
            (number, false) => left.open.push(format!("the {number}th")),
        }
    }
    Ok(left)
}

/// When more wait than the system lets wait, it says so at once on a Unix socket.
pub(super) async fn connected(socket: &Path) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(socket).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            connected => return connected,
        }
    }
}

/// Hears it out, and ends when the other side does.
pub(super) async fn closed(stream: UnixStream) {
    let mut bytes = [0; 1024];
    loop {
        // it cannot fail but by the end of the connection
        let ready = stream.readable().await;
        match stream.try_read(&mut bytes) {
            Ok(1..) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && ready.is_ok() => {}
            Ok(0) | Err(_) => return,
        }
    }
}
