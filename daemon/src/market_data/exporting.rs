//! Stored bars as one file, made while it is sent: memory does not grow with the series.

use tokio::sync::mpsc;

use super::{Header, MarketDataError, Rows};
use crate::{
    model::Bars,
    store::{FileFormat, Growing},
};

/// Bytes of one message.
const PIECE_BYTES: usize = 256 << 10;

/// Pieces of a file, in order. Dropping it ends the work.
pub type Pieces = mpsc::Receiver<Result<Vec<u8>, MarketDataError>>;

/// A file of the rows of a query, with the columns and types of the store.
pub fn file(format: FileFormat, header: &Header, mut rows: Rows) -> Result<Pieces, MarketDataError> {
    let file = format.begin(&header.key, header.basis)?;
    let (pieces, receiver) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = write(file, format.rows_at_once(), &mut rows, &pieces) {
            drop(pieces.blocking_send(Err(error)));
        }
    });
    Ok(receiver)
}

fn write(
    mut file: Box<dyn Growing>,
    at_once: usize,
    rows: &mut Rows,
    pieces: &mpsc::Sender<Result<Vec<u8>, MarketDataError>>,
) -> Result<(), MarketDataError> {
    let mut group = Bars::default();
    while let Some(more) = rows.blocking_recv() {
        more?.iter().for_each(|bar| group.push(bar));
        if group.len() >= at_once && !send(&file.add(&std::mem::take(&mut group))?, pieces) {
            return Ok(()); // nobody wants it any more
        }
    }
    if !group.is_empty() && !send(&file.add(&group)?, pieces) {
        return Ok(());
    }
    send(&file.finish()?, pieces);
    Ok(())
}

/// Whether somebody still listens.
fn send(bytes: &[u8], pieces: &mpsc::Sender<Result<Vec<u8>, MarketDataError>>) -> bool {
    bytes.chunks(PIECE_BYTES).all(|piece| pieces.blocking_send(Ok(piece.to_vec())).is_ok())
}
