//! Tables for people: aligned columns, a rule below the titles. On a terminal that is too narrow, sentences go on in the next line of their
//! column; ids and paths stay whole, so that they can be copied.
//!
//! Written here because it must colour cells and print endless tables in constant memory: a [`Grid`] is the fixed
//! widths alone, a [`Table`] collects its rows first.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use ktrdr_proto::text::printable;

/// Blanks between two columns.
const GAP: &str = "  ";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// What a colour would say; the text says it too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    #[default]
    Plain,
    Good,
    Bad,
    Busy,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub(crate) fn toned(text: impl Into<String>, tone: Tone) -> Self {
        let text = text.into();
        // much of it comes from gateways and hosts
        let text = match printable(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(escaped) => escaped,
        };
        Self { text, tone }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn tone(&self) -> Tone {
        self.tone
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

/// Column widths and sides.
#[derive(Debug)]
pub(crate) struct Grid(Vec<(usize, Align)>);

impl Grid {
    pub(crate) fn new(columns: impl IntoIterator<Item = (usize, Align)>) -> Self {
        Self(columns.into_iter().collect())
    }

    /// One row. A cell wider than its column pushes the rest aside.
    pub(crate) fn row<'a>(
        &self,
        out: &mut impl Write,
        cells: impl IntoIterator<Item = (&'a str, Tone)>,
        colored: bool,
    ) -> io::Result<()> {
        let last = self.0.len().saturating_sub(1);
        for (index, ((width, align), (text, tone))) in self.0.iter().zip(cells).enumerate() {
            let blanks = width.saturating_sub(width_of(text));
            let (before, after) = match align {
                Align::Right => (blanks, 0),
                Align::Left if index == last => (0, 0),
                Align::Left => (0, blanks),
            };
            let gap = if index == 0 { "" } else { GAP };
            write!(out, "{gap}{:before$}", "")?;
            match color_of(tone).filter(|_| colored) {
                Some(code) => write!(out, "\x1b[{code}m{text}\x1b[0m")?,
                None => out.write_all(text.as_bytes())?,
            }
            write!(out, "{:after$}", "")?;
        }
        out.write_all(b"\n")
    }

    /// The line below the titles.
    pub(crate) fn rule(&self, out: &mut impl Write) -> io::Result<()> {
        let width: usize = self.0.iter().map(|(width, _)| width).sum();
        let gaps = GAP.len() * self.0.len().saturating_sub(1);
        writeln!(out, "{}", "─".repeat(width + gaps))
    }
}

/// A table that is printed when all of it is there.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(columns: impl IntoIterator<Item = (&'static str, Align)>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// The table of one thing.
    pub(crate) fn properties() -> Self {
        Self::new([("Property", Align::Left), ("Value", Align::Left)])
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// One line of a [`properties`](Self::properties) table.
    pub(crate) fn property(&mut self, name: &str, value: impl Into<Cell>) {
        self.row([name.into(), value.into()]);
    }

    /// One line, when there is something to say.
    pub(crate) fn property_if(&mut self, name: &str, value: Option<impl Into<Cell>>) {
        if let Some(value) = value {
            self.property(name, value);
        }
    }

    pub(crate) fn has_tone(&self) -> bool {
        self.rows.iter().flatten().any(|cell| cell.tone != Tone::Plain)
    }

    /// As wide as it is.
    pub(crate) fn write(&self, out: &mut impl Write, colored: bool) -> io::Result<()> {
        self.write_in(&self.widths(), out, colored)
    }

    /// Within so many characters, as far as that can be.
    pub(crate) fn write_within(&self, most: usize, out: &mut impl Write, colored: bool) -> io::Result<()> {
        let mut widths = self.widths();
        let mut sentences: Vec<usize> =
            (1..widths.len()).filter(|index| self.columns[*index].1 == Align::Left).collect();
        sentences.sort_by_key(|index| std::cmp::Reverse(widths[*index]));
        for index in sentences {
            let beyond = whole(&widths).saturating_sub(most);
            let narrowest = self.texts(index).flat_map(str::split_whitespace).map(width_of).max().unwrap_or(0);
            let narrowest = narrowest.max(width_of(self.columns[index].0)).max(NARROW);
            widths[index] = widths[index].saturating_sub(beyond).max(narrowest).min(widths[index]);
        }
        self.write_in(&widths, out, colored)
    }

    /// The widest of each column.
    fn widths(&self) -> Vec<usize> {
        let widest = |index| self.texts(index).map(width_of).max().unwrap_or(0);
        self.columns.iter().enumerate().map(|(index, (title, _))| widest(index).max(width_of(title))).collect()
    }

    /// What it takes without being made narrower.
    pub(crate) fn width(&self) -> usize {
        whole(&self.widths())
    }

    fn texts(&self, index: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().filter_map(move |row| Some(row.get(index)?.text.as_str()))
    }

    fn write_in(&self, widths: &[usize], out: &mut impl Write, colored: bool) -> io::Result<()> {
        let grid = Grid::new(widths.iter().copied().zip(self.columns.iter().map(|(_, align)| *align)));
        grid.row(out, self.columns.iter().map(|(title, _)| (*title, Tone::Plain)), colored)?;
        grid.rule(out)?;
        for row in &self.rows {
            let mut cells: Vec<_> =
                row.iter().zip(widths).map(|(cell, width)| broken(&cell.text, *width).into_iter()).collect();
            let lines = cells.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
            for number in 0..lines {
                let line = cells.iter_mut().zip(row).map(|(parts, cell)| (parts.next().unwrap_or_default(), cell.tone));
                if number == 0 {
                    grid.row(out, line, colored)?;
                } else {
                    let mut text = Vec::new();
                    grid.row(&mut text, line, colored)?;
                    out.write_all(text.trim_ascii_end())?;
                    out.write_all(b"\n")?;
                }
            }
        }
        Ok(())
    }
}

/// Of a column that is made narrower, at least.
const NARROW: usize = 16;

fn whole(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
}

/// The lines of a text, between words.
fn broken(text: &str, width: usize) -> Vec<&str> {
    let (mut lines, mut rest) = (Vec::new(), text);
    while width_of(rest) > width {
        let end = rest.char_indices().nth(width + 1).map_or(rest.len(), |(end, _)| end);
        let Some(at) = rest[..end].rfind(' ').filter(|at| *at > 0) else { break };
        lines.push(rest[..at].trim_end());
        rest = rest[at..].trim_start();
    }
    lines.push(rest);
    lines
}

fn width_of(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

fn color_of(tone: Tone) -> Option<u8> {
    match tone {
        Tone::Plain => None,
        Tone::Good => Some(32),
        Tone::Bad => Some(31),
        Tone::Busy => Some(33),
    }
}

/// `1234567` → `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.2 MiB`.
#[expect(clippy::cast_precision_loss, reason = "one decimal for people")]
pub(crate) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    let mut units = ["B", "KiB", "MiB", "GiB", "TiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while value >= 1024.0
        && let Some(next) = units.next()
    {
        value /= 1024.0;
        unit = next;
    }
    if unit == "B" { format!("{count} B") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_nothing_trails() {
        let mut table = Table::new([("Name", Align::Left), ("Bars", Align::Right), ("Note", Align::Left)]);
        table.row(["äöü".into(), "1".into(), "x".into()]);
        table.row(["longer".into(), "12345".into(), Cell::toned("running", Tone::Busy)]);
        let mut out = Vec::new();
        table.write(&mut out, false).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        Name     Bars  Note
        ──────────────────────
        äöü         1  x
        longer  12345  running
        ");
        let mut out = Vec::new();
        table.write(&mut out, true).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("\x1b[33mrunning\x1b[0m\n"));
    }

    #[test]
    fn sentences_go_on_in_the_next_line_and_ids_stay_whole() {
        let mut table = Table::new([("Operation ID", Align::Left), ("Says", Align::Left), ("Bars", Align::Right)]);
        table.row(["op_load_01M8Q205B6ZES7".into(), "the gateway has nothing before that day".into(), "12".into()]);
        table.row(["op_load_01M8Q205B6ZES8".into(), "/a/path/that/is/never/broken".into(), "1".into()]);
        assert_eq!(table.width(), 22 + 2 + 39 + 2 + 4);
        let written = |most| {
            let mut out = Vec::new();
            table.write_within(most, &mut out, false).unwrap();
            String::from_utf8(out).unwrap()
        };
        let mut whole = Vec::new();
        table.write(&mut whole, false).unwrap();
        assert_eq!(written(69).as_bytes(), whole);
        insta::assert_snapshot!(written(60), @r"
        Operation ID            Says                            Bars
        ────────────────────────────────────────────────────────────
        op_load_01M8Q205B6ZES7  the gateway has nothing before    12
                                that day
        op_load_01M8Q205B6ZES8  /a/path/that/is/never/broken       1
        ");
        assert_eq!(written(1), written(58), "a path is as wide as it is");
    }

    #[test]
    fn numbers_for_people() {
        assert_eq!([thousands(0), thousands(999), thousands(1_234_567)], ["0", "999", "1,234,567"]);
        assert_eq!([bytes(17), bytes(2048), bytes(5 << 20)], ["17 B", "2.0 KiB", "5.0 MiB"]);
    }
}
