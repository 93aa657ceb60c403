//! Whether two documents have the same shape.

use serde_json::Value;

/// Texts that have to be the same, not only texts.
const SAME: [&str; 12] = [
    "detail",
    "status",
    "type",
    "service",
    "error",
    "error_message",
    "worker_status",
    "current_operation",
    "operation_type",
    "operation_id",
    "session_id",
    "version",
];

/// What differs. Null in the recorded one allows everything; of arrays the first elements count, or those of the same
/// session. A recorded document that was cut may lack keys.
pub(crate) fn differences(recorded: &Value, got: &Value, cut: bool) -> Vec<String> {
    let mut found = Vec::new();
    compare("", recorded, got, cut, &mut found);
    found
}

fn compare(path: &str, recorded: &Value, got: &Value, cut: bool, found: &mut Vec<String>) {
    let key = path.rsplit('.').next().unwrap_or_default();
    match (recorded, got) {
        (Value::Null, _) | (Value::Number(_), Value::Number(_)) => {}
        (Value::Bool(left), Value::Bool(right)) if left == right => {}
        (Value::String(left), Value::String(right)) if !SAME.contains(&key) || left == right => {}
        (Value::Object(left), Value::Object(right)) => {
            let missing = left.keys().filter(|key| !right.contains_key(*key));
            found.extend(missing.map(|key| format!("{path}: no {key}")));
            let more = right.keys().filter(|key| !cut && !left.contains_key(*key));
            found.extend(more.map(|key| format!("{path}: {key} is too much")));
            for (key, value) in left.iter().filter_map(|(key, value)| Some((key, (value, right.get(key)?)))) {
                compare(&format!("{path}.{key}"), value.0, value.1, cut, found);
            }
        }
        (Value::Array(left), Value::Array(right)) => arrays(path, left, right, cut, found),
        _ => found.push(format!("{path}: {recorded} is {got}")),
    }
}

fn arrays(path: &str, left: &[Value], right: &[Value], cut: bool, found: &mut Vec<String>) {
    let whole = path.ends_with("detail") || path.ends_with("loc");
    if left.is_empty() != right.is_empty() || (whole && left.len() != right.len()) {
        found.push(format!("{path}: {} elements are {}", left.len(), right.len()));
        return;
    }
    for (index, value) in left.iter().enumerate() {
        let id = &value["session_id"];
        let same = right.iter().find(|other| id.is_string() && other["session_id"] == *id);
        if let Some(other) = same.or_else(|| right.get(index).filter(|_| whole || index == 0)) {
            compare(&format!("{path}[{index}]"), value, other, cut, found);
        }
    }
}

#[test]
fn shapes_are_told_apart() {
    use serde_json::json;
    let recorded = json!({"detail": "gone", "n": 1, "list": [{"a": 1}], "error": null});
    let same = json!({"detail": "gone", "n": 2.5, "list": [{"a": 7}, 3], "error": "x"});
    assert_eq!(differences(&recorded, &same, false), Vec::<String>::new());
    for other in [
        json!({"detail": "there", "n": 1, "list": [{"a": 1}], "error": null}),
        json!({"detail": "gone", "n": "1", "list": [{"a": 1}], "error": null}),
        json!({"detail": "gone", "n": 1, "list": [], "error": null}),
        json!({"detail": "gone", "n": 1, "list": [{"a": null}], "error": null}),
        json!({"detail": "gone", "n": 1, "list": [{"a": 1}], "error": null, "more": 1}),
        json!({"detail": "gone", "n": 1, "list": [{"a": 1}]}),
    ] {
        assert_eq!(differences(&recorded, &other, false).len(), 1, "{other}");
    }
}
