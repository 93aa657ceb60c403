//! Models: those of a folder on this machine, and those that hosts reported. Only texts and numbers are read; the
//! weights and pickles are never opened.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{Training, TrainingDocument, TrainingError, handle::KIND, plan, result::Curve, wire};
use crate::{
    clock,
    operations::{Filter, Operation, State},
};

/// Operations that are read at a time, with their curves.
const AT_A_TIME: usize = 200;
/// Bytes of a metadata file that are read.
const METADATA_MAX: u64 = 4 << 20;

/// A model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    /// `demo/EURUSD_1h_v3`; of a host's, the id of its operation.
    pub id: String,
    /// Its strategy.
    pub strategy: String,
    /// What it was trained on.
    pub symbols: Vec<String>,
    /// What it was trained on.
    pub timeframes: Vec<String>,
    /// Digits of the folder's name.
    pub version: Option<u32>,
    /// As the metadata says it.
    pub created_at: String,
    /// On this machine, or `host:path`.
    pub path: String,
    /// Of all files.
    pub size: u64,
    /// The folder has no metadata.
    pub incomplete: bool,
    /// By name.
    pub metrics: BTreeMap<String, f64>,
    /// By name.
    pub curves: Vec<Curve>,
    /// The operation that trained it.
    pub operation: String,
    /// Where.
    pub host: String,
}

impl Training {
    /// All models, newest first, and where was looked.
    pub async fn models(&self) -> Result<(Vec<Model>, Option<PathBuf>), TrainingError> {
        Ok((self.models_from("").await?, self.parts.models_dir.clone()))
    }

