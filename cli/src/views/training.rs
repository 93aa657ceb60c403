//! Trainings and models: `models …`, and what `operations …` shows of a training.

use std::collections::BTreeMap;

use ktrdr_proto::v1::{Model, TrainingCurve, TrainingPlan, TrainingProgress, TrainingResult};
use serde::Serialize;

use crate::time::Instant;

/// The result of a training.
#[derive(Debug, Serialize)]
pub(crate) struct TrainingView {
    pub(crate) session_id: String,
    pub(crate) host: String,
    pub(crate) metrics: BTreeMap<String, f64>,
    /// `host:path`, a file of that machine.
    pub(crate) model_path: Option<String>,
    pub(crate) epochs: u32,
    pub(crate) curves: BTreeMap<String, Vec<Option<f64>>>,
    pub(crate) notes: Vec<String>,
}

impl From<&TrainingResult> for TrainingView {
    fn from(result: &TrainingResult) -> Self {
        Self {
            session_id: result.session_id.clone(),
            host: result.host.clone(),
            metrics: ordered(&result.metrics),
            model_path: some(&result.model_path),
            epochs: result.epochs,
            curves: curves(&result.curves),
            notes: result.notes.clone(),
        }
    }
}

/// What a host reported last.
#[derive(Debug, Serialize)]
pub(crate) struct TrainingProgressView {
    pub(crate) host: Option<String>,
    pub(crate) queue_position: Option<u32>,
    pub(crate) epoch: u32,
    pub(crate) epochs: u32,
    pub(crate) batch: u32,
    pub(crate) batches: u32,
    pub(crate) loss: Option<f64>,
    pub(crate) accuracy: Option<f64>,
    pub(crate) validation_loss: Option<f64>,
    pub(crate) validation_accuracy: Option<f64>,
    pub(crate) gpu: Option<String>,
    pub(crate) gpu_memory_mb: Option<f64>,
    pub(crate) gpu_memory_total_mb: Option<f64>,
    pub(crate) seconds_left: Option<f64>,
    pub(crate) host_state: Option<String>,
}

impl From<&TrainingProgress> for TrainingProgressView {
    fn from(progress: &TrainingProgress) -> Self {
        Self {
            host: some(&progress.host),
            queue_position: Some(progress.queue_position).filter(|position| *position > 0),
            epoch: progress.epoch,
            epochs: progress.epochs,
            batch: progress.batch,
            batches: progress.batches,
            loss: progress.loss,
            accuracy: progress.accuracy,
            validation_loss: progress.validation_loss,
            validation_accuracy: progress.validation_accuracy,
            gpu: some(&progress.gpu),
            gpu_memory_mb: progress.gpu_memory_mb,
            gpu_memory_total_mb: progress.gpu_memory_total_mb,
            seconds_left: progress.seconds_left,
            host_state: some(&progress.host_state),
        }
    }
}

/// What a training would be.
#[derive(Debug, Serialize)]
pub(crate) struct PlanView {
    pub(crate) strategy: String,
    pub(crate) symbols: Vec<String>,
    pub(crate) timeframes: Vec<String>,
    pub(crate) start_date: Option<String>,
    pub(crate) end_date: Option<String>,
    pub(crate) epochs: u32,
    pub(crate) batch_size: u32,
    pub(crate) hosts: Vec<HostView>,
    pub(crate) series: Vec<SeriesView>,
    pub(crate) notes: Vec<String>,
}

/// A host that it may run on.
#[derive(Debug, Serialize)]
pub(crate) struct HostView {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) version: Option<String>,
    pub(crate) slots: u32,
    pub(crate) free: u32,
    pub(crate) trouble: Option<String>,
    pub(crate) gives_result: bool,
    pub(crate) stops: bool,
    pub(crate) honours_dates: bool,
}

/// What is stored of a series.
#[derive(Debug, Serialize)]
pub(crate) struct SeriesView {
    pub(crate) symbol: String,
    pub(crate) timeframe: String,
    pub(crate) bars: u64,
    pub(crate) start: Option<Instant>,
    pub(crate) end: Option<Instant>,
}

impl From<&TrainingPlan> for PlanView {
    fn from(plan: &TrainingPlan) -> Self {
        let host = |host: &ktrdr_proto::v1::PlannedHost| HostView {
            name: host.name.clone(),
            url: host.url.clone(),
            version: some(&host.version),
            slots: host.slots,
            free: host.free,
            trouble: some(&host.trouble),
            gives_result: host.gives_result,
            stops: host.stops,
            honours_dates: host.honours_dates,
        };
        let series = |series: &ktrdr_proto::v1::TrainingSeries| SeriesView {
            symbol: series.symbol.clone(),
            timeframe: series.timeframe.clone(),
            bars: series.bars,
            start: series.first_ns.map(Instant),
            end: series.last_ns.map(Instant),
        };
        Self {
            strategy: plan.strategy.clone(),
            symbols: plan.symbols.clone(),
            timeframes: plan.timeframes.clone(),
            start_date: some(&plan.start_date),
            end_date: some(&plan.end_date),
            epochs: plan.epochs,
            batch_size: plan.batch_size,
            hosts: plan.hosts.iter().map(host).collect(),
            series: plan.series.iter().map(series).collect(),
            notes: plan.notes.clone(),
        }
    }
}

/// A model.
#[derive(Debug, Serialize)]
pub(crate) struct ModelView {
    pub(crate) id: String,
    pub(crate) strategy: String,
    pub(crate) symbols: Vec<String>,
    pub(crate) timeframes: Vec<String>,
    pub(crate) version: Option<u32>,
    pub(crate) created_at: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) size_bytes: u64,
    pub(crate) incomplete: bool,
    pub(crate) metrics: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) curves: BTreeMap<String, Vec<Option<f64>>>,
    pub(crate) operation: Option<String>,
    pub(crate) host: Option<String>,
}

impl From<&Model> for ModelView {
    fn from(model: &Model) -> Self {
        Self {
            id: model.id.clone(),
            strategy: model.strategy.clone(),
            symbols: model.symbols.clone(),
            timeframes: model.timeframes.clone(),
            version: model.version,
            created_at: some(&model.created_at),
            path: some(&model.path),
            size_bytes: model.size_bytes,
            incomplete: model.incomplete,
            metrics: ordered(&model.metrics),
            curves: curves(&model.curves),
            operation: some(&model.operation),
            host: some(&model.host),
        }
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn ordered(metrics: &std::collections::HashMap<String, f64>) -> BTreeMap<String, f64> {
    metrics.iter().map(|(name, value)| (name.clone(), *value)).collect()
}

/// JSON has no NaN.
fn curves(curves: &[TrainingCurve]) -> BTreeMap<String, Vec<Option<f64>>> {
    let finite = |value: &f64| value.is_finite().then_some(*value);
    curves.iter().map(|curve| (curve.name.clone(), curve.values.iter().map(finite).collect())).collect()
}

/// `0.5312`, `1,234`: figures of a model for people.
pub(crate) fn figure(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e9 { format!("{value:.0}") } else { format!("{value:.4}") }
}
