//! Files on their way in: parsed while they arrive, so that memory holds bars, not bytes. How much of them is held at once, by all
//! imports together, has a bound.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use ktrdr_proto::reason;

use super::{
    MarketDataError,
    csv::{CsvFile, CsvOptions, CsvReader, name::from_label},
    result::json,
};
use crate::{
    error::Failure,
    model::{SeriesKey, Session, Symbol, Timeframe, WhatToShow},
};

/// Files of one import: a folder of series, not a data base.
const FILES_MAX: usize = 10_000;
/// Rows of all files together: some gigabytes of memory.
const ROWS_MAX: u64 = 50_000_000;
/// Bytes of all imports together that have arrived and are not stored yet; in memory they take two to three times as much.
const UNDER_WAY_MAX: u64 = 256 << 20;
/// As much may always come: the newest bars of a series or two.
const ALWAYS: u64 = 1 << 20;
/// Longest label kept.
const LABEL_MAX: usize = 200;

/// What the client says about a file.
#[derive(Debug, Clone)]
pub struct FileSpec {
    /// What it is called.
    pub label: String,
    /// Overrides the name.
    pub symbol: Option<Symbol>,
    /// Overrides the name.
    pub timeframe: Option<Timeframe>,
    /// IANA name, for stamps without one.
    pub time_zone: Option<String>,
    /// Inferred otherwise.
    pub session: Option<Session>,
    /// The usual otherwise.
    pub what: Option<WhatToShow>,
}

/// A file as far as it has arrived.
#[derive(Debug)]
struct Incoming {
    spec: FileSpec,
    key: Option<SeriesKey>,
    reader: Result<CsvReader, Failure>,
}

/// A file that has arrived.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) spec: FileSpec,
    pub(super) key: Option<SeriesKey>,
    pub(super) content: Result<CsvFile, Failure>,
}

/// Bytes of all imports; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct UnderWay(Arc<AtomicU64>);

/// What one import has of them, until it is dropped.
#[derive(Debug)]
struct Share {
    all: UnderWay,
    own: u64,
}

impl Share {
    fn add(&mut self, bytes: u64) -> Result<(), MarketDataError> {
        self.own += bytes;
        let all = self.all.0.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if may_come(self.own, all) { Ok(()) } else { Err(MarketDataError::TooManyUploads) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.all.0.fetch_sub(self.own, Ordering::Relaxed);
    }
}

/// A small one always; a large one while there is room; the largest of all in any case, else two could keep each other from their end.
fn may_come(own: u64, all: u64) -> bool {
    own <= ALWAYS || all <= UNDER_WAY_MAX || own > all - own
}

/// The files of one import, parsed while they arrive: memory holds bars, not bytes.
#[derive(Debug)]
pub struct Upload {
    pub(super) arrived: Vec<Arrived>,
    incoming: Option<Incoming>,
    rows: u64,
    share: Share,
}

impl Upload {
    pub(super) fn new(under_way: &UnderWay) -> Self {
        Self { arrived: Vec::new(), incoming: None, rows: 0, share: Share { all: under_way.clone(), own: 0 } }
    }

    /// The next file begins.
    pub fn file(&mut self, spec: FileSpec) -> Result<(), MarketDataError> {
        self.end_of_file();
        if self.arrived.len() == FILES_MAX {
            return Err(MarketDataError::Request("more than 10,000 files in one import"));
        }
        let (symbol, timeframe) = from_label(&spec.label, crate::clock::year());
        let symbol = spec.symbol.clone().or(symbol);
        let key = symbol.zip(spec.timeframe.or(timeframe)).map(|(symbol, timeframe)| SeriesKey { symbol, timeframe });
        let reader = reader(&spec, key.as_ref()).map_err(|error| Failure::from(&error));
        let label = spec.label.chars().filter(|c| !c.is_control()).take(LABEL_MAX).collect();
        self.incoming = Some(Incoming { spec: FileSpec { label, ..spec }, key, reader });
        Ok(())
    }

    /// Bytes of the current file. What is wrong with it is kept until the end.
    pub fn data(&mut self, bytes: &[u8]) -> Result<(), MarketDataError> {
        let Some(file) = &mut self.incoming else {
            return Err(MarketDataError::Request("data came before any file"));
        };
        self.share.add(bytes.len() as u64)?;
        if let Ok(reader) = &mut file.reader
            && let Err(error) = reader.push(bytes)
        {
            file.reader = Err(Failure::from(&error));
        }
        Ok(())
    }

    /// All files have arrived.
    pub fn finish(mut self) -> Result<Self, MarketDataError> {
        self.end_of_file();
        if self.arrived.is_empty() { Err(MarketDataError::Request("an import needs a file")) } else { Ok(self) }
    }

    fn end_of_file(&mut self) {
        if let Some(Incoming { spec, key, reader }) = self.incoming.take() {
            let content = reader.and_then(|reader| reader.finish().map_err(|error| Failure::from(&error)));
            let content = content.and_then(|content| {
                self.rows += content.rows;
                let too_many = || Failure::new(&reason::FILE_TOO_LARGE, "the import has more than 50,000,000 rows");
                if self.rows > ROWS_MAX { Err(too_many()) } else { Ok(content) }
            });
            self.arrived.push(Arrived { spec, key, content });
        }
    }

    /// For people.
    pub(super) fn subject(&self) -> String {
        match self.arrived.as_slice() {
            [one] => one.key.as_ref().map_or_else(|| last_part(&one.spec.label), ToString::to_string),
            many => format!("{} files", many.len()),
        }
    }

    /// Equal for equal uploads; tells two requests with one id apart.
    pub(super) fn fingerprint(&self) -> String {
        let one = |file: &Arrived| match &file.content {
            Ok(content) => format!("{}:{}:{:08x}", file.spec.label, content.length, content.crc),
            Err(failure) => format!("{}:{}", file.spec.label, failure.reason),
        };
        json(&self.arrived.iter().map(one).collect::<Vec<_>>()).to_string()
    }
}

fn reader(spec: &FileSpec, key: Option<&SeriesKey>) -> Result<CsvReader, MarketDataError> {
    let Some(key) = key else {
        return Err(MarketDataError::FileName { label: last_part(&spec.label) });
    };
    let zone = |name: &String| {
        let unknown = || MarketDataError::TimeZone { name: name.chars().take(60).collect() };
        jiff::tz::TimeZone::get(name).map_err(|_| unknown())
    };
    let time_zone = spec.time_zone.as_ref().map(zone).transpose()?;
    Ok(CsvReader::new(CsvOptions { timeframe: key.timeframe, time_zone }))
}

/// The file's own name, cut.
pub(super) fn last_part(label: &str) -> String {
    label.rsplit(['/', '\\']).next().unwrap_or_default().chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_ones_and_the_largest_may_always_come_and_what_is_done_makes_room() {
        let under_way = UnderWay::default();
        let share = |own| {
            let mut share = Share { all: under_way.clone(), own: 0 };
            share.add(own).map(|()| share)
        };
        let largest = share(UNDER_WAY_MAX + 1).unwrap();
        assert!(share(ALWAYS).is_ok());
        assert!(matches!(share(ALWAYS + 1), Err(MarketDataError::TooManyUploads)));
        drop(largest);
        let (half, other) = (share(UNDER_WAY_MAX / 2).unwrap(), share(UNDER_WAY_MAX / 2).unwrap());
        assert!(share(ALWAYS + 1).is_err());
        drop((half, other));
        assert_eq!(under_way.0.load(Ordering::Relaxed), 0, "refused ones hold nothing either");
    }
}
