//! Clients that ask for all bars, allow them all to be sent, and read a byte a second.

use std::{path::Path, time::Duration};

use anyhow::Result;
use prost::Message as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    task::JoinSet,
    time::Instant,
};

use super::{all_bars, silent::connected};
use crate::siege::frames::{DATA, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE, call, frame, hello, message};

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

/// Those that got nothing.
pub(super) async fn run(socket: &Path, count: usize, time: Duration) -> Result<Vec<String>> {
    let mut readers = JoinSet::new();
    let until = Instant::now() + time;
    for number in 0..count {
        let mut stream = connected(socket).await?;
        let window = frame(WINDOW_UPDATE, 0, 0, &WINDOW_MORE.to_be_bytes());
        let request = [hello(&[(INITIAL_WINDOW_SIZE, WINDOW)]), window, query(1)].concat();
        readers.spawn(async move {
            stream.write_all(&request).await?;
            let (mut read, mut byte) = (0, [0; 1]);
            while Instant::now() < until {
                stream.read_exact(&mut byte).await?;
                read += 1;
                tokio::time::sleep(BETWEEN.min(until - Instant::now())).await;
            }
            Ok::<_, std::io::Error>((number, read))
        });
    }
    let mut errors = Vec::new();
    while let Some(reader) = readers.join_next().await {
        match reader? {
            Ok((number, 0)) => errors.push(format!("the {number}th got nothing")),
            Ok(_) => {}
            Err(error) => errors.push(error.to_string()),
        }
    }
    Ok(errors)
}
