//! The bytes of an import, from the files to the call. Reading blocks, which is all this thread has to do.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use ktrdr_proto::{
    reason,
    v1::{ImportFile, ImportRequest, import_request::Part},
};
use tokio::sync::mpsc;

use crate::{client::Client, failure::Failure, output::progress::Progress};

const PIECE_BYTES: usize = 256 << 10;

/// Files that could be opened a moment ago.
pub(super) struct Files {
    files: Vec<(PathBuf, ImportFile)>,
    bytes: u64,
}

impl Files {
    /// Looks at every file before anything is sent.
    pub(super) fn verify(paths: &[PathBuf], announce: impl Fn(String) -> ImportFile) -> Result<Self, Failure> {
        let mut bytes = 0;
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            bytes += length(path).map_err(|error| unreadable(path, &error))?;
            files.push((path.clone(), announce(path.to_string_lossy().into_owned())));
        }
        Ok(Self { files, bytes })
    }

    /// How many there are in all.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sends everything. When a file fails, the sender is kept until the caller has dropped its call, so that the
    /// stream is reset and not ended.
    pub(super) async fn send(
        self,
        start: ImportRequest,
        pieces: mpsc::Sender<ImportRequest>,
        client: Client,
        progress: Progress,
    ) -> Result<(), Failure> {
        let sent = self.send_all(start, &pieces, &client, &progress).await;
        if sent.is_err() {
            let until_dropped = pieces.clone();
            tokio::spawn(async move { until_dropped.closed().await });
        }
        sent
    }

    async fn send_all(
        self,
        start: ImportRequest,
        pieces: &mpsc::Sender<ImportRequest>,
        client: &Client,
        progress: &Progress,
    ) -> Result<(), Failure> {
        push(pieces, client, start).await?;
        for (path, announcement) in self.files {
            let label = announcement.label.clone();
            push(pieces, client, ImportRequest { part: Some(Part::File(announcement)) }).await?;
            let mut file = File::open(&path).map_err(|error| unreadable(&path, &error))?;
            loop {
                let piece = next_piece(&mut file).map_err(|error| unreadable(&path, &error))?;
                if piece.is_empty() {
                    break;
                }
                progress.sent(piece.len(), &label);
                push(pieces, client, ImportRequest { part: Some(Part::Data(piece)) }).await?;
            }
        }
        Ok(())
    }
}

/// Waits until the daemon takes it, for as long as one answer may take. When the call is over, its answer tells why.
async fn push(pieces: &mpsc::Sender<ImportRequest>, client: &Client, piece: ImportRequest) -> Result<(), Failure> {
    match tokio::time::timeout(client.limit(), pieces.send(piece)).await {
        Ok(_) => Ok(()),
        Err(_) => Err(client.timed_out()),
    }
}

fn next_piece(file: &mut File) -> io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    file.take(PIECE_BYTES as u64).read_to_end(&mut piece)?;
    Ok(piece)
}

/// The size of a file that can be read.
fn length(path: &Path) -> io::Result<u64> {
    let about = path.metadata()?;
    if about.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if about.is_file() {
        // Opening a pipe would wait for its writer; a plain file tells at once whether we may.
        File::open(path)?;
    }
    Ok(about.len())
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(&reason::FILE_UNREADABLE, format!("cannot read {}", path.display())).caused_by(error)
}

/// The task that sends came to no end, which only a defect can do.
pub(super) fn broken(error: &tokio::task::JoinError) -> Failure {
    Failure::new(&reason::INTERNAL, "the upload broke off").caused_by(error)
}
