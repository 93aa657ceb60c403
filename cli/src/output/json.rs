//! Bars as one JSON document, written while they arrive.
//!
//! The array is opened and closed by hand, so that the document of a series of any length needs no memory; its parts
//! are written by serde.

use std::io::{self, Write};

use serde::Serialize;

use super::{
    bar::Bar,
    columns::{Column, Columns},
};
use crate::time::{Instant, Stamps};

/// Everything of `data show` before the rows.
#[derive(Debug, Serialize)]
pub(crate) struct Head<'a> {
    pub(crate) symbol: &'a str,
    pub(crate) timeframe: &'a str,
    pub(crate) total_rows: u64,
    pub(crate) displayed_rows: u64,
    pub(crate) source: &'a str,
    pub(crate) session: &'a str,
    pub(crate) what_to_show: &'a str,
    /// Absent for stored bars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) derived_from: Option<&'a str>,
    pub(crate) metadata: Metadata<'a>,
}

/// First and last bar of the range, and how many it holds.
#[derive(Debug, Serialize)]
pub(crate) struct Metadata<'a> {
    pub(crate) symbol: &'a str,
    pub(crate) timeframe: &'a str,
    pub(crate) start_date: Option<Instant>,
    pub(crate) end_date: Option<Instant>,
    pub(crate) point_count: u64,
}

/// `null` where the source has none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Volume {
    Of(Option<f64>),
    LeftOut,
}

impl Volume {
    fn is_left_out(&self) -> bool {
        matches!(self, Self::LeftOut)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row<'a> {
    #[serde(rename = "index")]
    index: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    close: Option<f64>,
    #[serde(skip_serializing_if = "Volume::is_left_out")]
    volume: Volume,
}

/// The head, up to the opening bracket of `data`.
pub(crate) fn open(out: &mut impl Write, head: &Head) -> io::Result<()> {
    let text = serde_json::to_string_pretty(head)?;
    // The outermost brace goes; the one that closes `metadata` stays.
    let body = text.strip_suffix('}').unwrap_or(&text).trim_end();
    write!(out, "{body},\n  \"data\": [")
}

/// One bar as a document of its own, with the names of `data export`.
#[derive(Debug, Serialize)]
pub(crate) struct Line<'a> {
    timestamp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    close: Option<f64>,
    #[serde(skip_serializing_if = "Volume::is_left_out")]
    volume: Volume,
}

impl<'a> Line<'a> {
    pub(crate) fn of(stamps: &'a mut Stamps, bar: &Bar, columns: Columns) -> Self {
        let ([open, high, low, close], volume) = values(bar, columns);
        Self { timestamp: stamps.rfc3339(bar.start_ns), open, high, low, close, volume }
    }
}

/// Those that are wanted.
fn values(bar: &Bar, columns: Columns) -> ([Option<f64>; 4], Volume) {
    let [open, high, low, close] = bar.prices();
    let prices = [(Column::Open, open), (Column::High, high), (Column::Low, low), (Column::Close, close)];
    let volume = if columns.has(Column::Volume) { Volume::Of(bar.volume) } else { Volume::LeftOut };
    (prices.map(|(column, price)| columns.has(column).then_some(price)), volume)
}

/// One row as such a document, on a line.
pub(crate) fn line(out: &mut impl Write, stamps: &mut Stamps, bar: &Bar, columns: Columns) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Line::of(stamps, bar, columns))?;
    out.write_all(b"\n")
}

/// One row, one line.
pub(crate) fn row(
    out: &mut impl Write,
    stamps: &mut Stamps,
    bar: &Bar,
    columns: Columns,
    first: bool,
) -> io::Result<()> {
    out.write_all(if first { b"\n    " } else { b",\n    " })?;
    let ([open, high, low, close], volume) = values(bar, columns);
    let row = Row { index: stamps.rfc3339(bar.start_ns), open, high, low, close, volume };
    Ok(serde_json::to_writer(out, &row)?)
}

/// The end of the array and of the document.
pub(crate) fn close(out: &mut impl Write, empty: bool) -> io::Result<()> {
    out.write_all(if empty { b"]\n}\n" } else { b"\n  ]\n}\n" })
}

/// The shortest text that reads back as the same number: `202.0`.
pub(crate) fn float(out: &mut impl Write, value: f64) -> io::Result<()> {
    Ok(serde_json::to_writer(out, &value)?)
}
