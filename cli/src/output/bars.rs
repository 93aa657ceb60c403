//! Bars in the three formats, row by row as they arrive, in constant memory.

use std::io::{self, Write};

use ktrdr_proto::v1::{QueryHeader, Source, TradingSession, WhatToShow};

use super::{
    bar::Bar,
    columns::Columns,
    csv, json,
    table::{Align, Grid, Tone, thousands},
};
use crate::{
    time::{Instant, Stamps},
    views::{timeframe, word},
};

/// How bars are written, and which of their columns.
#[derive(Debug)]
pub(crate) struct Writer {
    form: Form,
    columns: Columns,
}

#[derive(Debug)]
enum Form {
    Csv {
        header: &'static str,
    },
    Json {
        rows: u64,
    },
    /// One document a row.
    Jsonl,
    Table {
        grid: Option<Grid>,
        decimals: usize,
        clock: String,
    },
}

impl Writer {
    fn new(form: Form) -> Self {
        Self { form, columns: Columns::ALL }
    }

    /// With this first line.
    pub(crate) fn csv(header: &'static str) -> Self {
        Self::new(Form::Csv { header })
    }

    /// One document.
    pub(crate) fn json() -> Self {
        Self::new(Form::Json { rows: 0 })
    }

    /// A document a row.
    pub(crate) fn jsonl() -> Self {
        Self::new(Form::Jsonl)
    }

    /// For people; the prices of currency pairs get a fifth decimal.
    pub(crate) fn table(header: &QueryHeader, stamps: &Stamps) -> Self {
        let pair = matches!(header.what_to_show(), WhatToShow::Midpoint | WhatToShow::Bid | WhatToShow::Ask);
        Self::new(Form::Table { grid: None, decimals: if pair { 5 } else { 4 }, clock: stamps.clock().to_owned() })
    }

    /// Only these columns.
    #[must_use]
    pub(crate) fn only(self, columns: Columns) -> Self {
        Self { columns, ..self }
    }

    /// What stands before the rows.
    pub(crate) fn begin(&self, out: &mut impl Write, header: &QueryHeader, stamps: &mut Stamps) -> io::Result<()> {
        match &self.form {
            Form::Csv { header } => {
                let names: Vec<&str> = self.columns.pick(header.split(',')).collect();
                writeln!(out, "{}", names.join(","))
            }
            Form::Json { .. } => json::open(out, &head(header)),
            Form::Jsonl => Ok(()),
            Form::Table { clock, .. } => title(out, header, stamps, clock),
        }
    }

    /// The rows of one chunk.
    pub(crate) fn chunk(
        &mut self,
        out: &mut impl Write,
        stamps: &mut Stamps,
        bars: impl Iterator<Item = Bar>,
    ) -> io::Result<()> {
        let columns = self.columns;
        match &mut self.form {
            Form::Csv { .. } => {
                for bar in bars {
                    csv::row(out, stamps, &bar, columns)?;
                }
                Ok(())
            }
            Form::Json { rows } => {
                for bar in bars {
                    json::row(out, stamps, &bar, columns, *rows == 0)?;
                    *rows += 1;
                }
                Ok(())
            }
            Form::Jsonl => {
                for bar in bars {
                    json::line(out, stamps, &bar, columns)?;
                }
                Ok(())
            }
            Form::Table { grid, decimals, clock } => {
                table_rows(out, grid, clock, columns, bars.map(|bar| cells(stamps, &bar, *decimals)))
            }
        }
    }

    /// What stands after the rows.
    pub(crate) fn end(&self, out: &mut impl Write) -> io::Result<()> {
        match &self.form {
            Form::Json { rows } => json::close(out, *rows == 0),
            Form::Csv { .. } | Form::Jsonl | Form::Table { .. } => Ok(()),
        }
    }
}

const TITLES: [&str; 6] = ["Date", "Open", "High", "Low", "Close", "Volume"];

/// The first chunk decides the widths; later rows are written as they come.
fn table_rows(
    out: &mut impl Write,
    grid: &mut Option<Grid>,
    clock: &str,
    columns: Columns,
    mut rows: impl Iterator<Item = [String; 6]>,
) -> io::Result<()> {
    let mut block = Vec::new();
    if grid.is_none() {
        block.extend(rows.by_ref());
        let fitted = fitted(&block, clock, columns);
        titles(out, &fitted, clock, columns)?;
        *grid = Some(fitted);
    }
    let Some(grid) = grid else { return Ok(()) };
    for row in block.into_iter().chain(rows) {
        grid.row(out, plain(&row, columns), false)?;
    }
    Ok(())
}

