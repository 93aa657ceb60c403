//! Keys and words that are nearly known ones (pure). The services pass over a key that they do not know, so that a training with a misspelt
//! one is another training than the one that was described. What is not near a known key is somebody's own, and passes.

use strsim::osa_distance;

use super::{Mistake, yaml::Node};

/// Where keys are known, and which; `*` is every entry of a list or map.
const KEYS: [(&str, &[&str]); 14] = [
    (
        "",
        &[
            "name",
            "version",
            "description",
            "hypothesis",
            "scope",
            "data",
            "training_data",
            "deployment",
            "indicators",
            "fuzzy_sets",
            "nn_inputs",
            "model",
            "decisions",
            "training",
            "orchestrator",
            "risk_management",
            "backtesting",
        ],
    ),
    ("training_data", DATA),
    ("data", DATA),
    ("training_data.symbols", &["mode", "symbol", "symbols", "list", "selection_criteria"]),
    ("training_data.timeframes", &["mode", "timeframe", "timeframes", "list", "base_timeframe"]),
    ("deployment", &["target_symbols", "target_timeframes"]),
    (
        "indicators.*",
        &["name", "type", "source", "period", "fast_period", "slow_period", "signal_period", "multiplier"],
    ),
    ("model", &["type", "architecture", "features", "training", "symbol_embedding_dim", "input_size"]),
    ("model.architecture", &["hidden_layers", "activation", "output_activation", "dropout"]),
    ("model.features", &["include_price_context", "lookback_periods", "scale_features"]),
    ("model.training", &["learning_rate", "batch_size", "epochs", "optimizer", "early_stopping", "analytics"]),
    ("decisions", &["output_format", "confidence_threshold", "position_awareness", "filters"]),
    ("training", &["method", "labels", "data_split", "epochs", "batch_size"]),
    ("training.labels", &["source", "zigzag_threshold", "label_lookahead"]),
];
const DATA: &[&str] = &["symbols", "timeframes", "history_required"];

/// Where a word is one of few that are known.
const WORDS: [(&str, &[&str]); 4] = [
    ("training.labels.source", &["zigzag"]),
    ("model.architecture.activation", &["relu", "tanh", "sigmoid"]),
    ("model.architecture.output_activation", &["softmax"]),
    ("model.training.optimizer", &["adam"]),
];

/// A key that was meant, by its path, and what is said of the one that is there.
pub(super) struct Typo {
    pub(super) meant: String,
    pub(super) mistake: Mistake,
}

/// All of them.
pub(super) fn all(root: &Node) -> Vec<Typo> {
    let mut typos = Vec::new();
    for (path, known) in KEYS {
        for node in nodes(root, path) {
            typos.extend(misspelt(node, path, known));
        }
    }
    for (path, known) in WORDS {
        let Some(node) = root.at(path) else { continue };
        let word = node.text().unwrap_or_default();
        if let Some(near) = near(word, known) {
            let what = format!("{path} is {word:?}: did you mean {near}?");
            typos.push(Typo { meant: path.to_owned(), mistake: Mistake::new(node.line, what) });
        }
    }
    typos
}

fn nodes<'a>(root: &'a Node, path: &str) -> Vec<&'a Node> {
    match path.strip_suffix(".*") {
        None if path.is_empty() => vec![root],
        None => root.at(path).into_iter().collect(),
        Some(above) => {
            let Some(node) = root.at(above) else { return Vec::new() };
            let named = node.map().unwrap_or_default().iter().map(|(_, entry)| entry);
            node.list().unwrap_or_default().iter().chain(named).collect()
        }
    }
}

/// Keys of one place that are nearly ones which are missing there.
fn misspelt(node: &Node, path: &str, known: &[&str]) -> Vec<Typo> {
    let missing: Vec<&str> = known.iter().copied().filter(|key| node.get(key).is_none()).collect();
    let unknown = node.map().unwrap_or_default().iter().filter(|(key, _)| !known.contains(&key.as_str()));
    let typos = unknown.filter_map(|(key, value)| {
        let meant = near(key, &missing)?;
        let of = if path.is_empty() { String::new() } else { format!("{}.", path.trim_end_matches(".*")) };
        let what = format!("{of}{key} is not known: did you mean {meant}?");
        Some(Typo { meant: format!("{of}{meant}"), mistake: Mistake::new(value.line, what) })
    });
    typos.collect()
}

/// One letter more, less, other or in the wrong place; two in a long word.
fn near<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if word.len() > 40 || known.contains(&word) {
        return None;
    }
    let word = word.to_lowercase();
    known.iter().copied().find(|one| osa_distance(&word, one) <= if one.len() < 8 { 1 } else { 2 })
}
