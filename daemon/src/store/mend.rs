//! A ledger that is not as it was written: SQLite does not notice a flipped bit in a value, so each row of files and of coverage has
//! a seal; and an orderly stop leaves the checksum of the whole beside it. Without that, or when it differs, everything is looked
//! at.
//!
//! What a broken row claimed to be complete is forgotten, and asked for again. Files that no row speaks of any more are taken in
//! as they are, if they can be read: bars are never lost over the ledger.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::PoisonError,
};

use bytes::Bytes;

use super::{
    Checksum, Store, StoreError,
    ledger::{
        PartitionRow, operations,
        series::{self, Files},
        uploads,
    },
    parquet, year_range,
};
use crate::model::{SeriesKey, Source, Symbol, Timeframe};

impl Store {
    /// For a ledger that was not left in order.
    pub(super) fn mend_ledger(&self) -> Result<(), StoreError> {
        self.ledger.check()?;
        self.ledger.call_blocking(|ledger| operations::index_again(ledger))?;
        let (files, coverage) = self.ledger.call_blocking(|ledger| series::drop_broken(ledger))?;
        if (files, coverage) != (0, 0) {
            tracing::error!(files, coverage, "the ledger is damaged: rows that were not as written are forgotten");
            // files that only the bucket has are taken in from there
            self.ledger.call_blocking(|ledger| uploads::unlink(ledger))?;
        }
        let (keys, listed) = self.ledger.call_blocking(|ledger| {
            let keys = series::all(ledger)?.into_iter().map(|row| (row.key, row.id)).collect::<BTreeMap<_, _>>();
            let listed = series::files(ledger, Files::Partition)?.into_iter().map(|(id, file)| (id, file.year));
            Ok((keys, listed.collect::<BTreeSet<_>>()))
        })?;
        for (key, id) in keys {
            for year in self.years_on_disk(&key) {
                if !listed.contains(&(id, year)) {
                    self.take_in(&key, id, year)?;
                }
            }
        }
        Ok(())
    }

    /// For a new ledger beside files that are there already: the old one was lost, or moved away. What was known complete is
    /// not known any more.
    pub(super) fn take_in_all(&self) -> Result<(), StoreError> {
        for key in self.keys_on_disk() {
            let years = self.years_on_disk(&key);
            let read = |year: i16| fs::read(self.layout.partition(&key, year)).ok();
            let basis = years.iter().find_map(|year| parquet::basis_of(&read(*year)?.into()));
            let Some(basis) = basis else {
                tracing::error!(series = %key, "files that cannot be taken in: they do not say what they hold");
                continue;
            };
            let name = key.clone();
            // where its bars came from, nobody knows any more
            let id =
                self.ledger.call_blocking(move |ledger| series::upsert(ledger, &name, basis, Source::Mixed, true))?;
            for year in years {
                self.take_in(&key, id, year)?;
            }
        }
        Ok(())
    }

    fn keys_on_disk(&self) -> Vec<SeriesKey> {
        let folders = |folder: &Path, prefix: &'static str| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.filter_map(move |entry| {
                Some((entry.path(), entry.file_name().to_str()?.strip_prefix(prefix)?.to_owned()))
            })
        };
        let symbols = folders(&self.layout.bars(), "symbol=");
        let keys = symbols.flat_map(|(folder, symbol)| {
            let timeframes: Vec<_> = folders(&folder, "timeframe=").collect();
            timeframes.into_iter().filter_map(move |(_, timeframe)| {
                Some(SeriesKey { symbol: Symbol::parse(&symbol).ok()?, timeframe: Timeframe::parse(&timeframe)? })
            })
        });
        keys.collect()
    }

    fn take_in(&self, key: &SeriesKey, id: i64, year: i16) -> Result<(), StoreError> {
        let row = fs::read(self.layout.partition(key, year)).ok().and_then(|bytes| row_of(&bytes.into(), year));
        tracing::warn!(series = %key, year, readable = row.is_some(), "a file that the ledger has lost");
        self.ledger.call_blocking(move |ledger| match (row, year_range(year)) {
            (Some(row), _) => series::put_file(ledger, Files::Partition, id, &row),
            (None, Some(range)) => series::uncover(ledger, id, range),
            (None, None) => Ok(()),
        })
    }

    /// Years of which there is a file that the ledger does not know: somebody put it there. Blocks.
    pub fn unlisted_years(&self, key: &SeriesKey) -> Vec<i16> {
        let Some(series) = self.entry(key) else { return Vec::new() };
        // no commit is between its rename and its row
        let _files = series.files.read().unwrap_or_else(PoisonError::into_inner);
        let listed = series.state();
        let is_unlisted =
            |year: &i16| !listed.partitions.contains_key(year) && self.layout.partition(key, *year).exists();
        let mut years: Vec<i16> = self.years_on_disk(key).into_iter().filter(is_unlisted).collect();
        years.sort_unstable();
        years
    }

    fn years_on_disk(&self, key: &SeriesKey) -> Vec<i16> {
        let folder = self.layout.partition(key, 0);
        let series = folder.ancestors().nth(2).and_then(|folder| fs::read_dir(folder).ok());
        let names = series.into_iter().flatten().flatten().map(|entry| entry.file_name());
        names.filter_map(|name| name.to_str()?.strip_prefix("year=")?.parse().ok()).collect()
    }
}

