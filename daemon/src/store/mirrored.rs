//! A dataset that is in a bucket as well: what there differs from the folder, and files that only the bucket has.
//!
//! Bars go up as whole files after the local commit, so the folder is the truth and the bucket follows it. A file that is missing
//! in the folder is fetched when somebody reads it; one that is damaged is told as ever. How a bucket is spoken to is not
//! known here.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt,
    fs::File,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use tokio::sync::Notify;

use super::{
    Checksum, SeriesState, Store, StoreError,
    files::Staged,
    ledger::{
        PartitionRow,
        series::{self, Files},
        uploads::{self, UploadRow},
    },
    mend, parquet, read, staging,
};
use crate::model::{Basis, Nanos, SeriesKey, Source};

/// Where files of the dataset can be had that are not in the folder.
pub trait Remote: fmt::Debug + Send + Sync {
    /// All of a file; `None`: there is none of that name. Blocks.
    fn fetch(&self, name: &str) -> Result<Option<Bytes>, Box<dyn Error + Send + Sync>>;
}

/// One file of the dataset, and everything that the ledger says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its series.
    pub key: SeriesKey,
    /// Its year.
    pub year: i16,
    /// Session and prices.
    pub basis: Basis,
    /// Where the bars of the series came from.
    pub source: Source,
    /// The basis was inferred.
    pub assumed: bool,
    /// Its bytes.
    pub checksum: Checksum,
    /// Its bars.
    pub rows: u64,
    /// Start of its first bar.
    pub first: Nanos,
    /// Start of its last bar.
    pub last: Nanos,
}

impl Part {
    /// What a file says of itself; `None`: it cannot be read. Its bars came from nobody knows where.
    pub fn of(key: SeriesKey, year: i16, bytes: &Bytes) -> Option<Self> {
        let (basis, row) = (parquet::basis_of(bytes)?, mend::row_of(bytes, year)?);
        let PartitionRow { year, checksum, rows, first, last } = row;
        Some(Self { key, year, basis, source: Source::Mixed, assumed: true, checksum, rows, first, last })
    }
}

/// A file that differs in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its series.
    pub key: SeriesKey,
    /// Its year.
    pub year: i16,
    /// What the bucket calls its version of it; `None`: it has none, as far as we know.
    pub version: Option<String>,
    /// The bytes that it held.
    pub held: Option<Checksum>,
    /// The bytes that it should hold; `None`: none.
    pub wanted: Option<Checksum>,
}

/// Of a store with a bucket.
#[derive(Debug, Default)]
pub(super) struct Mirrored {
    remote: Option<Arc<dyn Remote>>,
    uploads: Mutex<BTreeMap<(SeriesKey, i16), UploadRow>>,
    changed: Notify,
    fetches: AtomicU64,
}

impl Mirrored {
    fn uploads(&self) -> std::sync::MutexGuard<'_, BTreeMap<(SeriesKey, i16), UploadRow>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// With a bucket that holds, or will hold, the same dataset. Blocks.
    pub fn mirrored(self, remote: Arc<dyn Remote>) -> Result<Self, StoreError> {
        let mirrored = Mirrored { remote: Some(remote), ..Mirrored::default() };
        let mut store = self;
        store.mirrored = Arc::new(mirrored);
        store.load_uploads()?;
        Ok(store)
    }

    fn load_uploads(&self) -> Result<(), StoreError> {
        let (keys, rows) = self.ledger.call_blocking(|ledger| Ok((series::all(ledger)?, uploads::all(ledger)?)))?;
        let keys: BTreeMap<i64, SeriesKey> = keys.into_iter().map(|row| (row.id, row.key)).collect();
        let known = rows.into_iter().filter_map(|(id, row)| Some(((keys.get(&id)?.clone(), row.year), row)));
        *self.mirrored.uploads() = known.collect();
        Ok(())
    }

    /// The bucket that the ledger knows. Blocks.
    pub fn bucket(&self) -> Result<Option<String>, StoreError> {
        self.ledger.call_blocking(|ledger| uploads::address(ledger))
    }

    /// A bucket is met for the first time: what only it has is taken in, and what both have the same needs no upload. All or
    /// nothing; the number of files taken in. Nothing else may use the store yet. Blocks.
    pub fn link(&self, address: &str, found: Vec<(Part, String)>) -> Result<usize, StoreError> {
        let address = address.to_owned();
        let taken = self.ledger.call_blocking(move |ledger| {
            uploads::link(ledger, &address)?;
            let mut series: BTreeMap<_, _> =
                series::all(ledger)?.into_iter().map(|row| (row.key.clone(), (row.id, row.basis))).collect();
            let files = series::files(ledger, Files::Partition)?;
            let files: BTreeMap<_, _> = files.into_iter().map(|(id, file)| ((id, file.year), file.checksum)).collect();
            let mut taken = 0;
            for (part, version) in found {
                let (id, basis) = match series.get(&part.key) {
                    Some(known) => *known,
                    None => (series::upsert(ledger, &part.key, part.basis, part.source, part.assumed)?, part.basis),
                };
                series.insert(part.key.clone(), (id, basis));
                let Part { year, checksum, rows, first, last, .. } = part;
                match files.get(&(id, year)) {
                    // somebody else's: the upload will find it, and be told
                    Some(own) if *own != checksum => continue,
                    Some(_) => {}
                    None if basis != part.basis => {
                        tracing::warn!(series = %part.key, year, "the bucket has bars of another session or kind");
                        continue;
                    }
                    None => {
                        series::put_file(
                            ledger,
                            Files::Partition,
                            id,
                            &PartitionRow { year, checksum, rows, first, last },
                        )?;
                        taken += 1;
                    }
                }
                uploads::put(ledger, id, &UploadRow { year, checksum, version })?;
            }
            Ok(taken)
        })?;
        self.load_catalog()?;
        self.load_uploads()?;
        Ok(taken)
    }

