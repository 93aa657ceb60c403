//! Bars from a CSV file that arrives in pieces.
//!
//! [`CsvReader`] takes the bytes as they come over the wire, in pieces of any size, and keeps only the bars: memory is
//! bounded by the bars, never by the file. A line goes `lines` (bytes to lines) → `header` or `row` (fields to a bar) →
//! `table` (bars with their line numbers, until duplicates are settled). Nothing here opens a file.
//!
//! A row is rejected only when it cannot be stored. Whether prices make sense, or lie in a session, is a question for
//! stored bars, not for a file.

mod error;
mod fields;
mod findings;
mod header;
pub mod infer;
mod lines;
pub mod name;
mod parser;
mod row;
mod stamp;
mod start;
mod table;
#[cfg(test)]
mod tests;

use crate::model::{Bars, Timeframe};
pub use error::CsvError;
pub use findings::{Finding, kind};
use lines::Lines;
use parser::Parser;

/// Longest line. A row of bars has some hundred bytes; a line beyond this is no row, and is not kept to find that out.
const LINE_MAX: usize = 64 * 1024;

/// Most data rows of one file: all minutes of fifty years of a market that never closes are half of it. A row costs
/// 64 bytes while the file is read, up to three times that while columns grow or are sorted.
const ROWS_MAX: u64 = 50_000_000;

/// What the file itself does not say.
#[derive(Debug, Clone)]
pub struct CsvOptions {
    /// Of the series: decides whether a stamp is an instant or an exchange date.
    pub timeframe: Timeframe,
    /// For stamps without a zone.
    pub time_zone: Option<jiff::tz::TimeZone>,
}

/// Reads one file.
#[derive(Debug)]
pub struct CsvReader {
    lines: Lines,
    parser: Parser,
    length: u64,
    crc: crc32fast::Hasher,
    failed: Option<CsvError>,
}

/// What was in the file. `rows` = bars + `collapsed` + the counts of all that was rejected.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvFile {
    /// Sorted.
    pub bars: Bars,
    /// Data rows: every line after the header that is not blank.
    pub rows: u64,
    /// Rows that equal another row of the file.
    pub collapsed: u64,
    /// Rows that cannot be stored, by kind.
    pub rejected: Vec<Finding>,
    /// What was noticed, but keeps no row from being stored.
    pub notes: Vec<Finding>,
    /// Bytes of the file.
    pub length: u64,
    /// CRC-32 of all bytes of the file.
    pub crc: u32,
}

impl CsvReader {
    /// Waits for the first byte of a file.
    pub fn new(options: CsvOptions) -> Self {
        Self {
            lines: Lines::new(LINE_MAX),
            parser: Parser::new(options, ROWS_MAX),
            length: 0,
            crc: crc32fast::Hasher::new(),
            failed: None,
        }
    }

    /// Takes the next bytes of the file. An error is final: every later call returns it again.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), CsvError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.length += bytes.len() as u64;
        self.crc.update(bytes);
        let read = self.lines.feed(bytes, |number, line| self.parser.line(number, line));
        self.failed = read.as_ref().err().cloned();
        read
    }

    /// The file is complete.
    pub fn finish(self) -> Result<CsvFile, CsvError> {
        let Self { lines, mut parser, length, crc, failed } = self;
        if let Some(error) = failed {
            return Err(error);
        }
        lines.finish(|number, line| parser.line(number, line))?;
        let read = parser.finish()?;
        Ok(CsvFile {
            bars: read.bars,
            rows: read.rows,
            collapsed: read.collapsed,
            rejected: read.rejected,
            notes: read.notes,
            length,
            crc: crc.finalize(),
        })
    }
}
