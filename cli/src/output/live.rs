//! Bars as they come: one line for each that is over, and on a terminal the running one below them, written again and
//! again.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::{Out, bar::Bar, bars, columns::Columns, csv, json};
use crate::{
    flags::Format,
    output::table::{Align, Grid},
    time::Stamps,
};

/// To the left end of the line, and nothing on it.
const WIPE: &[u8] = b"\r\x1b[K";

/// Widths that hold any usual price: rows come one by one, so none can be measured before.
const WIDTHS: [usize; 6] = [19, 12, 12, 12, 12, 12];

/// How live bars are written.
#[derive(Debug)]
pub(crate) enum LiveWriter {
    Csv,
    Json,
    Table {
        decimals: usize,
        /// The last line is the running bar.
        in_place: bool,
        /// It is there now.
        shown: bool,
    },
}

/// One line of `--format json`.
#[derive(Debug, Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    bar: json::Line<'a>,
    #[serde(flatten)]
    origin: Origin,
}

/// How a bar that is over came.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Origin {
    /// From history, not as it closed.
    pub(crate) filled: bool,
    /// One may be missing before it.
    pub(crate) gap_before: bool,
}

impl LiveWriter {
    /// A table for people, lines for programs, where nobody says.
    pub(crate) fn new(format: Option<Format>, decimals: usize) -> Self {
        let terminal = io::stdout().is_terminal();
        match format {
            Some(Format::Json | Format::Jsonl) => Self::Json,
            Some(Format::Csv) => Self::Csv,
            None if !terminal => Self::Csv,
            Some(Format::Table | Format::Parquet | Format::Arrow) | None => {
                Self::Table { decimals, in_place: terminal, shown: false }
            }
        }
    }

    /// What stands before the bars.
    pub(crate) fn begin(&self, out: &mut Out, title: &str) -> io::Result<()> {
        match self {
            Self::Csv => out.line(csv::EXPORT_HEADER)?,
            Self::Json => {}
            Self::Table { .. } => {
                writeln!(out, "{title}\n")?;
                bars::titles(out, &grid(), "UTC", Columns::ALL)?;
            }
        }
        out.flush()
    }

    /// A bar that is over.
    pub(crate) fn closed(&mut self, out: &mut Out, stamps: &mut Stamps, bar: &Bar, origin: Origin) -> io::Result<()> {
        match self {
            Self::Csv => csv::row(out, stamps, bar, Columns::ALL),
            Self::Json => out.event(&Line { bar: json::Line::of(stamps, bar, Columns::ALL), origin }),
            Self::Table { decimals, .. } => {
                let decimals = *decimals;
                self.wipe(out)?;
                bars::one(out, &grid(), stamps, bar, decimals)
            }
        }
    }

    /// The bar that is still open.
    pub(crate) fn running(&mut self, out: &mut Out, stamps: &mut Stamps, bar: &Bar) -> io::Result<()> {
        let Self::Table { decimals, in_place: true, shown } = self else { return Ok(()) };
        let mut line = Vec::new();
        bars::one(&mut line, &grid(), stamps, bar, *decimals)?;
        out.write_all(WIPE)?;
        out.write_all(line.trim_ascii_end())?;
        *shown = true;
        out.flush()
    }

    /// Takes the running bar away, before something else is said or the command ends.
    pub(crate) fn wipe(&mut self, out: &mut Out) -> io::Result<()> {
        if let Self::Table { shown: shown @ true, .. } = self {
            *shown = false;
            out.write_all(WIPE)?;
            out.flush()?;
        }
        Ok(())
    }
}

fn grid() -> Grid {
    let side = |column: usize| if column == 0 { Align::Left } else { Align::Right };
    Grid::new(WIDTHS.into_iter().enumerate().map(|(column, width)| (width, side(column))))
}