    /// What differs in the bucket, by series and year; nothing without a bucket.
    pub fn differences(&self) -> Vec<Difference> {
        if self.mirrored.remote.is_none() {
            return Vec::new();
        }
        let mut wanted: BTreeMap<(SeriesKey, i16), Checksum> = BTreeMap::new();
        for (key, state) in self.list() {
            wanted.extend(state.partitions.values().map(|file| ((key.clone(), file.year), file.checksum)));
        }
        let uploads = self.mirrored.uploads();
        let gone = uploads.keys().filter(|at| !wanted.contains_key(at)).map(|at| (at.clone(), None));
        let all: BTreeMap<_, _> = gone.chain(wanted.iter().map(|(at, sum)| (at.clone(), Some(*sum)))).collect();
        all.into_iter()
            .filter_map(|((key, year), wanted)| {
                let row = uploads.get(&(key.clone(), year));
                let (held, version) = (row.map(|row| row.checksum), row.map(|row| row.version.clone()));
                (held != wanted).then_some(Difference { key, year, version, held, wanted })
            })
            .collect()
    }

    /// What the bucket holds, as far as we know: whose file, of which year, and which version of it.
    pub fn uploaded(&self) -> Vec<(SeriesKey, i16, String)> {
        let uploads = self.mirrored.uploads();
        uploads.iter().map(|((key, year), row)| (key.clone(), *year, row.version.clone())).collect()
    }

    /// Waits until something may differ.
    pub async fn changed(&self) {
        self.mirrored.changed.notified().await;
    }

    pub(super) fn notice_change(&self) {
        self.mirrored.changed.notify_one();
    }

    /// Files that were fetched since the start.
    pub fn fetches(&self) -> u64 {
        self.mirrored.fetches.load(Ordering::Relaxed)
    }

    /// What a file is called, in the folder and in the bucket.
    pub fn name_of(&self, key: &SeriesKey, year: i16) -> String {
        self.layout.name(key, year)
    }

    /// A file as it is now, checked; `None`: there is none. Blocks.
    pub fn part(&self, key: &SeriesKey, year: i16) -> Result<Option<(Part, Bytes)>, StoreError> {
        let Some(opened) = read::open_year(self, key, year)? else { return Ok(None) };
        let (Some(state), row) = (self.state(key), opened.recorded()) else { return Ok(None) };
        let PartitionRow { year, checksum, rows, first, last } = row;
        let SeriesState { basis, source, assumed, .. } = *state;
        let part = Part { key: key.clone(), year, basis, source, assumed, checksum, rows, first, last };
        Ok(Some((part, opened.bytes()?)))
    }

    /// The bucket holds these bytes now, under that version; `None`: it holds none. Blocks.
    pub fn put_upload(&self, key: &SeriesKey, year: i16, now: Option<(Checksum, String)>) -> Result<(), StoreError> {
        let row = now.map(|(checksum, version)| UploadRow { year, checksum, version });
        let (name, noted) = (key.clone(), row.clone());
        self.ledger.call_blocking(move |ledger| match (series::id(ledger, &name)?, noted) {
            (Some(id), Some(row)) => uploads::put(ledger, id, &row),
            (Some(id), None) => uploads::forget(ledger, id, year),
            (None, _) => Ok(()),
        })?;
        let mut uploads = self.mirrored.uploads();
        match row {
            Some(row) => uploads.insert((key.clone(), year), row),
            None => uploads.remove(&(key.clone(), year)),
        };
        Ok(())
    }

    /// Brings a file of the dataset back that is not in the folder; `None`: the bucket does not have it as it was. Blocks.
    pub(super) fn fetch(&self, key: &SeriesKey, recorded: &PartitionRow) -> Result<Option<File>, StoreError> {
        let Some(remote) = &self.mirrored.remote else { return Ok(None) };
        let name = self.layout.name(key, recorded.year);
        let fetched = remote.fetch(&name).map_err(|source| StoreError::Remote { name, source })?;
        let Some(bytes) = fetched.filter(|bytes| Checksum::of(bytes) == recorded.checksum) else { return Ok(None) };
        // two readers may fetch the same, and a writer stages its own
        let number = self.mirrored.fetches.fetch_add(1, Ordering::Relaxed);
        let staged = format!("{}.fetched.{number}", staging::staged_name(key, recorded.year));
        let path = self.layout.partition(key, recorded.year);
        Staged::write(&self.layout, &staged, &bytes)?.publish(&self.layout, &path, false)?;
        tracing::debug!(series = %key, year = recorded.year, "fetched a file from the bucket");
        File::open(&path).map(Some).map_err(|error| StoreError::io(&path, error))
    }
}
