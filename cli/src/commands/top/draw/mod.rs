//! Pictures of a state (pure).
//!
//! [`rooms`] decides which part gets how many lines; [`header`], [`operations`], [`services`] and [`series`] say what stands in
//! them; [`grid`] and [`paint`] how; [`over`] is what lies over all of it.

mod grid;
mod header;
mod operations;
mod over;
mod paint;
mod rooms;
mod series;
mod services;
#[cfg(test)]
mod tests;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use self::{
    grid::{Column, grid},
    paint::{GAP, Paint, below, faint, put, rule, shifted},
    rooms::rooms,
};
use super::{
    cursor::window,
    state::{Over, Pane, State},
};
use crate::output::table::Cell;

/// The whole screen.
pub(super) fn screen(state: &State, area: Rect, buffer: &mut Buffer) {
    let paint = Paint { colored: state.colored };
    let footer = u16::from(area.height > 1);
    picture(state, below(area, 0, area.height - footer), buffer);
    over::footer(buffer, below(area, area.height - footer, footer), state, paint);
    if state.over == Over::Help {
        over::help(buffer, area, paint);
    }
}

/// The picture alone, as text that ends where it ends.
pub(super) fn text(state: &State, (columns, lines): (usize, usize)) -> Vec<String> {
    let size = |count| u16::try_from(count).unwrap_or(u16::MAX);
    let mut buffer = Buffer::empty(Rect::new(0, 0, size(columns), size(lines)));
    picture(state, buffer.area, &mut buffer);
    written(&buffer)
}

/// The lines of a picture, without blanks and empty lines at their ends.
fn written(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let mut lines = Vec::new();
    for y in area.top()..area.bottom() {
        let (mut line, mut hidden) = (String::new(), 0);
        for x in area.left()..area.right() {
            let symbol = buffer[(x, y)].symbol();
            if hidden == 0 {
                line.push_str(symbol);
                // a wide one lies over the cell after it
                hidden = Span::raw(symbol).width();
            }
            hidden = hidden.saturating_sub(1);
        }
        lines.push(line.trim_end().to_owned());
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn picture(state: &State, area: Rect, buffer: &mut Buffer) {
    let paint = Paint { colored: state.colored };
    let header = header::lines(state, paint);
    for (index, line) in (0..).zip(&header) {
        put(buffer, below(area, index, 1), line);
    }
    corner(buffer, area, header.first(), &header::clock(state, paint));
    let body = below(area, u16::try_from(header.len()).unwrap_or(u16::MAX), u16::MAX);
    let rows = [state.operations().len(), state.look.services.len(), state.series.len()];
    let rooms = rooms(body.height, rows, state.pane);
    let mut from = 0;
    // the details stand below the pane that they are of
    for pane in Pane::ALL {
        let lines = rooms.panes[pane as usize];
        draw_pane(state, pane, below(body, from, lines), buffer, paint);
        from += lines;
        if pane == state.pane {
            draw_detail(state, below(body, from, rooms.detail), buffer);
            from += rooms.detail;
        }
    }
    if state.silence.is_some() {
        // what is below the first line is how it was
        buffer.set_style(below(area, 1, u16::MAX), faint());
    }
}

/// At the right end of the first line, where that is free.
fn corner(buffer: &mut Buffer, area: Rect, first: Option<&Line<'_>>, corner: &Line<'_>) {
    let (taken, room) = (first.map_or(0, Line::width), usize::from(area.width));
    if taken + GAP.len() + corner.width() <= room {
        put(buffer, shifted(area, u16::try_from(room - corner.width()).unwrap_or(0)), corner);
    }
}

/// What stands in a pane.
struct Content {
    title: &'static str,
    count: String,
    remark: String,
    columns: Vec<Column>,
    rows: usize,
}

fn content(state: &State, pane: Pane, width: u16) -> Content {
    match pane {
        Pane::Operations => {
            let operations = state.operations();
            let hidden = if state.ended_hidden { "ended hidden, " } else { "" };
            Content {
                title: "Operations",
                count: operations::count(&state.look.operations),
                remark: format!("{hidden}{}", state.of_operations.word()),
                columns: operations::columns(width).to_vec(),
                rows: operations.len(),
            }
        }
        Pane::Services => Content {
            title: "Host services",
            count: services::count(&state.look.services),
            remark: String::new(),
            columns: services::COLUMNS.to_vec(),
            rows: state.look.services.len(),
        },
        Pane::Series => Content {
            title: "Series",
            count: series::count(&state.series),
            remark: state.of_series.word().to_owned(),
            columns: series::COLUMNS.to_vec(),
            rows: state.series.len(),
        },
    }
}

fn draw_pane(state: &State, pane: Pane, area: Rect, buffer: &mut Buffer, paint: Paint) {
    if area.is_empty() {
        return;
    }
    let content = content(state, pane, area.width);
    let focused = state.pane == pane;
    let title =
        Line::from(vec![Span::styled(content.title, paint.title(focused)), Span::raw(GAP), Span::raw(content.count)]);
    rule(buffer, area, title, &content.remark);
    let area = below(area, 1, u16::MAX);
    if content.rows == 0 {
        put(buffer, area, &Line::styled("Nothing to show", faint()));
        return;
    }
    let row = state.row(pane).unwrap_or(0);
    let seen = window(row, content.rows, usize::from(area.height.saturating_sub(1)));
    let rows: Vec<Vec<Cell>> = match pane {
        Pane::Operations => {
            let shown = state.operations();
            shown[seen.clone()].iter().map(|operation| operations::row(state, operation, area.width)).collect()
        }
        Pane::Services => state.look.services[seen.clone()].iter().map(services::row).collect(),
        Pane::Series => state.series[seen.clone()].iter().map(|one| series::row(state, one)).collect(),
    };
    let selected = focused.then(|| row.saturating_sub(seen.start));
    grid(buffer, area, &content.columns, &rows, selected, paint);
}

/// What there is to know of the selected row.
fn draw_detail(state: &State, area: Rect, buffer: &mut Buffer) {
    let detail = match state.pane {
        Pane::Operations => state.selected_operation().map(|operation| operations::detail(state, operation)),
        Pane::Services => state.selected_service().map(services::detail),
        Pane::Series => state.selected_series().map(series::detail),
    };
    let (false, Some((title, lines))) = (area.is_empty(), detail) else { return };
    rule(buffer, area, Line::raw(title), "");
    for (index, line) in (1..).zip(lines) {
        put(buffer, below(area, index, 1), &Line::raw(line));
    }
}
