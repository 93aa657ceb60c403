//! Answers of the training services, read as leniently as they are written (pure): numbers may be null, texts or
//! missing, lists hold anything, and what is not known is kept as it came.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A number, or nothing: whatever else stands there is not worth an error.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_f64())
}

/// A text; null and anything else is none.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_str().map(str::to_owned))
}

/// `GET /training/sessions`.
#[derive(Debug, Deserialize)]
pub(super) struct SessionsList {
    pub(super) sessions: Vec<Session>,
}

/// One of them, or `GET /training/status/{id}`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "as the service spells it")]
pub(super) struct Session {
    pub(super) session_id: String,
    pub(super) status: String,
    pub(super) progress: SessionProgress,
    pub(super) metrics: BTreeMap<String, Vec<Value>>,
    pub(super) gpu_usage: GpuUsage,
    #[serde(deserialize_with = "text")]
    pub(super) error: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct SessionProgress {
    #[serde(deserialize_with = "number")]
    pub(super) epoch: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub(super) total_epochs: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub(super) batch: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub(super) total_batches: Option<f64>,
    /// Batches of all epochs, in the later generations.
    #[serde(deserialize_with = "number")]
    pub(super) items_processed: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub(super) items_total: Option<f64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct GpuUsage {
    pub(super) gpu_memory: GpuMemory,
}

/// Missing without a GPU.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct GpuMemory {
    #[serde(deserialize_with = "number")]
    pub(super) allocated_mb: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub(super) total_mb: Option<f64>,
}

/// `GET /api/v1/operations/{id}`: the object lies below `data`.
#[derive(Debug, Deserialize)]
pub(super) struct OneOperation {
    pub(super) data: HostOperation,
}

/// `GET /api/v1/operations`.
#[derive(Debug, Deserialize)]
pub(super) struct OperationsList {
    pub(super) data: Vec<HostOperation>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct HostOperation {
    pub(super) operation_id: String,
    pub(super) status: String,
    pub(super) progress: OperationProgress,
    /// In a list, which tells no steps.
    #[serde(deserialize_with = "number")]
    pub(super) progress_percentage: Option<f64>,
    #[serde(deserialize_with = "text")]
    pub(super) error_message: Option<String>,
    pub(super) metrics: Option<Value>,
    pub(super) result_summary: Option<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct OperationProgress {
    #[serde(deserialize_with = "number")]
    pub(super) steps_completed: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub(super) steps_total: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub(super) items_processed: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub(super) items_total: Option<f64>,
}

/// `DELETE /api/v1/operations/{id}/cancel`: the outer flag is always true.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Cancelled {
    pub(super) data: CancelledData,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CancelledData {
    pub(super) success: bool,
}

/// `POST /training/start` of the first generation.
#[derive(Debug, Serialize)]
pub(super) struct StartMaps<'a> {
    pub(super) session_id: &'a str,
    pub(super) model_configuration: Value,
    pub(super) training_configuration: Value,
    pub(super) data_configuration: Value,
    pub(super) gpu_configuration: Value,
}

/// `POST /training/start` of the later ones.
#[derive(Debug, Serialize)]
pub(super) struct StartYaml<'a> {
    pub(super) task_id: &'a str,
    pub(super) session_id: &'a str,
    pub(super) strategy_yaml: &'a str,
    pub(super) symbols: &'a [String],
    pub(super) timeframes: &'a [String],
    pub(super) start_date: Option<&'a str>,
    pub(super) end_date: Option<&'a str>,
}

/// Numbers of an object, also those one level down, by name.
pub(super) fn figures(value: &Value) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    let mut take = |map: &Map<String, Value>| {
        for (name, value) in map.iter().filter(|(name, _)| name.len() <= 60).take(100) {
            if let Some(number) = value.as_f64() {
                found.insert(name.clone(), number);
            }
        }
    };
    if let Some(map) = value.as_object() {
        take(map);
        for key in ["training_metrics", "test_metrics"] {
            map.get(key).and_then(Value::as_object).into_iter().for_each(&mut take);
        }
    }
    found
}
