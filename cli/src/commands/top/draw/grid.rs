//! Rows under titles: as wide as their cells need, with the least important columns left out where room is short.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Span};

use super::paint::{Paint, below, faint, selected};
use crate::output::table::{Align, Cell};

/// From this width on there is room to breathe.
const WIDE: u16 = 100;

#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) align: Align,
    /// Never narrower: what changes all the time must not move its neighbours.
    pub(super) least: u16,
    pub(super) most: u16,
    /// The highest is left out first.
    pub(super) rank: u8,
}

impl Column {
    /// As wide as its cells.
    pub(super) const fn new(title: &'static str, rank: u8) -> Self {
        Self { title, align: Align::Left, least: 0, most: u16::MAX, rank }
    }

    pub(super) const fn right(self) -> Self {
        Self { align: Align::Right, ..self }
    }

    pub(super) const fn between(self, least: u16, most: u16) -> Self {
        Self { least, most, ..self }
    }
}

/// Blanks between two columns.
fn gap(room: u16) -> u16 {
    if room < WIDE { 1 } else { 2 }
}

/// How wide each column is; 0: left out. The last one takes what is left.
fn widths(columns: &[Column], rows: &[Vec<Cell>], room: u16) -> Vec<u16> {
    let gap = gap(room);
    let width_of = |text: &str| u16::try_from(Span::raw(text).width()).unwrap_or(u16::MAX);
    let wanted = |(index, column): (usize, &Column)| {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| width_of(cell.text()));
        let widest = cells.max().unwrap_or(0).max(width_of(column.title));
        if index + 1 == columns.len() { column.least.max(1) } else { widest.max(column.least).min(column.most) }
    };
    let mut widths: Vec<u16> = columns.iter().enumerate().map(wanted).collect();
    let taken = |widths: &[u16]| {
        let shown = widths.iter().filter(|width| **width > 0);
        shown.fold(0_u16, |sum, width| sum.saturating_add(*width).saturating_add(gap)).saturating_sub(gap)
    };
    while taken(&widths) > room {
        let shown = || columns.iter().enumerate().filter(|(index, _)| widths[*index] > 0);
        let Some((index, _)) = shown().max_by_key(|(_, column)| column.rank) else { break };
        // what is left alone is cut
        widths[index] = if shown().count() > 1 { 0 } else { room };
    }
    let spare = room.saturating_sub(taken(&widths));
    if let Some(last) = widths.last_mut().filter(|last| **last > 0) {
        *last += spare;
    }
    widths
}

/// Draws titles and rows; `chosen` counts the rows that are given.
pub(super) fn grid(
    buffer: &mut Buffer,
    area: Rect,
    columns: &[Column],
    rows: &[Vec<Cell>],
    chosen: Option<usize>,
    paint: Paint,
) {
    let area = area.intersection(buffer.area);
    let widths = widths(columns, rows, area.width);
    let draw = |buffer: &mut Buffer, line: Rect, cells: &mut dyn Iterator<Item = (&str, Style)>| {
        let mut x = line.x;
        for ((text, style), (column, width)) in cells.zip(columns.iter().zip(&widths)) {
            if *width > 0 && line.height > 0 {
                put(buffer, Rect { x, width: *width, ..line }, text, column.align, style);
                x += width + gap(area.width);
            }
        }
    };
    draw(buffer, below(area, 0, 1), &mut columns.iter().map(|column| (column.title, faint())));
    for (line, (index, row)) in (1..).zip(rows.iter().enumerate()) {
        let line = below(area, line, 1);
        draw(buffer, line, &mut row.iter().map(|cell| (cell.text(), paint.tone(cell.tone()))));
        if chosen == Some(index) {
            buffer.set_style(line, selected());
        }
    }
}

fn put(buffer: &mut Buffer, area: Rect, text: &str, align: Align, style: Style) {
    let (room, wide) = (usize::from(area.width), Span::raw(text).width());
    let blanks = if align == Align::Right { room.saturating_sub(wide) } else { 0 };
    let x = area.x + u16::try_from(blanks).unwrap_or(0);
    buffer.set_stringn(x, area.y, text, room, style);
    if wide > room {
        buffer.set_string(area.right() - 1, area.y, "…", style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::new("NAME", 0).between(0, 8),
        Column::new("STATE", 1),
        Column::new("BARS", 2).right().between(6, 9),
        Column::new("DOING", 3).between(5, 0),
    ];

    fn rows(cells: [&str; 4]) -> Vec<Vec<Cell>> {
        vec![cells.map(Cell::from).to_vec()]
    }

    #[test]
    fn columns_go_by_their_rank() {
        let rows = rows(["AAPL 1h of a long name", "running", "12", "something long"]);
        for (room, expected) in [
            (40, [8, 7, 6, 16]),
            (29, [8, 7, 6, 5]),
            (28, [8, 7, 6, 0]),
            (22, [8, 7, 0, 0]),
            (15, [8, 0, 0, 0]),
            (5, [5, 0, 0, 0]),
            (0, [0, 0, 0, 0]),
        ] {
            assert_eq!(widths(&COLUMNS, &rows, room), expected, "{room}");
        }
    }

    #[test]
    fn cells_are_cut_and_aligned() {
        let area = Rect::new(0, 0, 30, 2);
        let mut buffer = Buffer::empty(area);
        grid(
            &mut buffer,
            area,
            &COLUMNS,
            &rows(["a long name", "up", "12", "日本語日本語"]),
            None,
            Paint { colored: false },
        );
        let text: String = (0..30).map(|x| buffer[(x, 1)].symbol()).collect();
        assert_eq!(text, "a long … up        12 日 本 語 日…");
    }
}
