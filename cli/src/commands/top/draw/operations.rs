//! The operations, and one of them in detail.

use ktrdr_proto::v1::{Operation, OperationState, operation};

use super::{
    super::{pace, state::State},
    grid::Column,
    paint::GAP,
};
use crate::{
    failure::Failure,
    follow::has_ended,
    output::{
        gauge::gauge,
        progress,
        table::{Cell, Tone, thousands},
    },
    time::{Stamps, span},
    views::operation::state_cell,
};

/// From this width on, ids are whole and bars are long.
const WIDE: u16 = 140;
/// Characters at the end of an id that tell it from others: the rest is when it was made.
const ID_END: usize = 6;

pub(super) fn columns(width: u16) -> [Column; 8] {
    let subject = if width >= WIDE { 40 } else { 18 };
    [
        Column::new("ID", 3),
        Column::new("KIND", 5),
        Column::new("SUBJECT", 0).between(0, subject),
        Column::new("STATE", 1).between(9, 11),
        Column::new("PROGRESS", 2),
        Column::new("RATE", 7).right().between(6, 6),
        Column::new("TIME", 4).right().between(7, 8),
        Column::new("DOING", 6).between(12, 0),
    ]
}

pub(super) fn row(state: &State, operation: &Operation, width: u16) -> Vec<Cell> {
    let wide = width >= WIDE;
    let id = if wide { operation.id.clone() } else { end_of(&operation.id) };
    let stopping = state.stopping.contains(&operation.id) && !has_ended(operation);
    let state_of = if stopping { Cell::toned("stopping", Tone::Busy) } else { state_cell(operation) };
    let percent = operation.progress.as_ref().and_then(|progress| progress.percent).filter(|_| !has_ended(operation));
    let bar = if wide { 16 } else { 6 };
    let progress = percent.map(|percent| format!("{} {percent:>3.0}%", gauge(percent / 100.0, bar)));
    let start = operation.started_at_ns.unwrap_or(operation.created_at_ns);
    vec![
        id.into(),
        operation.kind.as_str().into(),
        operation.subject.as_str().into(),
        state_of,
        progress.unwrap_or_default().into(),
        state.pace.of(operation).map(pace::in_words).unwrap_or_default().into(),
        span(start, operation.ended_at_ns.unwrap_or(state.look.at_ns)).into(),
        doing(operation),
    ]
}

/// `…4P6R8T`.
fn end_of(id: &str) -> String {
    let start = id.len().saturating_sub(ID_END);
    match id.get(start..) {
        Some(end) if start > 0 => format!("…{end}"),
        _ => id.to_owned(),
    }
}

/// What it does now, or what came of it.
fn doing(operation: &Operation) -> Cell {
    if let Some(failure) = Failure::from_operation(operation) {
        let tone = if operation.state() == OperationState::Failed { Tone::Bad } else { Tone::Plain };
        return Cell::toned(failure.messages().join(": "), tone);
    }
    match &operation.result {
        Some(operation::Result::Load(load)) => format!("{} new bars", thousands(load.bars_loaded)).into(),
        Some(operation::Result::Loads(loads)) => format!("{} series", loads.series.len()).into(),
        Some(operation::Result::Import(import)) => format!("{} files", import.files.len()).into(),
        Some(operation::Result::Repair(repair)) => format!("{} bars dropped", thousands(repair.dropped)).into(),
        Some(operation::Result::Training(training)) => format!("{} epochs", training.epochs).into(),
        None => operation.progress.as_ref().map(progress::in_words).unwrap_or_default().into(),
    }
}

/// `2 running, 12 pending`. Of those that have ended, not all are here.
pub(super) fn count(operations: &[Operation]) -> String {
    let in_state = |state| operations.iter().filter(|operation| operation.state() == state).count();
    match (in_state(OperationState::Running), in_state(OperationState::Pending)) {
        (0, 0) => "none under way".to_owned(),
        (running, 0) => format!("{running} running"),
        (running, pending) => format!("{running} running, {pending} pending"),
    }
}

/// Its whole name, and two lines.
pub(super) fn detail(state: &State, operation: &Operation) -> (String, [String; 2]) {
    let mut stamps = Stamps::default();
    let mut parts = vec![operation.kind.clone(), operation.subject.clone()];
    parts.push(format!("created {}", stamps.plain(operation.created_at_ns).get(..19).unwrap_or_default()));
    if let Some(progress) = operation.progress.as_ref().filter(|progress| progress.total > 0) {
        parts.push(format!("{} of {} {}", progress.done, progress.total, progress.unit));
    }
    parts.extend(state.pace.of(operation).map(pace::in_words));
    parts.extend(operation.retry_of.as_ref().map(|id| format!("retry of {id}")));
    let second = match Failure::from_operation(operation) {
        Some(failure) => {
            let hint = failure.next_step().map(|hint| format!("{GAP}hint: {hint}")).unwrap_or_default();
            format!("{}: {}{hint}", failure.reason(), failure.messages().join(": "))
        }
        None => doing(operation).text().to_owned(),
    };
    (operation.id.clone(), [parts.join(GAP), second])
}
