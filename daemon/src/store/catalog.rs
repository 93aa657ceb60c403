//! What is stored, in memory: read from the ledger at the start, replaced after each commit. Questions about ranges and
//! counts are answered from here, without touching a file.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, PoisonError, RwLock},
};

use super::{
    CacheFacts, Checksum, Layout, StoreError,
    cache::Cache,
    files,
    ledger::{
        Ledger, PartitionRow,
        series::{self, Files},
        uploads,
    },
    mirrored::Mirrored,
    read::{self, Opened, OpenedSeries},
    turns::Turns,
    year_range,
};
use crate::model::{Basis, Coverage, Nanos, SeriesKey, Source, TimeRange};

/// A handle to the store; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) layout: Arc<Layout>,
    pub(super) ledger: Ledger,
    series: Arc<RwLock<BTreeMap<SeriesKey, Arc<Series>>>>,
    pub(super) verified: Arc<read::Verified>,
    pub(super) cache: Arc<Cache>,
    pub(super) mirrored: Arc<Mirrored>,
    pub(super) turns: Arc<Turns>,
}

/// One series: what is known of it, and the lock between a rename and a read of its files.
#[derive(Debug)]
pub(super) struct Series {
    /// Written while files are replaced, read while they are read into memory.
    pub(super) files: RwLock<()>,
    state: RwLock<Arc<SeriesState>>,
}

/// What is known of one series at one moment.
#[derive(Debug, Clone)]
pub struct SeriesState {
    /// Session and prices.
    pub basis: Basis,
    /// Where its bars came from.
    pub source: Source,
    /// Its basis was inferred from a file.
    pub assumed: bool,
    /// Its files, by year.
    pub(super) partitions: BTreeMap<i16, PartitionRow>,
    /// Which instants are known complete.
    pub coverage: Coverage,
}

impl SeriesState {
    /// Stored bars.
    pub fn bars(&self) -> u64 {
        self.partitions.values().map(|file| file.rows).sum()
    }

    /// Year, bars, bytes, and the starts of the first bar and the last, ascending.
    pub fn files(&self) -> impl Iterator<Item = (i16, u64, u64, (Nanos, Nanos))> {
        self.partitions.values().map(|file| (file.year, file.rows, file.checksum.length, (file.first, file.last)))
    }

    /// Stored bars of one year.
    pub fn bars_in(&self, year: i16) -> u64 {
        self.partitions.get(&year).map_or(0, |file| file.rows)
    }

    /// Size of its files.
    pub fn size_bytes(&self) -> u64 {
        self.partitions.values().map(|file| file.checksum.length).sum()
    }

    /// Start of the first stored bar.
    pub fn first(&self) -> Option<Nanos> {
        self.partitions.values().next().map(|file| file.first)
    }

    /// Start of the last stored bar.
    pub fn last(&self) -> Option<Nanos> {
        self.partitions.values().next_back().map(|file| file.last)
    }

    /// Both.
    pub fn ends(&self) -> Option<(Nanos, Nanos)> {
        self.first().zip(self.last())
    }

    /// A mark that is another one whenever its bars are, or what they are: a hash of what is recorded of its files. Never 0.
    pub fn revision(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.basis, self.source).hash(&mut hasher);
        for file in self.partitions.values() {
            (file.year, file.checksum).hash(&mut hasher);
        }
        hasher.finish().max(1)
    }

    pub(super) fn checksum_of(&self, year: i16) -> Option<Checksum> {
        self.partitions.get(&year).map(|file| file.checksum)
    }

    /// From the first bar of one year to its last.
    pub fn held_in(&self, year: i16) -> Option<TimeRange> {
        self.partitions.get(&year).and_then(|file| TimeRange::new(file.first, file.last.saturating_add(1)).ok())
    }

    pub(super) fn files_in(&self, range: &TimeRange) -> impl Iterator<Item = &PartitionRow> {
        self.partitions.values().filter(|file| file.first < range.end() && file.last >= range.start())
    }

    /// Years with bars in `range`, ascending.
    pub fn years_in(&self, range: &TimeRange) -> Vec<i16> {
        self.files_in(range).map(|file| file.year).collect()
    }
}

impl Series {
    pub(super) fn new(state: SeriesState) -> Self {
        Self { files: RwLock::new(()), state: RwLock::new(Arc::new(state)) }
    }

    pub(super) fn state(&self) -> Arc<SeriesState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn replace(&self, state: SeriesState) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }
}

impl Store {
    /// Opens or creates the data folder, clears what a crash left behind, and settles renames that may have happened.
    /// Reads the ledger, not the bars. Blocks.
    pub fn open(layout: Layout) -> Result<Self, StoreError> {
        for folder in [layout.bars(), layout.staging()] {
            files::create_folders(&folder).map_err(|error| StoreError::io(&folder, error))?;
        }
        files::clear_staging(&layout)?;
        let is_new = !layout.ledger().exists();
        let in_order = files::is_sealed(&layout.ledger(), &layout.ledger_seal());
        let ledger = Ledger::open(&layout.ledger())?;
        let (series, verified, cache) = (Arc::default(), Arc::default(), Arc::default());
        let (mirrored, turns) = (Arc::default(), Arc::default());
        let store = Self { layout: Arc::new(layout), ledger, series, verified, cache, mirrored, turns };
        if is_new {
            store.take_in_all()?;
        } else if !in_order {
            store.mend_ledger()?;
        }
        store.settle_pending()?;
        store.sweep_kept()?;
        store.load_catalog()?;
        Ok(store)
    }