/// `None`: it cannot be read.
pub(super) fn row_of(bytes: &Bytes, year: i16) -> Option<PartitionRow> {
    let checksum = Checksum::of(bytes);
    let bars = parquet::decode(bytes.clone()).ok()?;
    let (first, last) = (*bars.start.first()?, *bars.start.last()?);
    let own = year_range(year)?;
    (own.contains(first) && own.contains(last)).then_some(PartitionRow {
        year,
        checksum,
        rows: bars.len() as u64,
        first,
        last,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Bar, Bars, Basis, Coverage, DAY, Session, TimeRange, WhatToShow},
        store::{Aside, Commit, CoverageKind, Layout, year_start},
    };

    fn bars(year: i16, close: f64) -> Bars {
        let bar = |day| Bar {
            start: year_start(year) + day * DAY,
            open: close,
            high: close,
            low: close,
            close,
            volume: None,
        };
        (0..200).map(bar).collect()
    }

    fn commit(years: Vec<(i16, Bars)>) -> Commit {
        let known = |year: i16| TimeRange::new(year_start(year) + 3 * DAY, year_start(year) + 190 * DAY).unwrap();
        Commit {
            basis: Basis { session: Session::AllHours, what: WhatToShow::Trades },
            source: Source::Gateway,
            assumed: false,
            cover: years.iter().map(|(year, _)| (known(*year), CoverageKind::Bars)).collect(),
            years,
            uncover: Vec::new(),
            aside: Aside::Gone,
            revisions: Vec::new(),
            import: None,
            as_of: 7,
        }
    }

    type Known = BTreeMap<SeriesKey, (BTreeMap<i16, Bars>, Coverage)>;

    fn filled(folder: &Path) -> Known {
        let store = Store::open(Layout::new(folder.to_path_buf())).unwrap();
        let mut known = Known::new();
        for (symbol, close) in [("AAPL", 10.0), ("MSFT", 20.0), ("NVDA", 30.0)] {
            let key = SeriesKey { symbol: Symbol::parse(symbol).unwrap(), timeframe: Timeframe::Days1 };
            let years: Vec<_> = [2022, 2023, 2024, 2025].map(|year| (year, bars(year, close + f64::from(year)))).into();
            store.commit(&key, commit(years.clone())).unwrap();
            let coverage = store.state(&key).unwrap().coverage.clone();
            known.insert(key, (years.into_iter().collect(), coverage));
        }
        store.close();
        known
    }

    /// What is served is what was written, or an error; what is claimed is no more than it was.
    fn is_served_right(store: &Store, known: &Known) -> Result<(), String> {
        for (key, state) in store.list() {
            let Some((years, coverage)) = known.get(&key) else {
                let wrong =
                    state.years_in(&TimeRange::ALL).into_iter().find(|year| store.read_year(&key, *year).is_ok());
                return wrong.map_or(Ok(()), |year| Err(format!("{key} {year} never was")));
            };
            for part in state.coverage.intervals() {
                if !coverage.missing(part).is_empty() {
                    return Err(format!("{key} claims {part:?}"));
                }
            }
            for (year, bars) in years {
                match store.read_year(&key, *year) {
                    Err(_) => {}
                    Ok(read) if read == *bars => {}
                    Ok(read) if read.is_empty() => {
                        let range = year_range(*year).unwrap();
                        if state.coverage.missing(&range) != [range] {
                            return Err(format!("{key} {year} is gone, and known complete"));
                        }
                    }
                    Ok(_) => return Err(format!("{key} {year} has other bars")),
                }
            }
        }
        Ok(())
    }

    #[test]
    fn a_lost_ledger_loses_no_bars() {
        let folder = tempfile::tempdir().unwrap();
        let known = filled(folder.path());
        for name in ["ktrdr.sqlite", "ktrdr.sqlite-wal", "ktrdr.sqlite-shm"] {
            fs::remove_file(folder.path().join(name)).unwrap_or_default();
        }
        let store = Store::open(Layout::new(folder.path().to_path_buf())).unwrap();
        assert_eq!(store.list().len(), known.len());
        for (key, (years, _)) in &known {
            let state = store.state(key).unwrap();
            assert!(state.coverage.intervals().is_empty() && state.basis.session == Session::AllHours);
            for (year, bars) in years {
                assert_eq!(store.read_year(key, *year).unwrap(), *bars);
            }
        }
    }

    /// One flipped bit after the other, at random places of the ledger.
    #[test]
    fn no_flipped_bit_of_the_ledger_makes_wrong_bars_or_claims() {
        let folder = tempfile::tempdir().unwrap();
        let known = filled(folder.path());
        let path = folder.path().join("ktrdr.sqlite");
        let good = fs::read(&path).unwrap();
        let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
        let (mut refused, mut mended, mut unharmed) = (0, 0, 0);
        for _ in 0..600 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // half of them where rows are
            let used: Vec<usize> = (0..good.len()).filter(|at| good[*at] != 0).collect();
            let at = used[usize::try_from(state % used.len() as u64).unwrap()];
            let mut bad = good.clone();
            bad[at] ^= 1 << (state >> 60 & 7);
            for beside in ["ktrdr.sqlite-wal", "ktrdr.sqlite-shm"] {
                fs::remove_file(folder.path().join(beside)).unwrap_or_default();
            }
            fs::write(&path, bad).unwrap();
            match Store::open(Layout::new(folder.path().to_path_buf())) {
                Err(_) => refused += 1,
                Ok(store) => {
                    is_served_right(&store, &known).unwrap_or_else(|wrong| panic!("byte {at}: {wrong}"));
                    let whole = store.list().len() == known.len()
                        && known.iter().all(|(key, (_, coverage))| {
                            store.state(key).is_some_and(|state| state.coverage == *coverage && state.bars() == 800)
                        });
                    if whole { unharmed += 1 } else { mended += 1 }
                }
            }
        }
        println!("600 flipped bits: {refused} refused, {mended} mended or told, {unharmed} without effect");
        assert!(refused > 0 && mended > 0, "the test reaches what it is about");
    }

    /// A file of bars that nothing vouches for, because the ledger is lost: taken in, or left alone; never in the way of a start.
    #[test]
    fn foreign_bytes_in_a_partition() {
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "parquet").count(100).memory(64, 256 << 20).check(
            |bytes| {
                let folder = tempfile::tempdir().unwrap();
                let layout = Layout::new(folder.path().to_path_buf());
                let key = SeriesKey { symbol: Symbol::parse("AAPL").unwrap(), timeframe: Timeframe::Hours1 };
                let path = layout.partition(&key, 1970);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, bytes).unwrap();
                let store = Store::open(layout).unwrap();
                assert!(fs::read(&path).unwrap() == bytes, "it is not touched");
                let state = store.state(&key).ok_or("it does not say what it holds")?;
                let bars = store.read_year(&key, 1970).map_err(|error| crate::error::in_line(&error))?;
                assert_eq!(bars.len() as u64, state.bars());
                if bars.is_empty() { Err("it cannot be read".into()) } else { Ok(String::new()) }
            },
        );
    }

    /// Bytes of the ledger, of its checksum and of files of bars, put where they do not belong: `ledger 4096 00ff`, `seal cut 3`.
    /// Whatever is damaged, no file of bars is touched, none is served that is not as it was, and without the ledger all of them are.
    #[test]
    fn foreign_bytes_in_a_ledger() {
        let whole = tempfile::tempdir().unwrap();
        let known = filled(whole.path());
        let copied = |spoil: &str| {
            let folder = tempfile::tempdir().unwrap();
            let layout = Layout::new(folder.path().to_path_buf());
            copy(whole.path(), folder.path());
            let files =
                known.iter().flat_map(|(key, (years, _))| years.keys().map(|year| layout.partition(key, *year)));
            let files: Vec<_> = files.collect();
            for line in spoil.lines() {
                let mut words = line.split(' ');
                let path = match words.next().unwrap_or_default() {
                    "ledger" => layout.ledger(),
                    "seal" => layout.ledger_seal(),
                    "wal" => layout.ledger().with_extension("sqlite-wal"),
                    number => match number.parse::<usize>() {
                        Ok(number) => files[number % files.len()].clone(),
                        Err(_) => continue,
                    },
                };
                let mut bytes = fs::read(&path).unwrap_or_default();
                let (place, new) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
                match place.parse::<usize>() {
                    _ if place == "cut" => bytes.truncate(new.parse().unwrap_or(0)),
                    Ok(at) => {
                        let new = (0..new.len() / 2)
                            .filter_map(|at| u8::from_str_radix(new.get(2 * at..2 * at + 2)?, 16).ok());
                        bytes.iter_mut().skip(at).zip(new).for_each(|(byte, new)| *byte = new);
                    }
                    Err(_) => continue,
                }
                fs::write(&path, bytes).unwrap();
            }
            let before: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
            (folder, layout, files, before)
        };
        // the database takes room for pages, however small what is changed is described
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "ledger")
            .count(40)
            .longest(400)
            .memory(16, 64 << 20)
            .check(|bytes| {
                let (folder, layout, files, before) = copied(&String::from_utf8_lossy(bytes));
                let is_whole = |at: usize| {
                    fs::read(whole.path().join(files[at].strip_prefix(folder.path()).unwrap())).unwrap() == before[at]
                };
                let served = |store: &Store| -> usize {
                    let years = known
                        .iter()
                        .flat_map(|(key, (years, _))| years.iter().map(move |(year, bars)| (key, *year, bars)));
                    let whole = years.enumerate().filter(|(at, _)| is_whole(*at));
                    whole
                        .filter(|(_, (key, year, bars))| match store.read_year(key, *year) {
                            Ok(read) => {
                                assert!(
                                    read == **bars || read.is_empty(),
                                    "{key} {year}: {} bars that are not those",
                                    read.len()
                                );
                                !read.is_empty()
                            }
                            Err(error) => {
                                ktrdr_foreign::fit_to_print(&crate::error::in_line(&error));
                                false
                            }
                        })
                        .count()
                };
                let opened = Store::open(layout.clone()).map(|store| served(&store));
                let after: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
                assert!(before == after, "a file of bars was changed");
                // what a person is told to do
                for name in ["ktrdr.sqlite", "ktrdr.sqlite-wal", "ktrdr.sqlite-shm", "ktrdr.sqlite.seal"] {
                    fs::remove_file(folder.path().join(name)).unwrap_or_default();
                }
                let left = served(&Store::open(layout).unwrap());
                let good = (0..files.len()).filter(|at| is_whole(*at)).count();
                assert_eq!(left, good, "good files, taken in by a new ledger");
                opened
                    .map(|served| if served == good { "all" } else { "some" }.to_owned())
                    .map_err(|error| crate::error::in_line(&error))
            });
    }

    fn copy(from: &Path, to: &Path) {
        for entry in fs::read_dir(from).unwrap().flatten() {
            let target = to.join(entry.file_name());
            if entry.path().is_dir() {
                fs::create_dir_all(&target).unwrap();
                copy(&entry.path(), &target);
            } else {
                fs::copy(entry.path(), &target).unwrap();
            }
        }
    }
}
