//! Reading partitions: checked against the ledger, decoded from memory.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek},
    ops::Range,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ::parquet::errors::ParquetError;
use bytes::Bytes;

use super::{
    Checksum, SeriesState, Store, StoreError,
    cache::{Cache, Found},
    ledger::PartitionRow,
    parquet,
};
use crate::model::{Bars, Nanos, SeriesKey, TimeRange};

/// One partition, opened: it stays what it is while a load replaces the file of that name.
#[derive(Debug)]
pub struct Opened {
    key: SeriesKey,
    recorded: PartitionRow,
    /// Absent when there is none under that name.
    file: Option<File>,
    path: PathBuf,
    cache: Arc<Cache>,
}

/// A series, and those of its years that were asked for.
pub type OpenedSeries = (Arc<SeriesState>, Vec<Opened>);

/// Starts of the first bar and the last; absent when there are none.
pub type Ends = Option<(Nanos, Nanos)>;

impl Opened {
    /// Its year.
    pub fn year(&self) -> i16 {
        self.recorded.year
    }

    /// Its rows, its first bar and its last.
    pub fn facts(&self) -> (u64, Nanos, Nanos) {
        (self.recorded.rows, self.recorded.first, self.recorded.last)
    }

    /// Its bars, checked against the ledger. Blocks.
    pub fn bars(&self) -> Result<Bars, StoreError> {
        self.decoded(None)
    }

    /// Some of its rows, and where they are in what is returned: all of a year that is asked for again and again, or only these.
    /// The file is checked as a whole when it is read. Blocks.
    pub fn rows(&self, rows: Range<usize>) -> Result<(Arc<Bars>, Range<usize>), StoreError> {
        let (cache, key) = (&self.cache, &self.key);
        let (year, checksum) = (self.recorded.year, self.recorded.checksum);
        match cache.find(key, year, checksum) {
            Found::Here(bars) => Ok((bars, rows)),
            Found::Wanted => {
                let bars = Arc::new(self.bars()?);
                cache.put(key, year, checksum, &bars);
                Ok((bars, rows))
            }
            Found::NotYet => {
                let bars = Arc::new(self.decoded(Some(&rows))?);
                let all = 0..bars.len();
                Ok((bars, all))
            }
        }
    }

    /// Where the bars of a range are among its rows, and the first of them and the last. Blocks.
    pub fn rows_in(&self, range: &TimeRange) -> Result<(Range<usize>, Ends), StoreError> {
        let found = |bars: &Bars| {
            let rows = bars.rows_in(range);
            let starts = &bars.start[rows.clone()];
            (rows, starts.first().copied().zip(starts.last().copied()))
        };
        if let Some(bars) = self.cache.peek(&self.key, self.recorded.year, self.recorded.checksum) {
            return Ok(found(&bars));
        }
        let bytes = self.bytes()?;
        let starts = self.told(parquet::decode_starts(bytes))?;
        if starts.len() as u64 != self.recorded.rows {
            return Err(self.damaged(format!("it holds {} bars, not {}", starts.len(), self.recorded.rows)));
        }
        Ok(found(&Bars { start: starts, ..Bars::default() }))
    }

    fn damaged(&self, why: String) -> StoreError {
        StoreError::Damaged { key: self.key.clone(), year: self.recorded.year, why }
    }

    fn told<T>(&self, decoded: Result<T, ParquetError>) -> Result<T, StoreError> {
        decoded.map_err(|error| self.damaged(format!("it cannot be decoded: {error}")))
    }

    fn decoded(&self, rows: Option<&Range<usize>>) -> Result<Bars, StoreError> {
        let bytes = self.bytes()?;
        let expected = rows.map_or(self.recorded.rows, |rows| rows.len() as u64);
        let bars = self.told(match rows {
            None => parquet::decode(bytes),
            Some(rows) => parquet::decode_rows(bytes, rows),
        })?;
        if bars.len() as u64 == expected {
            Ok(bars)
        } else {
            Err(self.damaged(format!("it holds {} bars, not {expected}", bars.len())))
        }
    }

