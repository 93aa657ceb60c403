//! What things look like: tones, titles, rows. Without colour, nothing is lost: the words say it too.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
    text::{Line, Span},
};

use crate::output::table::Tone;

/// Between two things on a line.
pub(super) const GAP: &str = "  ";

#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    pub(super) colored: bool,
}

impl Paint {
    pub(super) fn tone(self, tone: Tone) -> Style {
        let color = match tone {
            Tone::Plain => return Style::new(),
            Tone::Good => Color::Green,
            Tone::Bad => Color::Red,
            Tone::Busy => Color::Yellow,
        };
        if self.colored { Style::new().fg(color) } else { Style::new() }
    }

    pub(super) fn title(self, focused: bool) -> Style {
        let title = Style::new().add_modifier(Modifier::BOLD);
        if self.colored && focused { title.fg(Color::Cyan) } else { title }
    }
}

/// What is there to find one's way.
pub(super) fn faint() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

pub(super) fn selected() -> Style {
    Style::new().add_modifier(Modifier::REVERSED)
}

/// A line at the top of an area; what does not fit is told.
pub(super) fn put(buffer: &mut Buffer, area: Rect, line: &Line<'_>) {
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return;
    }
    buffer.set_line(area.x, area.y, line, area.width);
    if line.width() > usize::from(area.width) {
        buffer.set_string(area.right() - 1, area.y, "…", Style::new());
    }
}

/// A rule with a title, and a remark at its right end.
pub(super) fn rule(buffer: &mut Buffer, area: Rect, title: Line<'_>, remark: &str) {
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return;
    }
    buffer.set_string(area.x, area.y, "─".repeat(usize::from(area.width)), faint());
    let (taken, length) = (title.width() + 4, Span::raw(remark).width() + 4);
    // not as faint as the rule
    let mut titled = title.patch_style(Style::new().remove_modifier(Modifier::DIM));
    titled.spans.insert(0, Span::raw(" "));
    titled.spans.push(Span::raw(" "));
    put(buffer, below(shifted(area, 1), 0, 1), &titled);
    let room = usize::from(area.width);
    if !remark.is_empty() && taken + length <= room {
        let start = u16::try_from(room - length + 1).unwrap_or(0);
        put(buffer, shifted(area, start), &Line::styled(format!(" {remark} "), faint()));
    }
}

/// A part of an area: so many lines from a line on.
pub(super) fn below(area: Rect, from: u16, lines: u16) -> Rect {
    let from = from.min(area.height);
    Rect { y: area.y + from, height: lines.min(area.height - from), ..area }
}

/// Without the columns at the left.
pub(super) fn shifted(area: Rect, by: u16) -> Rect {
    let by = by.min(area.width);
    Rect { x: area.x + by, width: area.width - by, ..area }
}