    /// Those whose id begins so; only of them is anything read.
    async fn models_from(&self, prefix: &str) -> Result<Vec<Model>, TrainingError> {
        let (folder, wanted) = (self.parts.models_dir.clone(), prefix.to_owned());
        let read = move || folder.map(|folder| of_folder(&folder, |id| id.starts_with(&wanted))).unwrap_or_default();
        let mut models = tokio::task::spawn_blocking(read).await.map_err(|_| TrainingError::Defect)?;
        let filter = Filter { states: vec![State::Completed], kind: KIND.into(), id: prefix.into() };
        let mut after = None;
        loop {
            let page = self.parts.registry.list(&filter, after.as_ref(), AT_A_TIME).await?;
            models.extend(page.operations.iter().filter_map(|operation| of_operation(operation)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        models.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| b.id.cmp(&a.id)));
        Ok(models)
    }

    /// One by its id or the beginning of it.
    pub async fn model(&self, id: &str) -> Result<Model, TrainingError> {
        let mut models = if id.is_empty() { Vec::new() } else { self.models_from(id).await? };
        if let Some(at) = models.iter().position(|model| model.id == id) {
            return Ok(models.swap_remove(at));
        }
        match models.len() {
            1 => Ok(models.swap_remove(0)),
            0 => Err(TrainingError::ModelNotFound { id: id.chars().take(80).collect() }),
            count => Err(TrainingError::ModelAmbiguous { id: id.chars().take(80).collect(), count }),
        }
    }
}

fn of_operation(operation: &Operation) -> Option<Model> {
    let document = serde_json::from_str::<TrainingDocument>(operation.result.as_ref()?).ok()?;
    let [strategy, symbols, timeframes] = plan::parts_of_subject(&operation.subject);
    let list = |text: &str| text.split(',').map(str::to_owned).collect();
    Some(Model {
        id: operation.id.clone(),
        strategy: strategy.to_owned(),
        symbols: list(symbols),
        timeframes: list(timeframes),
        created_at: operation.ended.map(clock::text).unwrap_or_default(),
        path: document.model_path,
        metrics: document.metrics,
        curves: document.curves,
        operation: operation.id.clone(),
        host: document.host,
        ..Model::default()
    })
}

/// `<folder>/<strategy>/<name>_v<N>/`; links to the newest are skipped.
fn of_folder(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<Model> {
    let paths = folders(folder).into_iter().flat_map(|strategy| folders(&strategy));
    let ids = paths.filter_map(|path| Some((path.strip_prefix(folder).ok()?.to_string_lossy().into_owned(), path)));
    ids.filter(|(id, _)| wanted(id)).map(|(id, path)| of_path(id, &path)).collect()
}

/// Folders in it, without links; an unreadable one has none.
fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let real = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut found: Vec<PathBuf> = real.map(|entry| entry.path()).collect();
    found.retain(|path| !name(path).contains("_latest") && !name(path).starts_with('.'));
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn of_path(id: String, path: &Path) -> Model {
    let mut model = Model {
        strategy: path.parent().map(name).unwrap_or_default(),
        version: name(path).rsplit_once("_v").and_then(|(_, digits)| digits.parse().ok()),
        path: path.to_string_lossy().into_owned(),
        size: size(path),
        id,
        ..Model::default()
    };
    let metadata = json(&path.join("metadata.json"));
    let newest = json(&path.join("metadata_v3.json"));
    model.incomplete = metadata.is_none() && newest.is_none();
    for facts in [metadata, newest].into_iter().flatten() {
        describe(&mut model, &facts);
    }
    if let Some(metrics) = json(&path.join("metrics.json")) {
        model.metrics.extend(wire::figures(&metrics));
        model.curves = curves(metrics.get("history"));
    }
    model
}

fn describe(model: &mut Model, facts: &Value) {
    let text = |key: &str| facts.get(key).and_then(Value::as_str).map(str::to_owned);
    let texts = |key: &str| {
        let items = facts.get(key)?.as_array()?;
        Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
            .filter(|all| !all.is_empty())
    };
    if let Some(strategy) = text("strategy_name") {
        model.strategy = strategy;
    }
    if let Some(symbols) = texts("training_symbols").or_else(|| text("symbol").map(|one| vec![one])) {
        model.symbols = symbols;
    }
    if let Some(timeframes) = texts("training_timeframes").or_else(|| text("timeframe").map(|one| vec![one])) {
        model.timeframes = timeframes;
    }
    if let Some(created) = text("created_at") {
        model.created_at = created;
    }
    model.metrics.extend(wire::figures(facts));
    facts.get("training_summary").into_iter().for_each(|summary| model.metrics.extend(wire::figures(summary)));
}

fn curves(history: Option<&Value>) -> Vec<Curve> {
    let Some(history) = history.and_then(Value::as_object) else { return Vec::new() };
    let curve = |(name, values): (&String, &Value)| {
        let values: Vec<_> = values.as_array()?.iter().map(Value::as_f64).take(10_000).collect();
        (!values.is_empty()).then(|| Curve { name: name.clone(), values })
    };
    history.iter().filter_map(curve).collect()
}

fn size(path: &Path) -> u64 {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|file| file.len()).sum()
}

/// A file that is missing, too long or broken says nothing.
fn json(path: &Path) -> Option<Value> {
    let file = fs::metadata(path).ok().filter(|file| file.is_file() && file.len() <= METADATA_MAX)?;
    let text = fs::read(path).ok().filter(|_| file.len() > 0)?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn facts_come_from_the_metadata_and_never_from_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        put(
            root,
            "demo/EUR_USD_1h_v12/metadata.json",
            r#"{"strategy_name":"demo","symbol":"EURUSD","timeframe":"1h","created_at":"2025-08-20T10:00:00","training_summary":{"final_accuracy":0.5}}"#,
        );
        put(root, "demo/EUR_USD_1h_v12/metrics.json", r#"{"epochs_trained":4,"history":{"train_loss":[2.0,null]}}"#);
        put(root, "demo/EUR_USD_1h_v12/model_full.pt", "a pickle, never opened");
        put(
            root,
            "demo/1h_v3/metadata_v3.json",
            r#"{"training_symbols":["A","B"],"training_timeframes":["1h"],"training_metrics":{"test_accuracy":0.6}}"#,
        );
        put(root, "demo/half_v1/model.pt", "");
        put(root, "demo/broken_v2/metadata.json", "{");
        std::os::unix::fs::symlink("EUR_USD_1h_v12", root.join("demo/EUR_USD_1h_latest")).unwrap();
        put(root, "demo/x_latest/metadata.json", "{}");
        let models: BTreeMap<_, _> =
            of_folder(root, |_| true).into_iter().map(|model| (model.id.clone(), model)).collect();
        assert_eq!(
            models.keys().collect::<Vec<_>>(),
            ["demo/1h_v3", "demo/EUR_USD_1h_v12", "demo/broken_v2", "demo/half_v1"]
        );
        let model = &models["demo/EUR_USD_1h_v12"];
        assert_eq!(
            (model.version, model.symbols[0].as_str(), model.metrics["final_accuracy"]),
            (Some(12), "EURUSD", 0.5)
        );
        assert_eq!((model.curves[0].values.clone(), model.metrics["epochs_trained"]), (vec![Some(2.0), None], 4.0));
        assert!(model.size > 20 && !model.incomplete);
        assert_eq!((models["demo/1h_v3"].symbols.len(), models["demo/1h_v3"].metrics["test_accuracy"]), (2, 0.6));
        assert!(models["demo/half_v1"].incomplete && models["demo/broken_v2"].incomplete);
        assert!(of_folder(Path::new("/nowhere"), |_| true).is_empty());
    }

    /// What stands beside a model, written by a service of another version.
    #[test]
    fn foreign_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        put(root, "demo/1h_v3/model.pt", "");
        ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "training").count(600).memory(128, 1 << 20).check(
            |bytes| {
                for name in ["metadata.json", "metrics.json"] {
                    fs::write(root.join("demo/1h_v3").join(name), bytes).unwrap();
                }
                let models = of_folder(root, |_| true);
                assert_eq!((models.len(), models[0].id.as_str()), (1, "demo/1h_v3"));
                assert!(models[0].curves.iter().all(|curve| !curve.values.is_empty() && curve.values.len() <= 10_000));
                if models[0].incomplete {
                    Err("not readable".into())
                } else {
                    Ok(format!("{}", models[0].metrics.is_empty()))
                }
            },
        );
    }
}
