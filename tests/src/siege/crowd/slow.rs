//! Clients that ask for all bars, allow them all to be sent, and read a byte a second as soon as the first are there.

use std::{io, path::Path, time::Duration};

use anyhow::Result;
use prost::Message as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    task::JoinSet,
    time::Instant,
};

use super::{all_bars, silent::connected};
use crate::{
    siege::frames::{DATA, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE, call, frame, hello, message},
    wait,
};

/// As much as a client may let come unasked.
const WINDOW: u32 = 0x7fff_ffff;
/// The rest of the window of the connection, beyond the 64 KiB that it has from the start.
const WINDOW_MORE: u32 = WINDOW - 0xffff;
const WINDOW_UPDATE: u8 = 8;
const BETWEEN: Duration = Duration::from_secs(1);

pub(super) const QUERY: &str = "/ktrdr.v1.MarketData/Query";

/// The query as frames.
pub(super) fn query(stream: u32) -> Vec<u8> {
    let body = message(&all_bars().encode_to_vec());
    [frame(HEADERS, END_HEADERS, stream, &call(QUERY)), frame(DATA, END_STREAM, stream, &body)].concat()
}

/// Reads until the first bars are there; false when the answer ends without any.
async fn bars_begin(stream: &mut UnixStream) -> io::Result<bool> {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [long, longer, length, kind, flags, ..] = head;
        let mut payload = vec![0; usize::try_from(u32::from_be_bytes([0, long, longer, length])).unwrap_or(0)];
        stream.read_exact(&mut payload).await?;
        match kind {
            DATA if !payload.is_empty() => return Ok(true),
            HEADERS | DATA if flags & END_STREAM != 0 => return Ok(false),
            _ => {}
        }
    }
}

/// Reads slowly; true when there were bars to read.
async fn read(mut stream: UnixStream, request: &[u8], until: Instant) -> io::Result<bool> {
    stream.write_all(request).await?;
    if !bars_begin(&mut stream).await? {
        return Ok(false);
    }
    while Instant::now() < until {
        stream.read_exact(&mut [0; 1]).await?;
        tokio::time::sleep(BETWEEN.min(until - Instant::now())).await;
    }
    Ok(true)
}

/// Those that got no bars.
pub(super) async fn run(socket: &Path, count: usize, time: Duration) -> Result<Vec<String>> {
    let mut readers = JoinSet::new();
    let until = Instant::now() + time;
    for number in 0..count {
        let stream = connected(socket).await?;
        let window = frame(WINDOW_UPDATE, 0, 0, &WINDOW_MORE.to_be_bytes());
        let request = [hello(&[(INITIAL_WINDOW_SIZE, WINDOW)]), window, query(1)].concat();
        readers.spawn(async move {
            let ended = tokio::time::timeout(time + wait::LIMIT, read(stream, &request, until)).await;
            match ended {
                Ok(Ok(true)) => None,
                Ok(Ok(false)) => Some(format!("the {number}th got nothing")),
                Ok(Err(error)) => Some(format!("the {number}th: {error}")),
                Err(_) => Some(format!("the {number}th waited for bars in vain")),
            }
        });
    }
    let mut errors = Vec::new();
    while let Some(reader) = readers.join_next().await {
        errors.extend(reader?);
    }
    Ok(errors)
}
