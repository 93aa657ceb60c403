//! Clients that talk nonsense, or sense without end. Each act is what is said at first, and what is said again and again.

use std::{io, path::Path, time::Duration};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    task::JoinSet,
};

use super::{silent::connected, slow::query};
use crate::siege::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE, PING, PREFACE, RST_STREAM, SETTINGS,
    call, field, frame, hello, lying_frame, lying_message, message,
};

/// How long a bad client stays when it is done.
const STAYS: Duration = Duration::from_secs(2);
/// A peer that is not read from, and does not read, is left after this.
const ACT_MAX: Duration = Duration::from_secs(20);
const STATUS: &str = "/ktrdr.v1.Daemon/GetStatus";
const IMPORT: &str = "/ktrdr.v1.MarketData/Import";
/// The largest frame that is allowed without asking.
const FRAME: usize = 16 << 10;
/// Small things are sent so many at a time.
const AT_ONCE: u32 = 100;

/// One kind of bad client.
pub(super) struct Act {
    pub(super) name: &'static str,
    first: fn() -> Vec<u8>,
    /// The nth time; nothing: it was said once.
    again: fn(u32) -> Vec<u8>,
}

/// All of them.
pub(super) fn acts() -> Vec<Act> {
    let once = |_| Vec::new();
    vec![
        Act { name: "noise", first: || noise(64 << 10), again: once },
        Act { name: "HTTP/1.1", first: || b"GET / HTTP/1.1\r\nHost: ktrdrd\r\n\r\n".to_vec(), again: once },
        Act {
            name: "the first words of TLS",
            first: || [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), noise(501)].concat(),
            again: once,
        },
        Act { name: "half of a greeting", first: || PREFACE[..12].to_vec(), again: once },
        Act { name: "a greeting, then noise", first: || [hello(&[]), noise(64 << 10)].concat(), again: once },
        Act {
            name: "a frame of 16 MiB",
            first: || [hello(&[]), lying_frame(0x00ff_ffff, 0x20, 0, 0, &[])].concat(),
            again: |_| vec![0; FRAME],
        },
        Act { name: "pings without end", first: || hello(&[]), again: |_| many(|_| frame(PING, 0, 0, &[7; 8])) },
        Act {
            name: "settings without end",
            first: || hello(&[]),
            again: |_| many(|_| frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0])),
        },
        Act { name: "calls that are taken back at once", first: || hello(&[]), again: |nth| many(|at| reset(nth, at)) },
        Act {
            name: "headers without end",
            first: || [hello(&[]), frame(HEADERS, 0, 1, &call(STATUS))].concat(),
            again: |nth| frame(CONTINUATION, 0, 1, &field(&format!("x-{nth}"), &"y".repeat(FRAME - 64))),
        },
        Act { name: "a header of 1 MiB", first: || headers(&field("x-huge", &"y".repeat(1 << 20))), again: once },
        Act {
            name: "20,000 headers",
            first: || headers(&(0..20_000).flat_map(|nth| field(&format!("x-{nth}"), "y")).collect::<Vec<_>>()),
            again: once,
        },
        Act {
            name: "calls without end",
            first: || hello(&[]),
            again: |nth| many(|at| frame(HEADERS, END_HEADERS, stream(nth, at), &call(IMPORT))),
        },
        Act {
            name: "empty frames without end",
            first: || [hello(&[]), frame(HEADERS, END_HEADERS, 1, &call(IMPORT))].concat(),
            again: |_| many(|_| frame(DATA, 0, 1, &[])),
        },
        Act {
            name: "a message of 4 GiB",
            first: || {
                let begun = frame(DATA, 0, 1, &lying_message(u32::MAX, &[]));
                [hello(&[]), frame(HEADERS, END_HEADERS, 1, &call(IMPORT)), begun].concat()
            },
            again: |_| frame(DATA, 0, 1, &[0; FRAME]),
        },
        Act {
            name: "messages of noise",
            first: || hello(&[]),
            again: |nth| said(nth, STATUS, &noise(usize::try_from(nth % 500).unwrap_or(0))),
        },
        Act {
            name: "calls that nobody knows",
            first: || hello(&[]),
            again: |nth| said(nth, "/ktrdr.v1.Nobody/Knows", &[]),
        },
        Act {
            name: "queries whose answers are never taken",
            first: || hello(&[(INITIAL_WINDOW_SIZE, 0)]),
            again: |nth| query(stream(nth, 0)),
        },
    ]
}

fn noise(length: usize) -> Vec<u8> {
    std::iter::repeat_with(|| fastrand::u8(..)).take(length).collect()
}

fn many(one: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    (0..AT_ONCE).flat_map(one).collect()
}

/// Odd, ascending.
fn stream(nth: u32, at: u32) -> u32 {
    2 * (nth * AT_ONCE + at) + 1
}

fn reset(nth: u32, at: u32) -> Vec<u8> {
    let stream = stream(nth, at);
    let begun = frame(HEADERS, END_HEADERS | END_STREAM, stream, &call(STATUS));
    [begun, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
}

fn said(nth: u32, path: &str, text: &[u8]) -> Vec<u8> {
    let stream = stream(nth, 0);
    let body = frame(DATA, END_STREAM, stream, &message(text));
    [frame(HEADERS, END_HEADERS, stream, &call(path)), body].concat()
}

/// A call with so many header fields more, in as many frames as it takes.
fn headers(more: &[u8]) -> Vec<u8> {
    let mut bytes = [hello(&[]), frame(HEADERS, END_STREAM, 1, &call(STATUS))].concat();
    for part in more.chunks(FRAME) {
        bytes.extend(frame(CONTINUATION, 0, 1, part));
    }
    bytes.extend(frame(CONTINUATION, END_HEADERS, 1, &[]));
    bytes
}

/// So many of each, all at once; how many the daemon sent away.
pub(super) async fn run(socket: &Path, acts: &[Act], copies: usize, times: u32) -> Result<u64> {
    let mut peers = JoinSet::new();
    for Act { first, again, .. } in acts {
        for _ in 0..copies {
            let stream = connected(socket).await?;
            let (first, again) = (first(), *again);
            peers.spawn(async move { tokio::time::timeout(ACT_MAX, play(stream, first, again, times)).await.ok() });
        }
    }
    let mut sent_away = 0;
    while let Some(peer) = peers.join_next().await {
        sent_away += u64::from(peer?.unwrap_or(false));
    }
    Ok(sent_away)
}

/// Says it, and takes whatever comes; whether the other side ended it.
async fn play(stream: UnixStream, first: Vec<u8>, again: fn(u32) -> Vec<u8>, times: u32) -> bool {
    let (mut from, mut to) = stream.into_split();
    let mut heard = tokio::spawn(async move {
        let mut bytes = vec![0; FRAME];
        while matches!(from.read(&mut bytes).await, Ok(1..)) {}
    });
    let said = async {
        to.write_all(&first).await?;
        for nth in 0..times {
            let more = again(nth);
            if more.is_empty() {
                break;
            }
            to.write_all(&more).await?;
        }
        Ok::<_, io::Error>(())
    };
    let cut = tokio::select! {
        said = said => said.is_err(),
        _ = &mut heard => true,
    };
    let ended = cut || tokio::time::timeout(STAYS, &mut heard).await.is_ok();
    heard.abort();
    ended
}