/// What stands above the rows.
pub(crate) fn titles(out: &mut impl Write, grid: &Grid, clock: &str, columns: Columns) -> io::Result<()> {
    let date = format!("{} ({clock})", TITLES[0]);
    let titles = std::iter::once(date.as_str()).chain(TITLES.into_iter().skip(1));
    grid.row(out, columns.pick(titles).map(|title| (title, Tone::Plain)), false)?;
    grid.rule(out)
}

/// One row.
pub(crate) fn one(
    out: &mut impl Write,
    grid: &Grid,
    stamps: &mut Stamps,
    bar: &Bar,
    decimals: usize,
) -> io::Result<()> {
    grid.row(out, plain(&cells(stamps, bar, decimals), Columns::ALL), false)
}

fn fitted(block: &[[String; 6]], clock: &str, columns: Columns) -> Grid {
    let title = |column: usize| TITLES[column].len() + if column == 0 { clock.len() + 3 } else { 0 };
    let width = |column: usize| block.iter().map(|row| row[column].len()).fold(title(column), usize::max);
    let side = |column: usize| if column == 0 { Align::Left } else { Align::Right };
    Grid::new(columns.pick(0..TITLES.len()).map(|column| (width(column), side(column))))
}

fn plain(row: &[String; 6], columns: Columns) -> impl Iterator<Item = (&str, Tone)> {
    columns.pick(row).map(|cell| (cell.as_str(), Tone::Plain))
}

fn cells(stamps: &mut Stamps, bar: &Bar, decimals: usize) -> [String; 6] {
    let [open, high, low, close] = bar.prices().map(|price| format!("{price:.decimals$}"));
    let volume = bar.volume.map_or_else(|| "-".to_owned(), whole);
    [stamps.plain(bar.start_ns).to_owned(), open, high, low, close, volume]
}

/// A volume without its decimals.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded, and floats saturate")]
fn whole(volume: f64) -> String {
    let sign = if volume.round() < 0.0 { "-" } else { "" };
    format!("{sign}{}", thousands(volume.round().abs() as u64))
}

fn title(out: &mut impl Write, header: &QueryHeader, stamps: &mut Stamps, clock: &str) -> io::Result<()> {
    let head = head(header);
    writeln!(out, "{}", title_line(header))?;
    writeln!(out, "Total rows: {} | Showing: {}", head.total_rows, head.displayed_rows)?;
    match (header.first_ns, header.last_ns) {
        (Some(first), Some(last)) => {
            let first = stamps.plain(first).to_owned();
            let clock = if clock == "UTC" { String::new() } else { format!(" ({clock})") };
            writeln!(out, "Date range: {first} to {}{clock}\n", stamps.plain(last))
        }
        _ => writeln!(out, "Date range: nothing stored in it"),
    }
}

/// What the bars are.
pub(crate) fn title_line(header: &QueryHeader) -> String {
    let head = head(header);
    let json::Head { symbol, timeframe, session, what_to_show, source, .. } = &head;
    let made = head.derived_from.map_or_else(String::new, |of| format!(", made of {of}"));
    format!("{symbol} {timeframe} ({session} hours, {what_to_show}, from {source}{made})")
}

/// The size of the stored bars that longer ones are made of.
fn derived_from(header: &QueryHeader) -> Option<&'static str> {
    ktrdr_proto::spelling::timeframe(header.derived_from())
}

fn head(header: &QueryHeader) -> json::Head<'_> {
    let series = header.series.as_ref();
    let symbol = series.map_or("", |series| series.symbol.as_str());
    let timeframe = timeframe(series);
    json::Head {
        symbol,
        timeframe,
        total_rows: header.rows_in_range,
        displayed_rows: header.rows_sent,
        source: word::<Source>(header.source),
        session: word::<TradingSession>(header.session),
        what_to_show: word::<WhatToShow>(header.what_to_show),
        derived_from: derived_from(header),
        metadata: json::Metadata {
            symbol,
            timeframe,
            start_date: header.first_ns.map(Instant),
            end_date: header.last_ns.map(Instant),
            point_count: header.rows_in_range,
        },
    }
}
