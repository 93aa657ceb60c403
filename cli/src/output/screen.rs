//! The terminal: how large it is, and a table that is drawn over the one before. Where stdout is none, one after the
//! other.

use std::io::{self, IsTerminal as _, Write as _};

use super::{Out, table::Table};

/// A terminal that does not say how large it is.
const USUAL: (usize, usize) = (100, 30);

/// What is on the terminal now.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    lines: usize,
}

impl Screen {
    /// Draws the next one. On a terminal only what fits: a line that wraps, or one that has left at the top, could not be
    /// drawn over.
    pub(crate) fn draw(&mut self, out: &mut Out, table: &Table) -> io::Result<()> {
        if !io::stdout().is_terminal() {
            if self.lines > 0 {
                out.line("")?;
            }
            self.lines = 1;
            out.table(table)?;
            return out.flush();
        }
        let mut drawn = Vec::new();
        table.write(&mut drawn, out.is_colored())?;
        let drawn = fitted(&String::from_utf8_lossy(&drawn), size());
        if self.lines > 0 {
            // up to the first line of the last one, and everything below it away
            write!(out, "\x1b[{}A\x1b[J", self.lines)?;
        }
        self.lines = drawn.len();
        for line in drawn {
            out.line(&line)?;
        }
        out.flush()
    }
}

/// Columns and lines of the terminal, or usual ones.
pub(crate) fn size() -> (usize, usize) {
    let asked = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let said = |name| std::env::var(name).ok()?.parse().ok();
    let known = |asked: Option<u16>, name| asked.filter(|count| *count > 0).map(usize::from).or_else(|| said(name));
    (
        known(asked.map(|size| size.ws_col), "COLUMNS").unwrap_or(USUAL.0),
        known(asked.map(|size| size.ws_row), "LINES").unwrap_or(USUAL.1),
    )
}

/// The lines of a text that fit above the cursor's own, each cut to the width.
fn fitted(text: &str, (columns, lines): (usize, usize)) -> Vec<String> {
    let all = text.lines().count();
    let room = lines.saturating_sub(1).max(1);
    let shown = if all > room { room - 1 } else { all };
    let mut fitted: Vec<String> = text.lines().take(shown).map(|line| cut(line, columns)).collect();
    if shown < all {
        fitted.push(cut(&format!("… and {} more", all - shown), columns));
    }
    fitted
}

/// A line without what is beyond the width. Colours take no room, and do not run on.
fn cut(line: &str, columns: usize) -> String {
    let (mut text, mut width, mut escape, mut colored) = (String::with_capacity(line.len()), 0, false, false);
    let mut rest = line.chars();
    while let Some(char) = rest.next() {
        if escape || char == '\x1b' {
            escape = char != 'm';
            colored = true;
        } else {
            width += 1;
            if width == columns && visible(rest.as_str()) {
                text.push_str(if colored { "…\x1b[0m" } else { "…" });
                break;
            }
        }
        text.push(char);
    }
    text
}

/// Whether anything but colours is left.
fn visible(rest: &str) -> bool {
    let mut escape = false;
    rest.chars().any(|char| {
        let hidden = escape || char == '\x1b';
        escape = hidden && char != 'm';
        !hidden
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_and_told() {
        let text = "Name  State\n───────────\na     \x1b[32mup\x1b[0m\nb     down\nc     up\n";
        assert_eq!(fitted(text, (80, 24)).len(), 5);
        assert_eq!(fitted(text, (8, 24))[..2], ["Name  S…", "───────…"]);
        assert_eq!(fitted(text, (8, 24))[2], "a     \x1b[32mup\x1b[0m", "colours take no room");
        assert_eq!(fitted(text, (7, 24))[2], "a     \x1b[32m…\x1b[0m", "nor do they run on");
        let short = fitted(text, (80, 4));
        assert_eq!((short.len(), short[2].as_str()), (3, "… and 3 more"));
        assert_eq!(fitted(text, (80, 1)), ["… and 5 more"]);
    }
}
