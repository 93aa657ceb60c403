//! Everything that is printed. stdout is data, stderr is talk; no other module writes to either.

pub(crate) mod bar;
pub(crate) mod bars;
pub(crate) mod chart;
pub(crate) mod columns;
pub(crate) mod coverage;
pub(crate) mod csv;
pub(crate) mod curves;
pub(crate) mod gauge;
pub(crate) mod heatmap;
pub(crate) mod json;
pub(crate) mod live;
pub(crate) mod pieces;
pub(crate) mod progress;
pub(crate) mod screen;
pub(crate) mod table;
pub(crate) mod tail;
mod talk;

use std::{
    env,
    io::{self, IsTerminal, StdoutLock, Write},
};

use serde::Serialize;

use crate::flags::Color;
use pieces::Pieces;

pub(crate) use talk::Talk;

/// Every terminal has it.
const USUAL_WIDTH: usize = 80;

/// Standard output: locked once, written in large pieces.
#[derive(Debug)]
pub(crate) struct Out {
    stdout: Pieces<StdoutLock<'static>>,
    color: Color,
}

impl Out {
    pub(crate) fn new(color: Color) -> Self {
        Self { stdout: Pieces::new(io::stdout().lock()), color }
    }

    /// One line of text.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.stdout, "{text}")
    }

    /// One pretty document.
    pub(crate) fn document(&mut self, view: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.stdout, view)?;
        self.stdout.write_all(b"\n")
    }

    /// One event of a stream, at once.
    pub(crate) fn event(&mut self, view: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.stdout, view)?;
        self.stdout.write_all(b"\n")?;
        self.stdout.flush()
    }

    /// One line of a stream, at once.
    pub(crate) fn event_line(&mut self, text: &str) -> io::Result<()> {
        self.line(text)?;
        self.stdout.flush()
    }

    /// A table, coloured when that is wanted, and within the terminal. Only here is stdout asked whether it is one.
    pub(crate) fn table(&mut self, table: &table::Table) -> io::Result<()> {
        let colored = table.has_tone() && colored(self.color, &io::stdout());
        if table.width() > USUAL_WIDTH && io::stdout().is_terminal() {
            return table.write_within(screen::size().0, &mut self.stdout, colored);
        }
        table.write(&mut self.stdout, colored)
    }

    /// Whether stdout is coloured.
    pub(crate) fn is_colored(&self) -> bool {
        colored(self.color, &io::stdout())
    }

    /// The document of a result, or its table.
    pub(crate) fn show(
        &mut self,
        json: bool,
        view: &impl Serialize,
        table: impl FnOnce() -> table::Table,
    ) -> io::Result<()> {
        if json { self.document(view) } else { self.table(&table()) }
    }

    /// Nothing may be left in the buffer at the end.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stdout.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stdout.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }
}

/// Whether to colour what goes to `stream`.
pub(crate) fn colored(color: Color, stream: &impl IsTerminal) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                && env::var_os("TERM").is_none_or(|term| term != "dumb")
                && stream.is_terminal()
        }
    }
}
