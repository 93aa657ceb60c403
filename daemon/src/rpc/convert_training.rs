//! Trainings on the wire.

use ktrdr_proto::{reason, v1 as pb};
use serde::Deserialize;
use tonic::Status;

use super::status;
use crate::{
    operations::{Filter, State},
    training::{
        Capabilities, Curve, Detail, Format, Model, Plan, PlannedHost, StartRequest, StoredSeries, TrainingDocument,
    },
};

/// Where nobody says.
const PRIORITY: u32 = 5;

pub(super) fn request(request: &pb::StartTrainingRequest) -> Result<StartRequest, Status> {
    let file = request.strategy.as_ref().ok_or_else(|| status::invalid("the strategy is missing"))?;
    let not_text = |_| status::new(&reason::STRATEGY_INVALID, format!("{} is not UTF-8 text", file.label));
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Ok(StartRequest {
        label: file.label.chars().filter(|c| !c.is_control()).take(200).collect(),
        strategy: String::from_utf8(file.content.clone()).map_err(not_text)?,
        symbols: request.symbols.clone(),
        timeframes: request.timeframes.clone(),
        start_date: some(&request.start_date),
        end_date: some(&request.end_date),
        host: some(&request.host),
        labels: request.labels.clone(),
        priority: request.priority.unwrap_or(PRIORITY),
        load_missing: request.load_missing,
    })
}

pub(super) fn filter(active: bool) -> Filter {
    let states = if active { vec![State::Pending, State::Running] } else { Vec::new() };
    Filter { states, kind: "training".into(), id: String::new() }
}

pub(super) fn plan(plan: &Plan, hosts: Vec<PlannedHost>, series: Vec<StoredSeries>) -> pb::TrainingPlan {
    let notes = notes(plan, &hosts, &series);
    pb::TrainingPlan {
        strategy: plan.strategy.name.clone(),
        symbols: plan.symbols.clone(),
        timeframes: plan.timeframes.clone(),
        start_date: plan.start_date.clone().unwrap_or_default(),
        end_date: plan.end_date.clone().unwrap_or_default(),
        epochs: plan.strategy.epochs,
        batch_size: plan.strategy.batch_size,
        hosts: hosts.into_iter().map(host).collect(),
        series: series.into_iter().map(stored).collect(),
        notes,
    }
}

/// What a person should know before it begins.
fn notes(plan: &Plan, hosts: &[PlannedHost], series: &[StoredSeries]) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for host in hosts {
        let own = host.capabilities.as_ref().map(Capabilities::notes).unwrap_or_default();
        notes.extend(own.into_iter().map(|note| format!("{} {note}", host.name)));
    }
    let missing: Vec<_> = series
        .iter()
        .filter(|one| one.stored.is_none())
        .map(|one| format!("{} {}", one.symbol, one.timeframe))
        .collect();
    if !missing.is_empty() {
        notes.push(format!("not stored here: {}; a host reads files of its own", missing.join(", ")));
    }
    let (start, end) = (plan.start_date.as_deref(), plan.end_date.as_deref());
    for one in series.iter().filter(|one| one.is_outside(start, end)) {
        notes.push(format!("nothing of {} {} is stored here for these dates", one.symbol, one.timeframe));
    }
    if plan.strategy.format == Format::V1 {
        notes.push("the file is of format 1.0; later hosts may not read it".into());
    }
    notes
}

fn host(host: PlannedHost) -> pb::PlannedHost {
    let (known, trouble) = match host.capabilities {
        Ok(capabilities) => (Some(capabilities), String::new()),
        Err(trouble) => (None, trouble),
    };
    pb::PlannedHost {
        name: host.name,
        url: host.url,
        version: known.map(|known| known.generation.to_owned()).unwrap_or_default(),
        slots: u32::try_from(host.slots).unwrap_or(u32::MAX),
        free: u32::try_from(host.free).unwrap_or(u32::MAX),
        trouble,
        gives_result: known.is_some_and(|known| known.result),
        stops: known.is_some_and(|known| known.can_stop()),
        honours_dates: known.is_some_and(|known| known.real),
    }
}

fn stored(series: StoredSeries) -> pb::TrainingSeries {
    pb::TrainingSeries {
        symbol: series.symbol,
        timeframe: series.timeframe,
        bars: series.stored.map(|(bars, _, _)| bars).unwrap_or_default(),
        first_ns: series.stored.map(|(_, first, _)| first),
        last_ns: series.stored.map(|(_, _, last)| last),
    }
}

/// The detail of a training's progress; one of a later version is left out.
pub(super) fn progress(detail: Option<&serde_json::Value>) -> Option<pb::TrainingProgress> {
    let detail = Detail::deserialize(detail?).ok()?;
    Some(pb::TrainingProgress {
        host: detail.host,
        queue_position: detail.queue_position,
        epoch: detail.epoch,
        epochs: detail.epochs,
        batch: detail.batch,
        batches: detail.batches,
        loss: detail.loss,
        accuracy: detail.accuracy,
        validation_loss: detail.validation_loss,
        validation_accuracy: detail.validation_accuracy,
        loss_curve: detail.loss_curve,
        gpu: detail.gpu,
        gpu_memory_mb: detail.gpu_memory_mb.map(|(used, _)| used),
        gpu_memory_total_mb: detail.gpu_memory_mb.map(|(_, total)| total),
        seconds_left: detail.seconds_left,
        host_state: detail.host_state,
    })
}

pub(super) fn result(document: TrainingDocument) -> pb::TrainingResult {
    pb::TrainingResult {
        session_id: document.session_id,
        host: document.host,
        metrics: document.metrics.into_iter().collect(),
        model_path: document.model_path,
        curves: document.curves.into_iter().map(curve).collect(),
        epochs: document.epochs,
        notes: document.notes,
    }
}

fn curve(curve: Curve) -> pb::TrainingCurve {
    let values = curve.values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    pb::TrainingCurve { name: curve.name, values }
}

pub(super) fn model(model: Model, with_curves: bool) -> pb::Model {
    pb::Model {
        id: model.id,
        strategy: model.strategy,
        symbols: model.symbols,
        timeframes: model.timeframes,
        version: model.version,
        created_at: model.created_at,
        path: model.path,
        size_bytes: model.size,
        incomplete: model.incomplete,
        metrics: model.metrics.into_iter().collect(),
        curves: if with_curves { model.curves.into_iter().map(curve).collect() } else { Vec::new() },
        operation: model.operation,
        host: model.host,
    }
}
