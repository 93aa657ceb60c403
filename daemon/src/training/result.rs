//! What is kept of a session that has ended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{progress::thinned, report::Report, wire};

/// Values of a curve that are kept.
const CURVE_MAX: usize = 200;

/// The result of a training; the operation's document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainingDocument {
    /// At the host.
    pub session_id: String,
    /// In the configuration.
    pub host: String,
    /// Figures of the end by name.
    pub metrics: BTreeMap<String, f64>,
    /// `host:path`; empty when the host keeps none.
    pub model_path: String,
    /// By name.
    pub curves: Vec<Curve>,
    /// Finished ones.
    pub epochs: u32,
    /// What a person should know.
    pub notes: Vec<String>,
    /// As the host reported it, for what is not known here. Kept, and never read back: it may be long.
    #[serde(skip_deserializing)]
    pub report: Option<Value>,
}

/// A learning curve.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// `train_loss`, …
    pub name: String,
    /// One an epoch; `None` where the host had no number.
    pub values: Vec<Option<f64>>,
}

impl TrainingDocument {
    /// What is known at the end: the last report, and what was seen on the way.
    pub(super) fn new(
        id: &str,
        host: &str,
        epochs: u32,
        curves: &BTreeMap<String, Vec<f64>>,
        last: Option<&Report>,
    ) -> Self {
        let summary = last.and_then(|report| report.summary.as_ref());
        let mut metrics = summary.map(wire::figures).unwrap_or_default();
        for (name, values) in curves {
            if let Some(value) = values.iter().rev().find(|value| value.is_finite()) {
                metrics.entry(format!("final_{name}")).or_insert(*value);
            }
        }
        let path = summary.and_then(|summary| summary.get("model_path")?.as_str());
        Self {
            session_id: id.to_owned(),
            host: host.to_owned(),
            metrics,
            // a path of that machine, for people; nobody here opens it
            model_path: path.map(|path| format!("{host}:{path}")).unwrap_or_default(),
            curves: curves.iter().map(|(name, values)| kept(name, values)).collect(),
            epochs,
            notes: Vec::new(),
            report: summary.filter(|summary| summary.to_string().len() <= 64 * 1024).cloned(),
        }
    }
}

fn kept(name: &str, values: &[f64]) -> Curve {
    let values = thinned(values, CURVE_MAX).into_iter().map(|value| value.is_finite().then_some(value)).collect();
    Curve { name: name.to_owned(), values }
}
