//! Files of bars that are made while they are sent: what was added is taken away as bytes, so that memory does not grow with
//! the file.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use super::{StoreError, arrow, parquet};
use crate::model::{Bars, Basis, SeriesKey};

/// What a file of bars can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// As in the dataset.
    Parquet,
    /// The file form of Arrow IPC, with the same columns and types.
    Arrow,
}

impl FileFormat {
    /// Bars that are added at once: readers skip by them, and they are held in memory.
    pub fn rows_at_once(self) -> usize {
        match self {
            Self::Parquet => 1_000_000,
            Self::Arrow => 65_536,
        }
    }

    /// An empty file of a series.
    pub fn begin(self, key: &SeriesKey, basis: Basis) -> Result<Box<dyn Growing>, StoreError> {
        Ok(match self {
            Self::Parquet => Box::new(parquet::Growing::new(key, basis).map_err(StoreError::encode)?),
            Self::Arrow => Box::new(arrow::Growing::new(key, basis).map_err(StoreError::encode)?),
        })
    }
}

/// A file in the making.
pub trait Growing: Send {
    /// Adds sorted bars; the bytes that there are now.
    fn add(&mut self, bars: &Bars) -> Result<Vec<u8>, StoreError>;

    /// The last bytes.
    fn finish(self: Box<Self>) -> Result<Vec<u8>, StoreError>;
}

/// What was written and not taken yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken(Arc<Mutex<Vec<u8>>>);

impl Taken {
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Taken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
