//! What lies over the picture: the last line, and the keys.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Block, Clear, Widget as _},
};

use super::{
    super::{
        keys::HELP,
        state::{Over, State},
    },
    paint::{GAP, Paint, below, faint, put, shifted},
};
use crate::output::table::Tone;

/// Keys that the last line shows, with what they do.
const KEYS: [(&str, &str); 7] =
    [("q", "leave"), ("?", "keys"), ("↑↓", "select"), ("Tab", "pane"), ("c", "cancel"), ("s", "order"), ("p", "pause")];
/// Wide enough for the longest key of the help.
const KEY_WIDTH: usize = 15;

/// The last line: a question, something to tell, or the keys.
pub(super) fn footer(buffer: &mut Buffer, area: Rect, state: &State, paint: Paint) {
    let bold = paint.title(true);
    let line = match (&state.over, &state.notice) {
        (Over::Question(id), _) => {
            let subject = state.operation(id).map(|operation| operation.subject.clone()).unwrap_or_default();
            let asked = Span::styled(format!("Cancel {subject}?{GAP}y/n"), bold.patch(paint.tone(Tone::Busy)));
            Line::from(vec![asked, Span::raw(format!("{GAP}{id}"))])
        }
        (_, Some((text, tone))) => Line::styled(text.clone(), paint.tone(*tone)),
        _ => {
            let keys = KEYS
                .into_iter()
                .flat_map(|(key, does)| [Span::styled(key, bold), Span::styled(format!(" {does}{GAP}"), faint())]);
            keys.collect()
        }
    };
    put(buffer, area, &line);
}

/// All keys, in a box in the middle.
pub(super) fn help(buffer: &mut Buffer, area: Rect, paint: Paint) {
    let lines = HELP.map(|(key, does)| {
        Line::from(vec![Span::styled(format!(" {key:<KEY_WIDTH$}"), paint.title(false)), Span::raw(format!("{does} "))])
    });
    let size = |count: usize| u16::try_from(count + 2).unwrap_or(u16::MAX);
    let width = size(lines.iter().map(Line::width).max().unwrap_or(0)).min(area.width);
    let height = size(lines.len()).min(area.height);
    let area = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    Clear.render(area, buffer);
    Block::bordered().title(" Keys ").border_style(Style::new()).render(area, buffer);
    let inner = shifted(below(area, 1, height.saturating_sub(2)), 1);
    let inner = Rect { width: inner.width.saturating_sub(1), ..inner };
    for (index, line) in (0..).zip(&lines) {
        put(buffer, below(inner, index, 1), line);
    }
}
