//! Stored bars as one file, made while it is sent: memory does not grow with the series.

use tokio::sync::mpsc;

use super::{Header, MarketDataError, Rows};
use crate::{
    model::Bars,
    store::{Growing, StoreError},
};

/// Rows of a row group: readers skip by it, and it is what is held in memory.
const GROUP_ROWS: usize = 1_000_000;
/// Bytes of one message.
const PIECE_BYTES: usize = 256 << 10;

/// Pieces of a file, in order. Dropping it ends the work.
pub type Pieces = mpsc::Receiver<Result<Vec<u8>, MarketDataError>>;

/// A Parquet file of the rows of a query, with the columns and types of the store.
pub fn parquet(header: &Header, mut rows: Rows) -> Result<Pieces, MarketDataError> {
    let file = Growing::new(&header.key, header.basis).map_err(StoreError::Encode)?;
    let (pieces, receiver) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = write(file, &mut rows, &pieces) {
            drop(pieces.blocking_send(Err(error)));
        }
    });
    Ok(receiver)
}

fn write(
    mut file: Growing,
    rows: &mut Rows,
    pieces: &mpsc::Sender<Result<Vec<u8>, MarketDataError>>,
) -> Result<(), MarketDataError> {
    let mut group = Bars::default();
    while let Some(more) = rows.blocking_recv() {
        more?.iter().for_each(|bar| group.push(bar));
        if group.len() >= GROUP_ROWS
            && !send(&file.add(&std::mem::take(&mut group)).map_err(StoreError::Encode)?, pieces)
        {
            return Ok(()); // nobody wants it any more
        }
    }
    if !group.is_empty() && !send(&file.add(&group).map_err(StoreError::Encode)?, pieces) {
        return Ok(());
    }
    send(&file.finish().map_err(StoreError::Encode)?, pieces);
    Ok(())
}

/// Whether somebody still listens.
fn send(bytes: &[u8], pieces: &mpsc::Sender<Result<Vec<u8>, MarketDataError>>) -> bool {
    bytes.chunks(PIECE_BYTES).all(|piece| pieces.blocking_send(Ok(piece.to_vec())).is_ok())
}
