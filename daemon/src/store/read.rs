//! Reading partitions: checked against the ledger, decoded from memory, panics contained.

use std::{
    collections::HashMap,
    io,
    os::unix::fs::MetadataExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;

use super::{Checksum, Store, StoreError, parquet};
use crate::model::{Bars, SeriesKey};

/// The verified bytes of one year; `None` when there is no such partition.
pub(super) fn bytes(store: &Store, key: &SeriesKey, year: i16) -> Result<Option<(Bytes, u64)>, StoreError> {
    let Some(series) = store.entry(key) else {
        return Ok(None);
    };
    let path = store.layout.partition(key, year);
    let damaged = |why: String| StoreError::Damaged { key: key.clone(), year, why };
    // no rename may fall between the look at the catalog and the read
    let (bytes, recorded) = {
        let _files = series.files.read().unwrap_or_else(PoisonError::into_inner);
        let state = series.state();
        let Some(recorded) = state.partitions.get(&year).copied() else {
            return Ok(None);
        };
        let bytes = std::fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => damaged("its file is missing".into()),
            _ => StoreError::Io { path: path.clone(), source: error },
        })?;
        (bytes, recorded)
    };
    let found = Checksum::of(&bytes);
    if found.length != recorded.checksum.length {
        return Err(damaged(format!("its file has {} bytes, {} were written", found.length, recorded.checksum.length)));
    }
    if found.crc != recorded.checksum.crc {
        return Err(damaged("its checksum differs from the one in the ledger".into()));
    }
    Ok(Some((bytes.into(), recorded.rows)))
}

/// The bars of one year; none when there is no such partition.
pub(super) fn year(store: &Store, key: &SeriesKey, year: i16) -> Result<Bars, StoreError> {
    let Some((bytes, rows)) = bytes(store, key, year)? else {
        return Ok(Bars::default());
    };
    let damaged = |why: String| StoreError::Damaged { key: key.clone(), year, why };
    let decoded = catch_unwind(AssertUnwindSafe(|| parquet::decode(bytes)));
    let bars = match decoded {
        Ok(Ok(bars)) => bars,
        Ok(Err(error)) => return Err(damaged(format!("it cannot be decoded: {error}"))),
        Err(_) => return Err(damaged("it cannot be decoded".into())),
    };
    if bars.len() as u64 == rows { Ok(bars) } else { Err(damaged(format!("it holds {} bars, not {rows}", bars.len()))) }
}

/// Files that were read and found right, as they were then.
pub(super) type Verified = Mutex<HashMap<PathBuf, Seen>>;

/// Changes whenever the bytes do, short of somebody forging times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    checksum: Checksum,
    inode: u64,
    changed: (i64, i64),
}

fn look(path: &Path, checksum: Checksum) -> Option<Seen> {
    let meta = std::fs::metadata(path).ok().filter(|meta| meta.len() == checksum.length)?;
    Some(Seen { checksum, inode: meta.ino(), changed: (meta.ctime(), meta.ctime_nsec()) })
}

/// Checks a partition, without reading it when it has not changed since it was read last.
pub(super) fn verify(store: &Store, key: &SeriesKey, year: i16) -> Result<(), StoreError> {
    let Some(recorded) = store.state(key).and_then(|state| state.checksum_of(year)) else {
        return Ok(());
    };
    let path = store.layout.partition(key, year);
    let seen = look(&path, recorded);
    let verified = || store.verified.lock().unwrap_or_else(PoisonError::into_inner);
    if seen.is_some() && verified().get(&path).copied() == seen {
        return Ok(());
    }
    bytes(store, key, year)?;
    if let Some(seen) = seen {
        verified().insert(path, seen);
    }
    Ok(())
}
