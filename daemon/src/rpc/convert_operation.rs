//! Operations on the wire. Their results are documents by kind.

use ktrdr_proto::v1::{self as pb, operation::Result as WireResult};
use prost::Message;
use serde::Deserialize;
use tonic::Status;

use super::{convert, convert_training, status};
use crate::{
    error::Failure,
    market_data::{FindingDocument, ImportDocument, ImportedFileDocument, LoadDocument, LoadsDocument, RepairDocument},
    metrics::KINDS,
    model::{SeriesKey, Symbol, Timeframe},
    operations::{Filter, Operation, Page, Part, State},
    store::Place,
};

/// Bytes of a page of operations: clients take no more than 4 MiB at once, unless they were told to.
const PAGE_BYTES: usize = 3 << 20;

/// Bytes of an id in a token, generously.
const ID_MAX: usize = 100;

/// The operations of a page, which is shortened to what fits into an answer. Of one that is longer than that, result and parts of the
/// progress are left to [`operation`].
fn page(page: &mut Page) -> Vec<pb::Operation> {
    let (mut operations, mut bytes) = (Vec::with_capacity(page.operations.len()), 0);
    for one in &page.operations {
        let mut one = operation(one);
        if one.encoded_len() > PAGE_BYTES {
            one.result = None;
            one.progress.iter_mut().for_each(|progress| progress.parts.clear());
        }
        bytes += one.encoded_len();
        if bytes > PAGE_BYTES && !operations.is_empty() {
            break;
        }
        operations.push(one);
    }
    page.shorten(operations.len());
    operations
}

/// A page as the contract has it.
pub(super) fn listed(mut listed: Page) -> pb::ListOperationsResponse {
    let operations = page(&mut listed);
    let next_page_token = token(listed.next.as_ref());
    pb::ListOperationsResponse { operations, next_page_token, total: listed.total as u64 }
}

/// Where to go on after a page, for the client to give back.
fn token(next: Option<&Place>) -> String {
    next.map(|(created, id)| format!("{created}.{id}")).unwrap_or_default()
}

/// What [`token`] has made.
pub(super) fn after(token: &str) -> Result<Option<Place>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let parts = token.split_once('.').filter(|(_, id)| id.len() <= ID_MAX);
    let place = parts.and_then(|(created, id)| Some((created.parse().ok()?, id.to_owned())));
    place.map(Some).ok_or_else(|| status::invalid("the page token is none that an answer gave"))
}

/// Which operations are asked for.
pub(super) fn filter(request: &pb::ListOperationsRequest) -> Result<Filter, Status> {
    let states = request.states.iter().map(|value| state(*value)).collect::<Option<Vec<_>>>();
    let states = states.ok_or_else(|| status::invalid("there is no such operation state"))?;
    let kind = request.kind.clone();
    if !kind.is_empty() && !KINDS.contains(&&*kind) {
        let kinds = KINDS.join(", ");
        return Err(status::invalid(format!("there is no kind of operation {kind:?}; there are {kinds}")));
    }
    Ok(Filter { states, kind, id: String::new() })
}

fn state(value: i32) -> Option<State> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Nanos, operations::Progress};

    fn saying(created: Nanos, bytes: usize) -> Operation {
        Operation {
            id: format!("op_load_{created}"),
            kind: "load".into(),
            state: State::Running,
            subject: "AAPL 1h".into(),
            request_id: String::new(),
            spec: String::new(),
            created,
            started: None,
            ended: None,
            progress: Progress { message: "x".repeat(bytes), ..Progress::default() },
            failure: None,
            result: None,
            retry_of: None,
        }
    }

    fn of(each: usize) -> (usize, String) {
        let operations = (1..=5).rev().map(|created| saying(created, each).into()).collect();
        let mut whole = Page { operations, next: None, total: 5 };
        (page(&mut whole).len(), token(whole.next.as_ref()))
    }

    #[test]
    fn a_page_that_no_client_would_take_is_shortened() {
        assert_eq!(of(10), (5, String::new()));
        assert_eq!(of(1 << 20), (2, "4.op_load_4".into()), "a page must leave room for the rest of the answer");
        assert_eq!(of(9 << 20), (1, "5.op_load_5".into()), "one that is too large is no reason to show none");
    }

    #[test]
    fn a_result_that_is_too_long_for_a_list_is_left_out_of_it() {
        let label = "x".repeat(PAGE_BYTES);
        let mut file =
            serde_json::json!({"rows": 1, "added": 1, "unchanged": 0, "revised": 0, "rejected": [], "notes": []});
        file["label"] = label.into();
        let result = serde_json::json!({ "files": [file] }).to_string();
        let long = Operation { kind: "import".into(), result: Some(result), ..saying(1, 10) };
        assert!(operation(&long).result.is_some());
        let mut listed = Page { operations: vec![long.into(), saying(2, 10).into()], next: None, total: 2 };
        let shown = page(&mut listed);
        assert_eq!((shown.len(), shown[0].result.is_some(), shown[0].id.as_str()), (2, false, "op_load_1"));
    }

    #[test]
    fn a_token_says_where_to_go_on() {
        let place = Some((1_732_000_000_000_000_001, "op_load_01JD.A".to_owned()));
        assert_eq!(after(&token(place.as_ref())).unwrap(), place);
        assert_eq!(after("").unwrap(), None);
        for made_up in ["op_load_1", "x.op_load_1", ".", &format!("1.{}", "x".repeat(1_000))] {
            assert!(after(made_up).is_err(), "{made_up}");
        }
    }
}
