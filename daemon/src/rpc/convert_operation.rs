//! Operations on the wire. Their results are documents by kind.

use ktrdr_proto::v1::{self as pb, operation::Result as WireResult};
use serde::Deserialize;

use super::{convert, convert_training};
use crate::{
    error::Failure,
    market_data::{FindingDocument, ImportDocument, ImportedFileDocument, LoadDocument, LoadsDocument, RepairDocument},
    model::{SeriesKey, Symbol, Timeframe},
    operations::{Operation, Part, State},
};

pub(super) fn state(value: i32) -> Option<State> {
    State::ALL.into_iter().find(|state| i32::from(state_to_wire(*state)) == value)
}

fn state_to_wire(state: State) -> pb::OperationState {
    match state {
        State::Pending => pb::OperationState::Pending,
        State::Running => pb::OperationState::Running,
        State::Completed => pb::OperationState::Completed,
        State::Failed => pb::OperationState::Failed,
        State::Cancelled => pb::OperationState::Cancelled,
        State::Interrupted => pb::OperationState::Interrupted,
    }
}

pub(super) fn operation(operation: &Operation) -> pb::Operation {
    pb::Operation {
        id: operation.id.clone(),
        kind: operation.kind.clone(),
        state: state_to_wire(operation.state).into(),
        subject: operation.subject.clone(),
        progress: Some(pb::Progress {
            percent: operation.percent(),
            done: operation.progress.done,
            total: operation.progress.total,
            unit: operation.progress.unit.clone(),
            message: operation.progress.message.clone(),
            parts: operation.progress.parts.iter().map(part).collect(),
            training: convert_training::progress(operation.progress.detail.as_ref()),
        }),
        created_at_ns: operation.created,
        started_at_ns: operation.started,
        ended_at_ns: operation.ended,
        failure: operation.failure.as_ref().map(failure),
        result: result(operation),
        retry_of: operation.retry_of.clone(),
    }
}

fn part(part: &Part) -> pb::ProgressPart {
    let state = State::parse(&part.state).map_or(pb::OperationState::Unspecified, state_to_wire);
    pb::ProgressPart {
        name: part.name.clone(),
        state: state.into(),
        done: part.done,
        total: part.total,
        message: part.message.clone(),
    }
}

/// A document that this daemon cannot read (of a later version) is left out.
fn result(operation: &Operation) -> Option<WireResult> {
    fn read<'a, T: Deserialize<'a>>(document: &'a str) -> Option<T> {
        serde_json::from_str(document).ok()
    }
    let document = operation.result.as_ref()?;
    match operation.kind.as_str() {
        "load" => read(document).map(|document| WireResult::Load(load(document))),
        "import" => read(document).map(|document| WireResult::Import(import(document))),
        "loads" => read(document).map(|document| WireResult::Loads(loads(document))),
        "training" => read(document).map(|document| WireResult::Training(convert_training::result(document))),
        "repair" => read(document).map(|document| WireResult::Repair(repair(document))),
        _ => None,
    }
}

pub(super) fn failure(failure: &Failure) -> pb::Failure {
    pb::Failure {
        reason: failure.listed_reason().name.into(),
        messages: failure.messages.clone(),
        metadata: failure.metadata.clone().into_iter().collect(),
        retry_after_seconds: failure.retry_after_seconds,
    }
}

fn series(symbol: &str, timeframe: &str) -> Option<pb::SeriesId> {
    let key = SeriesKey { symbol: Symbol::parse(symbol).ok()?, timeframe: Timeframe::parse(timeframe)? };
    Some(convert::series_id(&key))
}

fn load(document: LoadDocument) -> pb::LoadResult {
    pb::LoadResult {
        series: series(&document.symbol, &document.timeframe),
        mode: document.mode,
        bars_loaded: document.bars_loaded,
        bars_total: document.bars_total,
        bars_revised: document.bars_revised,
        requests_made: document.requests_made,
        gaps_left: document
            .gaps_left
            .iter()
            .map(|gap| pb::TimeRange { start_ns: Some(gap.start), end_ns: Some(gap.end) })
            .collect(),
    }
}

fn loads(document: LoadsDocument) -> pb::LoadsResult {
    let series = document.series.into_iter().map(|one| pb::LoadedSeries {
        state: State::parse(&one.state).map_or(pb::OperationState::Unspecified, state_to_wire).into(),
        load: Some(load(one.load)),
        failure: one.failure.as_ref().map(failure),
    });
    pb::LoadsResult { series: series.collect() }
}

fn repair(document: RepairDocument) -> pb::RepairResult {
    let series = series(&document.symbol, &document.timeframe);
    pb::RepairResult { series, dropped: document.dropped, load: Some(load(document.load)) }
}

fn import(document: ImportDocument) -> pb::ImportResult {
    pb::ImportResult { files: document.files.into_iter().map(imported_file).collect() }
}

fn imported_file(file: ImportedFileDocument) -> pb::ImportedFile {
    let finding = |one: FindingDocument| pb::RowFinding { reason: one.reason, count: one.count, lines: one.lines };
    pb::ImportedFile {
        label: file.label,
        series: file.series.and_then(|(symbol, timeframe)| series(&symbol, &timeframe)),
        rows: file.rows,
        added: file.added,
        unchanged: file.unchanged,
        revised: file.revised,
        rejected: file.rejected.into_iter().map(finding).collect(),
        notes: file.notes.into_iter().map(finding).collect(),
        failure: file.failure.as_ref().map(failure),
    }
}
