//! Bars as CSV, row by row.

use std::io::{self, Write};

use super::{
    bar::Bar,
    columns::{Column, Columns},
    json::float,
};
use crate::time::Stamps;

/// The header of `data show`, as it always was.
pub(crate) const SHOW_HEADER: &str = ",Open,High,Low,Close,Volume";
/// The header of `data export`, which `data import` reads back.
pub(crate) const EXPORT_HEADER: &str = "timestamp,open,high,low,close,volume";

/// One row; a volume that the source does not have is an empty field.
pub(crate) fn row(out: &mut impl Write, stamps: &mut Stamps, bar: &Bar, columns: Columns) -> io::Result<()> {
    out.write_all(stamps.rfc3339(bar.start_ns).as_bytes())?;
    for (price, column) in bar.prices().into_iter().zip(PRICES) {
        if columns.has(column) {
            out.write_all(b",")?;
            float(out, price)?;
        }
    }
    if columns.has(Column::Volume) {
        out.write_all(b",")?;
        if let Some(volume) = bar.volume {
            float(out, volume)?;
        }
    }
    out.write_all(b"\n")
}

const PRICES: [Column; 4] = [Column::Open, Column::High, Column::Low, Column::Close];
