//! Imports whose file does not end: each sends so much, unless it is refused, stays for a moment, and leaves without an end.

use std::{fmt::Write as _, path::Path, time::Duration};

use anyhow::Result;
use ktrdr_proto::v1::{
    ImportFile, ImportRequest, ImportStart, import_request::Part, market_data_client::MarketDataClient,
};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_stream::wrappers::ReceiverStream;

use super::reason_of;
use crate::daemon::channel;

const CHUNK: usize = 256 << 10;
/// How long it waits for the last of it to be taken.
const STAYS: Duration = Duration::from_secs(1);

/// What came of them.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Of all that were sent, as far as the daemon took them.
    pub(super) bytes: u64,
    /// Refused because there were too many.
    pub(super) refused: u64,
    /// Refused for another reason.
    pub(super) errors: Vec<String>,
}

pub(super) async fn run(socket: &Path, count: usize, mib: usize) -> Result<Taken> {
    let mut uploads = JoinSet::new();
    for number in 0..count {
        let channel = channel(socket)?;
        uploads.spawn(async move {
            let (parts, stream) = mpsc::channel(1);
            let mut client = MarketDataClient::new(channel);
            let mut call = tokio::spawn(async move { client.import(ReceiverStream::new(stream)).await.map(drop) });
            let sent = send(&parts, number, mib).await;
            // then it leaves as a client that dies
            let refused = tokio::time::timeout(STAYS, &mut call).await;
            call.abort();
            (sent, refused)
        });
    }
    let mut taken = Taken::default();
    while let Some(upload) = uploads.join_next().await {
        let (sent, refused) = upload?;
        taken.bytes += sent;
        match refused {
            Err(_) => {}
            Ok(Ok(Err(status))) if reason_of(&status) == "TOO_MANY_UPLOADS" => taken.refused += 1,
            Ok(other) => taken.errors.push(format!("{other:?}")),
        }
    }
    Ok(taken)
}

async fn send(parts: &mpsc::Sender<ImportRequest>, number: usize, mib: usize) -> u64 {
    let request_id = format!("endless-{number}-{:016x}", fastrand::u64(..));
    let file = ImportFile { label: format!("END{number}_1m.csv"), ..ImportFile::default() };
    let header = b"timestamp,open,high,low,close,volume\n".to_vec();
    let first = [Part::Start(ImportStart { request_id }), Part::File(file), Part::Data(header)];
    for part in first {
        if parts.send(ImportRequest { part: Some(part) }).await.is_err() {
            return 0;
        }
    }
    let (mut sent, mut minute) = (0, 0);
    while sent < (mib << 20) as u64 {
        let data = rows(&mut minute);
        let length = data.len() as u64;
        // the daemon has refused it
        if parts.send(ImportRequest { part: Some(Part::Data(data)) }).await.is_err() {
            break;
        }
        sent += length;
    }
    sent
}

/// The next of them; each is a minute later.
fn rows(minute: &mut i64) -> Vec<u8> {
    let mut text = String::with_capacity(CHUNK + 64);
    while text.len() < CHUNK {
        let at = jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(*minute);
        // writing into a string cannot fail
        writeln!(text, "{at},1.5,2.5,1,2,100").unwrap_or_default();
        *minute += 1;
    }
    text.into_bytes()
}
