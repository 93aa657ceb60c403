//! Stored bars as one file, made while it is sent: memory does not grow with the series.

use tokio::sync::mpsc;

use super::{Chunk, Header, MarketDataError, Rows};
use crate::{
    model::Bars,
    store::{FileFormat, Growing},
};

/// Bytes of one message.
const PIECE_BYTES: usize = 256 << 10;

/// Pieces of a file, in order. Dropping it ends the work.
pub type Pieces = mpsc::Receiver<Result<Vec<u8>, MarketDataError>>;

/// A file of the rows of a query, with the columns and types of the store. No thread waits for whoever takes it.
pub fn file(format: FileFormat, header: &Header, mut rows: Rows) -> Result<Pieces, MarketDataError> {
    let file = format.begin(&header.key, header.basis)?;
    let (pieces, receiver) = mpsc::channel(2);
    tokio::spawn(async move {
        if let Err(error) = write(file, format.rows_at_once(), &mut rows, &pieces).await {
            // who has gone need not be told
            pieces.send(Err(error)).await.unwrap_or_default();
        }
    });
    Ok(receiver)
}

async fn write(
    mut file: Box<dyn Growing>,
    at_once: usize,
    rows: &mut Rows,
    pieces: &mpsc::Sender<Result<Vec<u8>, MarketDataError>>,
) -> Result<(), MarketDataError> {
    let mut group = Bars::default();
    loop {
        let more = rows.recv().await.transpose()?;
        let is_last = more.is_none();
        more.iter().flat_map(Chunk::iter).for_each(|bar| group.push(bar));
        if group.len() >= at_once || (is_last && !group.is_empty()) {
            let (grown, bytes) = added(file, std::mem::take(&mut group)).await?;
            file = grown;
            if !send(&bytes, pieces).await {
                return Ok(()); // nobody wants it any more
            }
        }
        if is_last {
            send(&file.finish()?, pieces).await;
            return Ok(());
        }
    }
}

/// Encodes off the runtime.
async fn added(mut file: Box<dyn Growing>, bars: Bars) -> Result<(Box<dyn Growing>, Vec<u8>), MarketDataError> {
    let adding = tokio::task::spawn_blocking(move || file.add(&bars).map(|bytes| (file, bytes)));
    Ok(adding.await.map_err(|_| MarketDataError::Defect)??)
}

/// Whether somebody still listens.
async fn send(bytes: &[u8], pieces: &mpsc::Sender<Result<Vec<u8>, MarketDataError>>) -> bool {
    for piece in bytes.chunks(PIECE_BYTES) {
        if pieces.send(Ok(piece.to_vec())).await.is_err() {
            return false;
        }
    }
    true
}
