//! Whole files through the reader.

mod files;
mod foreign;
mod properties;

use super::{CsvError, CsvFile, CsvOptions, CsvReader, Finding, kind};
use crate::model::{Bars, Timeframe};

fn options(timeframe: Timeframe, zone: Option<&str>) -> CsvOptions {
    CsvOptions { timeframe, time_zone: zone.map(|name| jiff::tz::TimeZone::get(name).unwrap()) }
}

/// In one piece.
fn read(text: impl AsRef<[u8]>, timeframe: Timeframe, zone: Option<&str>) -> Result<CsvFile, CsvError> {
    let mut reader = CsvReader::new(options(timeframe, zone));
    reader.push(text.as_ref())?;
    reader.finish()
}

fn finding(reason: &'static str, count: u64, lines: &[u64]) -> Finding {
    Finding { reason, count, lines: lines.to_vec() }
}

/// Starts as people write them.
fn starts(bars: &Bars) -> Vec<String> {
    bars.start.iter().copied().map(crate::clock::text).collect()
}

fn rejected(file: &CsvFile) -> u64 {
    file.rejected.iter().map(|finding| finding.count).sum()
}