    /// With so many bytes for years that are asked for again and again.
    #[must_use]
    pub fn cached(self, budget: u64) -> Self {
        Self { cache: Arc::new(Cache::new(budget)), ..self }
    }

    /// What that does.
    pub fn cache_facts(&self) -> CacheFacts {
        self.cache.facts()
    }

    /// For the end of an orderly stop. Nothing depends on it. Blocks.
    pub fn close(&self) {
        self.ledger.checkpoint_blocking();
        if let Err(error) = files::seal(&self.layout.ledger(), &self.layout.ledger_seal()) {
            tracing::warn!(%error, "the ledger is left without its checksum: the next start looks at all of it");
        }
    }

    /// A file that equals its announcement was renamed before the crash and is adopted; otherwise nothing happened. All
    /// in one transaction, so that a crash here loses no announcement; one whose file cannot be read now is kept.
    fn settle_pending(&self) -> Result<(), StoreError> {
        let layout = self.layout.clone();
        self.ledger.call_blocking(move |ledger| {
            let keys: BTreeMap<i64, SeriesKey> =
                series::all(ledger)?.into_iter().map(|row| (row.id, row.key)).collect();
            for (id, file) in series::files(ledger, Files::Pending)? {
                let Some(key) = keys.get(&id) else { continue };
                let adopted = match std::fs::read(layout.partition(key, file.year)) {
                    Ok(bytes) => Checksum::of(&bytes) == file.checksum,
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => file.is_nothing(),
                    Err(error) => {
                        tracing::warn!(series = %key, year = file.year, %error, "cannot settle a commit yet");
                        continue;
                    }
                };
                if adopted && file.is_nothing() {
                    series::drop_file(ledger, id, file.year)?;
                    uploads::mark(ledger, id, file.year, true)?;
                    year_range(file.year).map_or(Ok(()), |year| series::uncover(ledger, id, year))?;
                } else if adopted {
                    series::put_file(ledger, Files::Partition, id, &file)?;
                }
                series::drop_pending(ledger, id, file.year)?;
                tracing::info!(series = %key, year = file.year, adopted, "settled a commit that a crash cut off");
            }
            Ok(())
        })
    }

    pub(super) fn load_catalog(&self) -> Result<(), StoreError> {
        let (rows, files, covered) = self.ledger.call_blocking(|ledger| {
            Ok((series::all(ledger)?, series::files(ledger, Files::Partition)?, series::coverage(ledger)?))
        })?;
        let mut states: BTreeMap<i64, (SeriesKey, SeriesState)> = rows
            .into_iter()
            .map(|row| {
                let (basis, source, assumed) = (row.basis, row.source, row.assumed);
                let (partitions, coverage) = (BTreeMap::new(), Coverage::default());
                (row.id, (row.key, SeriesState { basis, source, assumed, partitions, coverage }))
            })
            .collect();
        for (id, file) in files {
            if let Some((_, state)) = states.get_mut(&id) {
                state.partitions.insert(file.year, file);
            }
        }
        for (id, range) in covered {
            if let Some((_, state)) = states.get_mut(&id) {
                state.coverage.insert(range);
            }
        }
        let catalog = states.into_values().map(|(key, state)| (key, Arc::new(Series::new(state)))).collect();
        *self.series.write().unwrap_or_else(PoisonError::into_inner) = catalog;
        Ok(())
    }

    /// What is known of a series; also of one that is covered and holds no bars.
    pub fn state(&self, key: &SeriesKey) -> Option<Arc<SeriesState>> {
        self.entry(key).map(|series| series.state())
    }

    /// All series that hold bars, by symbol and timeframe.
    pub fn list(&self) -> Vec<(SeriesKey, Arc<SeriesState>)> {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        let states = series.iter().map(|(key, series)| (key.clone(), series.state()));
        states.filter(|(_, state)| !state.partitions.is_empty()).collect()
    }

    /// How many hold bars.
    pub fn count(&self) -> usize {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        series.values().filter(|series| !series.state().partitions.is_empty()).count()
    }

    pub(super) fn entry(&self, key: &SeriesKey) -> Option<Arc<Series>> {
        self.series.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub(super) fn enter(&self, key: &SeriesKey, state: SeriesState) -> Arc<Series> {
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        series.entry(key.clone()).or_insert_with(|| Arc::new(Series::new(state))).clone()
    }

    /// A series of which nothing became true.
    pub(super) fn forget(&self, key: &SeriesKey) {
        self.series.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// All bars of one year. Blocks.
    pub fn read_year(&self, key: &SeriesKey, year: i16) -> Result<crate::model::Bars, StoreError> {
        read::year(self, key, year)
    }

    /// The partitions with bars in `range`, as they are now, whatever a load does to them meanwhile. Blocks.
    pub fn open_years(&self, key: &SeriesKey, range: &TimeRange) -> Result<Vec<Opened>, StoreError> {
        Ok(self.open_series(key, range)?.map(|(_, years)| years).unwrap_or_default())
    }

    /// The same with what is known of the series then. `None`: there is none. Blocks.
    pub fn open_series(&self, key: &SeriesKey, range: &TimeRange) -> Result<Option<OpenedSeries>, StoreError> {
        read::open(self, key, range)
    }

    /// Whether the file of one year is what the ledger says; reads it once, and again only when it was touched. Blocks.
    pub fn verify_year(&self, key: &SeriesKey, year: i16) -> Result<(), StoreError> {
        read::verify(self, key, year)
    }
}
