//! A part of an answer on its way to a reader.

use std::{ops::Range, sync::Arc};

use crate::{
    model::{Bar, Bars},
    store::Room,
};

/// Some rows of bars that others may be reading, too.
#[derive(Debug)]
pub struct Chunk {
    /// All that were read.
    pub bars: Arc<Bars>,
    /// Which of them it is.
    pub rows: Range<usize>,
    /// All of them are held for as long as this is.
    _room: Option<Arc<Room>>,
}

impl Chunk {
    pub(super) fn new(bars: Arc<Bars>, rows: Range<usize>, room: Option<Arc<Room>>) -> Self {
        Self { bars, rows, _room: room }
    }

    /// Its bars.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Bar> + '_ {
        self.rows.clone().map(|row| self.bars.at(row))
    }
}
