//! Where everything is below the data folder (design: "On disk").

use std::path::{Path, PathBuf};

use crate::model::{Nanos, SeriesKey, Symbol, TimeRange, Timeframe};

/// Name of the one file in a partition's folder.
const PARTITION_FILE: &str = "bars.parquet";

/// The data folder.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Below `root`.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The data folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The hive dataset. Nothing but partitions lives below it: a stray file breaks the folder scans of Polars and
    /// DuckDB.
    pub fn bars(&self) -> PathBuf {
        self.root.join("bars")
    }

    /// Files on their way into the dataset; on the same file system, so that a rename is atomic.
    pub fn staging(&self) -> PathBuf {
        self.root.join("staging")
    }

    /// Damaged partitions that were replaced.
    pub fn damaged(&self) -> PathBuf {
        self.root.join("damaged")
    }

    /// Partitions that were replaced on purpose, until nobody wants them back.
    pub fn kept(&self) -> PathBuf {
        self.root.join("kept")
    }

    /// The `SQLite` ledger.
    pub fn ledger(&self) -> PathBuf {
        self.root.join("ktrdr.sqlite")
    }

    /// Checksum of the ledger, left by an orderly stop.
    pub fn ledger_seal(&self) -> PathBuf {
        self.root.join("ktrdr.sqlite.seal")
    }

    /// Held for life by the one daemon of this folder.
    pub fn lock(&self) -> PathBuf {
        self.root.join("daemon.lock")
    }

    /// File of one series and year.
    pub fn partition(&self, key: &SeriesKey, year: i16) -> PathBuf {
        self.root.join(self.name(key, year))
    }

    /// What it is called below the root, such as `bars/symbol=AAPL/timeframe=1h/year=2024/bars.parquet`.
    pub fn name(&self, key: &SeriesKey, year: i16) -> String {
        format!("bars/symbol={}/timeframe={}/year={year}/{PARTITION_FILE}", key.symbol, key.timeframe.folder())
    }

    /// Whose file that is; `None` for a name that no file of the dataset has.
    pub fn parse_name(name: &str) -> Option<(SeriesKey, i16)> {
        let mut parts = name.strip_prefix("bars/")?.split('/');
        let symbol = Symbol::parse(parts.next()?.strip_prefix("symbol=")?).ok()?;
        let timeframe = Timeframe::parse(parts.next()?.strip_prefix("timeframe=")?)?;
        let year = parts.next()?.strip_prefix("year=")?.parse().ok()?;
        (parts.next() == Some(PARTITION_FILE) && parts.next().is_none())
            .then_some((SeriesKey { symbol, timeframe }, year))
    }
}

/// The partition of a bar: the UTC year of its start, so that a filter on time maps to files.
pub fn year_of(instant: Nanos) -> i16 {
    jiff::Timestamp::from_nanosecond(i128::from(instant))
        .map_or(1970, |timestamp| jiff::tz::TimeZone::UTC.to_datetime(timestamp).year())
}

/// First instant of a year, UTC.
pub fn year_start(year: i16) -> Nanos {
    jiff::tz::TimeZone::UTC
        .to_timestamp(jiff::civil::date(year, 1, 1).at(0, 0, 0, 0))
        .ok()
        .and_then(|start| Nanos::try_from(start.as_nanosecond()).ok())
        .unwrap_or(if year < 1970 { Nanos::MIN } else { Nanos::MAX })
}

/// A whole year; `None` beyond the years that an instant can name.
pub fn year_range(year: i16) -> Option<TimeRange> {
    TimeRange::new(year_start(year), year_start(year.saturating_add(1))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DAY;

    #[test]
    fn years_turn_at_midnight_utc() {
        let start = year_start(2024);
        assert_eq!(start, 1_704_067_200_000_000_000);
        assert_eq!((year_of(start - 1), year_of(start), year_of(start + 366 * DAY)), (2023, 2024, 2025));
    }

    #[test]
    fn partitions_are_hive_folders() {
        let key = SeriesKey { symbol: Symbol::parse("brk.b").unwrap(), timeframe: Timeframe::Months1 };
        let path = Layout::new("/d".into()).partition(&key, 2024);
        assert_eq!(path, Path::new("/d/bars/symbol=BRK.B/timeframe=1mo/year=2024/bars.parquet"));
        let name = path.strip_prefix("/d").unwrap().to_str().unwrap();
        assert_eq!(Layout::parse_name(name), Some((key, 2024)));
        for other in ["bars/symbol=A/timeframe=1d/year=2024/x.parquet", "ktrdr.sqlite", &format!("{name}/x")] {
            assert_eq!(Layout::parse_name(other), None, "{other}");
        }
    }
}
