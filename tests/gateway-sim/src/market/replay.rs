//! Series read from a folder of `SYMBOL_TIMEFRAME.csv` files and served as they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::bar::{Bar, BarSize, Stamp};
use super::contract::{Contract, Prices};
use super::csv::{self, Row};
use super::noise::hash_text;
use super::period::calendar_back;
use super::schedule::Schedule;
use super::{BarQuery, Span, currencies, universe, zone};

#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}")]
pub(crate) struct ReplayError {
    path: PathBuf,
    source: std::io::Error,
}

/// The series of one symbol by bar size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files(BTreeMap<BarSize, Series>);

/// Ascending, one bar a start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series(Vec<Entry>);

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Epoch seconds; of a dated bar, midnight on the exchange.
    start: i64,
    /// The trading date it counts under.
    date: Date,
    bar: Bar,
}

/// One contract for each symbol of the folder. Files of other names or without prices are passed over.
pub(crate) fn read_folder(folder: &Path) -> Result<Vec<Contract>, ReplayError> {
    let mut symbols: BTreeMap<String, Files> = BTreeMap::new();
    for (path, symbol, size) in series_files(folder)? {
        let text = std::fs::read(&path).map_err(|source| ReplayError { path, source })?;
        let Some(rows) = csv::rows(&String::from_utf8_lossy(&text)) else {
            continue;
        };
        let is_pair = currencies::pair(&symbol).is_some();
        let schedule = if is_pair { Schedule::forex() } else { Schedule::us_stock() };
        let series = Series::new(&rows, size, &schedule, !is_pair);
        symbols.entry(symbol).or_default().0.insert(size, series);
    }
    Ok(symbols.into_iter().map(|(symbol, files)| contract(&symbol, files)).collect())
}

/// Path, symbol and bar size of the files that have a name of ours, in order of their names.
fn series_files(folder: &Path) -> Result<Vec<(PathBuf, String, BarSize)>, ReplayError> {
    let failed = |source| ReplayError { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".csv"));
        let Some((symbol, timeframe)) = name.and_then(|name| name.rsplit_once('_')) else {
            continue;
        };
        let Some(size) = BarSize::of_file_name(timeframe) else {
            continue;
        };
        if !symbol.is_empty() && path.is_file() {
            let symbol = symbol.to_uppercase();
            found.push((path, symbol, size));
        }
    }
    found.sort();
    Ok(found)
}

fn contract(symbol: &str, files: Files) -> Contract {
    // Positive, and clear of the built-in ids.
    let id = i32::try_from(hash_text(symbol) % 900_000_000).unwrap_or(0) + 1_000_000_000;
    if let Some((base, quote)) = currencies::pair(symbol) {
        return universe::pair(&base, &quote, id, Prices::Replayed(files));
    }
    universe::stock(&share_class(symbol), id, "NASDAQ", "USD", Schedule::us_stock(), Prices::Replayed(files))
}

/// A share class is set off by a blank: `BRK.B` is `BRK B`.
fn share_class(symbol: &str) -> String {
    match symbol.rsplit_once(['.', '-']) {
        Some((stem, class)) if class.len() == 1 && !stem.is_empty() => format!("{stem} {class}"),
        _ => symbol.to_owned(),
    }
}

impl Files {
    pub(crate) fn get(&self, size: BarSize) -> Option<&Series> {
        self.0.get(&size)
    }

    /// Start of the first bar of all files. A date alone counts from its midnight UTC.
    pub(crate) fn head(&self) -> Option<i64> {
        let first = |series: &Series| series.0.first().map(|entry| entry.bar.stamp);
        let second = |stamp| match stamp {
            Stamp::Second(second) => second,
            Stamp::Day(date) => zone::midnight(&TimeZone::UTC, date),
        };
        self.0.values().filter_map(first).map(second).min()
    }
}

impl Series {
    /// Of rows with the same start the last one counts.
    fn new(rows: &[Row], size: BarSize, schedule: &Schedule, has_volume: bool) -> Self {
        let entries = rows.iter().map(|row| Entry::new(row, size, schedule, has_volume));
        let by_start: BTreeMap<i64, Entry> = entries.map(|entry| (entry.start, entry)).collect();
        Self(by_start.into_values().collect())
    }

    /// The bars before the query's end that its span reaches. Seconds count trading: so many bars' worth;
    /// days count the distinct dates that have bars; longer units go back on the calendar.
    pub(crate) fn slice(&self, query: &BarQuery, schedule: &Schedule) -> Vec<Bar> {
        let before = &self.0[..self.0.partition_point(|entry| entry.start < query.end)];
        let first = match query.span {
            Span::Seconds(seconds) => {
                let bars = (seconds + query.size.seconds() - 1) / query.size.seconds();
                before.len().saturating_sub(usize::try_from(bars).unwrap_or(usize::MAX))
            }
            Span::Days(days) => first_of_dates(before, days),
            longer => {
                let from = calendar_back(&schedule.zone, query.end, longer);
                before.partition_point(|entry| entry.start < from)
            }
        };
        before[first..].iter().map(|entry| entry.bar).collect()
    }
}

impl Entry {
    fn new(row: &Row, size: BarSize, schedule: &Schedule, has_volume: bool) -> Self {
        let (stamp, start, date) = if size.is_intraday() {
            (Stamp::Second(row.second), row.second, schedule.trade_date(row.second))
        } else {
            let date = zone::local(&TimeZone::UTC, row.second).date();
            (Stamp::Day(date), zone::midnight(&schedule.zone, date), date)
        };
        let Row { open, high, low, close, volume, .. } = *row;
        let volume = volume.filter(|_| has_volume);
        Self { start, date, bar: Bar { stamp, open, high, low, close, volume, average: None, count: None } }
    }
}

/// Where the last so many dates begin.
fn first_of_dates(entries: &[Entry], days: i64) -> usize {
    let mut first = entries.len();
    for _ in 0..days {
        let Some(entry) = first.checked_sub(1).and_then(|last| entries.get(last)) else {
            break;
        };
        first = entries.partition_point(|other| other.date < entry.date);
    }
    first
}
