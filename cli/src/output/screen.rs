//! A table that is drawn over the one before, where stdout is a terminal; elsewhere one after the other.

use std::io::{self, IsTerminal as _, Write as _};

use super::{Out, table::Table};

/// What is on the terminal now.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    lines: usize,
}

impl Screen {
    /// Draws the next one.
    pub(crate) fn draw(&mut self, out: &mut Out, table: &Table) -> io::Result<()> {
        let terminal = io::stdout().is_terminal();
        if terminal && self.lines > 0 {
            // up to the first line of the last one, and everything below it away
            write!(out, "\x1b[{}A\x1b[J", self.lines)?;
        } else if self.lines > 0 {
            out.line("")?;
        }
        out.table(table)?;
        self.lines = table.lines();
        out.flush()
    }
}
