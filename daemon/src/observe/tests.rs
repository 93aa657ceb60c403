//! What others build on the metrics: the dashboard, the alerts and the reference name those that there are.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf};

use super::READ;
use crate::{
    handbook,
    metrics::{About, COUNTED},
};

fn docs(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

fn all() -> Vec<About> {
    let mut all: Vec<About> = COUNTED.iter().chain(READ).copied().collect();
    all.sort_by_key(|about| about.name);
    all
}

#[test]
fn names_follow_the_conventions_of_prometheus() {
    let all = all();
    let names: BTreeSet<_> = all.iter().map(|about| about.name).collect();
    assert_eq!(names.len(), all.len());
    for About { name, kind, labels, help } in all {
        assert!(name.starts_with("ktrdr_") || name.starts_with("process_"), "{name}");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
        assert!(kind != "histogram" || name.ends_with("_seconds"), "{name}");
        assert!(!["_ms", "_millis", "_kb", "_mb", "_percent"].iter().any(|unit| name.ends_with(unit)), "{name}");
        assert!(labels.iter().all(|label| !["symbol", "operation", "id", "path"].contains(label)), "{name}");
        assert!(
            !help.ends_with('.') && help.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit()),
            "{help}"
        );
    }
}

/// Words that are metrics of ours, in a text.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let ours = words.filter(|word| word.starts_with("ktrdr_") || word.starts_with("process_"));
    let plain = |word: &str| {
        let suffix = ["_bucket", "_count", "_sum"].into_iter().find_map(|suffix| word.strip_suffix(suffix));
        suffix.filter(|base| base.ends_with("_seconds")).unwrap_or(word).to_owned()
    };
    ours.map(plain).collect()
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_what_there_is() {
    let known: BTreeSet<String> = all().iter().map(|about| about.name.to_owned()).collect();
    let dashboard = fs::read_to_string(docs("grafana.json")).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert!(parsed["panels"].as_array().unwrap().len() > 10);
    let mut asked = BTreeSet::new();
    for text in [dashboard, fs::read_to_string(docs("alerts.yml")).unwrap()] {
        let named = named(&text);
        assert!(named.len() > 5);
        asked.extend(named);
    }
    let unknown: Vec<_> = asked.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let unseen: Vec<_> = known.difference(&asked).collect();
    let of_use_elsewhere =
        ["ktrdr_host_service_call_seconds", "ktrdr_host_service_requests_total", "ktrdr_series", "process_max_fds"];
    assert_eq!(unseen, of_use_elsewhere, "a metric that nobody looks at");
}

#[test]
fn the_reference_shows_every_metric() {
    let mut table = String::from("| metric | kind | labels | |\n|---|---|---|---|\n");
    for About { name, kind, labels, help } in all() {
        let labels = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        writeln!(table, "| `{name}` | {kind} | {labels} | {help} |").unwrap();
    }
    handbook::shows("REFERENCE.md", "metrics", &table);
}