    pub(super) fn recorded(&self) -> PartitionRow {
        self.recorded
    }

    pub(super) fn bytes(&self) -> Result<Bytes, StoreError> {
        let Some(mut file) = self.file.as_ref() else { return Err(self.damaged("its file is missing".into())) };
        let (wanted, mut bytes) = (self.recorded.checksum, Vec::new());
        // one byte more than wanted tells a file that is too long, whatever its size
        let limit = wanted.length.saturating_add(1);
        // it may have been read before
        let whole = file.rewind().and_then(|()| (&mut file).take(limit).read_to_end(&mut bytes));
        whole.map_err(|source| StoreError::Io { path: self.path.clone(), source })?;
        let found = Checksum::of(&bytes);
        if found.length != wanted.length {
            return Err(self.damaged(format!("its file does not have the {} bytes that were written", wanted.length)));
        }
        if found.crc != wanted.crc {
            return Err(self.damaged("its checksum differs from the one in the ledger".into()));
        }
        Ok(bytes.into())
    }
}

/// Files that only the bucket has, brought here before a lock is taken.
type Downloads = HashMap<i16, Bytes>;

/// The partitions with bars in `range`, and what is known of the series, both as they are at one moment. `None`: no such series.
pub(super) fn open(store: &Store, key: &SeriesKey, range: &TimeRange) -> Result<Option<OpenedSeries>, StoreError> {
    let Some(series) = store.entry(key) else { return Ok(None) };
    let wanted: Vec<_> = series.state().files_in(range).copied().collect();
    let downloads = download(store, key, &wanted)?;
    // no rename may fall between the look at the catalog and the opening of a file
    let _files = series.files.read().unwrap_or_else(PoisonError::into_inner);
    let state = series.state();
    let recorded = state.files_in(range);
    let years = recorded.map(|recorded| open_one(store, key, *recorded, &downloads)).collect::<Result<_, _>>()?;
    Ok(Some((state, years)))
}

fn download(store: &Store, key: &SeriesKey, wanted: &[PartitionRow]) -> Result<Downloads, StoreError> {
    let mut downloads = Downloads::new();
    for recorded in wanted.iter().filter(|recorded| !store.layout.partition(key, recorded.year).exists()) {
        downloads.extend(store.download(key, recorded)?.map(|bytes| (recorded.year, bytes)));
    }
    Ok(downloads)
}

fn open_one(
    store: &Store,
    key: &SeriesKey,
    recorded: PartitionRow,
    downloads: &Downloads,
) -> Result<Opened, StoreError> {
    let path = store.layout.partition(key, recorded.year);
    let file = match File::open(&path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let bytes = downloads.get(&recorded.year).filter(|bytes| Checksum::of(bytes) == recorded.checksum);
            bytes.map(|bytes| store.put_back(key, recorded.year, bytes)).transpose()?
        }
        Err(source) => return Err(StoreError::Io { path, source }),
    };
    Ok(Opened { key: key.clone(), recorded, file, path, cache: store.cache.clone() })
}

/// The partition of one year; `None` when there is no such one.
pub(super) fn open_year(store: &Store, key: &SeriesKey, year: i16) -> Result<Option<Opened>, StoreError> {
    let Some(series) = store.entry(key) else { return Ok(None) };
    let wanted: Vec<_> = series.state().partitions.get(&year).copied().into_iter().collect();
    let downloads = download(store, key, &wanted)?;
    let _files = series.files.read().unwrap_or_else(PoisonError::into_inner);
    let recorded = series.state().partitions.get(&year).copied();
    recorded.map(|recorded| open_one(store, key, recorded, &downloads)).transpose()
}

/// The bars of one year; none when there is no such partition.
pub(super) fn year(store: &Store, key: &SeriesKey, year: i16) -> Result<Bars, StoreError> {
    open_year(store, key, year)?.map_or_else(|| Ok(Bars::default()), |opened| opened.bars())
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
    let Some(opened) = open_year(store, key, year)? else { return Ok(()) };
    opened.bytes()?;
    if let Some(seen) = seen {
        verified().insert(path, seen);
    }
    Ok(())
}
