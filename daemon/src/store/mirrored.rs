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
        Arc, Mutex, MutexGuard, PoisonError,
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
    /// The bytes that it was told to hold.
    pub held: Option<Checksum>,
    /// The bytes that were sent last, if nobody knows whether they arrived.
    pub sent: Option<Checksum>,
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
    fn uploads(&self) -> MutexGuard<'_, BTreeMap<(SeriesKey, i16), UploadRow>> {
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
                let row = UploadRow { year, held: Some((checksum, version)), sent: None, gone: false };
                uploads::put(ledger, id, &row)?;
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
        let uploads = self.mirrored.uploads();
        // what was removed on purpose; a file whose row the ledger has lost is not
        let removed = uploads.iter().filter(|(_, row)| row.gone).map(|(at, _)| (at.clone(), None));
        let mut all: BTreeMap<_, _> = removed.collect();
        for (key, state) in self.list() {
            all.extend(state.partitions.values().map(|file| ((key.clone(), file.year), Some(file.checksum))));
        }
        all.into_iter()
            .filter_map(|((key, year), wanted)| {
                let row = uploads.get(&(key.clone(), year));
                let (held, version) = row.and_then(|row| row.held.clone()).unzip();
                let sent = row.and_then(|row| row.sent);
                let differs = held != wanted || wanted.is_none();
                differs.then_some(Difference { key, year, version, held, sent, wanted })
            })
            .collect()
    }

    /// What the bucket holds, as far as we know: whose file, of which year, and which version of it.
    pub fn uploaded(&self) -> Vec<(SeriesKey, i16, String)> {
        let uploads = self.mirrored.uploads();
        let held = uploads.iter().filter_map(|(at, row)| Some((at, row.held.as_ref()?)));
        held.map(|((key, year), (_, version))| (key.clone(), *year, version.clone())).collect()
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

    /// These bytes are about to leave for the bucket. Blocks.
    pub fn note_sent(&self, key: &SeriesKey, year: i16, sent: Checksum) -> Result<(), StoreError> {
        let held = self.mirrored.uploads().get(&(key.clone(), year)).and_then(|row| row.held.clone());
        self.put_upload_row(key, UploadRow { year, held, sent: Some(sent), gone: false })
    }

    /// The bucket holds these bytes now, under that version. Blocks.
    pub fn put_upload(&self, key: &SeriesKey, year: i16, held: (Checksum, String)) -> Result<(), StoreError> {
        self.put_upload_row(key, UploadRow { year, held: Some(held), sent: None, gone: false })
    }

    fn put_upload_row(&self, key: &SeriesKey, mut row: UploadRow) -> Result<(), StoreError> {
        // who removes the file meanwhile has the last word
        row.gone = self.mirrored.uploads().get(&(key.clone(), row.year)).is_some_and(|before| before.gone);
        let (name, noted) = (key.clone(), row.clone());
        let known = self.ledger.call_blocking(move |ledger| {
            let id = series::id(ledger, &name)?;
            id.map_or(Ok(()), |id| uploads::put(ledger, id, &noted)).map(|()| id.is_some())
        })?;
        if known {
            self.mirrored.uploads().insert((key.clone(), row.year), row);
        }
        Ok(())
    }

    /// The bucket holds nothing of it. Blocks.
    pub fn forget_upload(&self, key: &SeriesKey, year: i16) -> Result<(), StoreError> {
        let name = key.clone();
        self.ledger.call_blocking(move |ledger| match series::id(ledger, &name)? {
            Some(id) => uploads::forget(ledger, id, year),
            None => Ok(()),
        })?;
        self.mirrored.uploads().remove(&(key.clone(), year));
        Ok(())
    }

    /// What a commit has done to a file, in memory; the ledger has it from the commit itself.
    pub(super) fn mark_upload(&self, key: &SeriesKey, year: i16, gone: bool) {
        if let Some(row) = self.mirrored.uploads().get_mut(&(key.clone(), year)) {
            row.gone = gone;
        }
    }

    /// The bytes of a file of the dataset that is not in the folder; `None` without a bucket. Takes as long as the bucket does, so no
    /// lock may be held. Blocks.
    pub(super) fn download(&self, key: &SeriesKey, recorded: &PartitionRow) -> Result<Option<Bytes>, StoreError> {
        let Some(remote) = &self.mirrored.remote else { return Ok(None) };
        let name = self.layout.name(key, recorded.year);
        let failed = |source: Box<dyn Error + Send + Sync>| StoreError::Remote { name: name.clone(), source };
        let Some(bytes) = remote.fetch(&name).map_err(failed)? else { return Ok(None) };
        if Checksum::of(&bytes) == recorded.checksum {
            return Ok(Some(bytes));
        }
        Err(failed("it has another version of the file than the ledger knows".into()))
    }

    /// Puts what was downloaded into its place. The caller sees to it that no commit does the same. Blocks.
    pub(super) fn put_back(&self, key: &SeriesKey, year: i16, bytes: &Bytes) -> Result<File, StoreError> {
        // two readers may fetch the same, and a writer stages its own
        let number = self.mirrored.fetches.fetch_add(1, Ordering::Relaxed);
        let staged = format!("{}.fetched.{number}", staging::staged_name(key, year));
        let path = self.layout.partition(key, year);
        Staged::write(&self.layout, &staged, bytes)?.publish(&self.layout, &path, false)?;
        tracing::debug!(series = %key, year, "fetched a file from the bucket");
        File::open(&path).map_err(|error| StoreError::io(&path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Bar, Session, Symbol, Timeframe, WhatToShow},
        store::{Aside, Commit, Layout, year_start},
    };

    /// A bucket that has what it was given.
    #[derive(Debug, Default)]
    struct Memory(Mutex<BTreeMap<String, Bytes>>);

    impl Remote for Memory {
        fn fetch(&self, name: &str) -> Result<Option<Bytes>, Box<dyn Error + Send + Sync>> {
            Ok(self.0.lock().unwrap().get(name).cloned())
        }
    }

    fn key() -> SeriesKey {
        SeriesKey { symbol: Symbol::parse("AAPL").unwrap(), timeframe: Timeframe::Days1 }
    }

    fn commit(close: Option<f64>) -> Commit {
        let bar = |close| Bar { start: year_start(2024), open: 1.0, high: 9.0, low: 1.0, close, volume: None };
        Commit {
            basis: Basis { session: Session::AllHours, what: WhatToShow::Trades },
            source: Source::Gateway,
            assumed: false,
            years: vec![(2024, close.map(bar).into_iter().collect())],
            cover: Vec::new(),
            uncover: Vec::new(),
            aside: Aside::Gone,
            revisions: Vec::new(),
            import: None,
            as_of: 0,
        }
    }

    #[test]
    fn an_object_goes_only_when_its_file_was_removed_on_purpose() {
        let folder = tempfile::tempdir().unwrap();
        let open =
            || Store::open(Layout::new(folder.path().to_path_buf())).unwrap().mirrored(Arc::new(Memory::default()));
        let store = open().unwrap();
        store.commit(&key(), commit(Some(2.0))).unwrap();
        let wanted = store.differences()[0].wanted.unwrap();
        store.put_upload(&key(), 2024, (wanted, "v1".into())).unwrap();
        assert_eq!(store.differences(), []);

        // the row of the file is lost, as a broken seal loses it
        store.ledger.call_blocking(|ledger| ledger.execute("DELETE FROM partition", []).map(drop)).unwrap();
        drop(store);
        let store = open().unwrap();
        assert_eq!((store.differences(), store.uploaded().len()), (vec![], 1), "the bucket keeps it");

        store.commit(&key(), commit(Some(3.0))).unwrap();
        let changed = &store.differences()[0];
        assert_eq!((changed.version.as_deref(), changed.held), (Some("v1"), Some(wanted)));
        store.note_sent(&key(), 2024, changed.wanted.unwrap()).unwrap();
        store.commit(&key(), commit(None)).unwrap();
        drop(store);
        let store = open().unwrap();
        let removed = &store.differences()[0];
        assert_eq!((removed.wanted, removed.held, removed.sent), (None, Some(wanted), changed.wanted));
        store.forget_upload(&key(), 2024).unwrap();
        assert_eq!(store.differences(), []);
    }

    #[test]
    fn a_file_that_only_the_bucket_has_is_read_and_another_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Arc::new(Memory::default());
        let store = Store::open(Layout::new(folder.path().to_path_buf())).unwrap().mirrored(memory.clone()).unwrap();
        store.commit(&key(), commit(Some(2.0))).unwrap();
        let (path, name) = (store.layout.partition(&key(), 2024), store.name_of(&key(), 2024));
        let bytes: Bytes = std::fs::read(&path).unwrap().into();
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(store.read_year(&key(), 2024), Err(StoreError::Damaged { .. })), "nobody has it");

        memory.0.lock().unwrap().insert(name.clone(), Bytes::from_static(b"another version"));
        assert!(matches!(store.read_year(&key(), 2024), Err(StoreError::Remote { .. })));
        assert!(!path.exists());
        memory.0.lock().unwrap().insert(name, bytes);
        assert_eq!(store.read_year(&key(), 2024).unwrap().len(), 1);
        assert!(path.exists() && store.fetches() == 1);
    }
}
