//! Whether two documents have the same shape.

use serde_json::Value;

/// Texts that have to be the same, not only texts.
const SAME: [&str; 8] = ["detail", "status", "type", "service", "error", "error_message", "msg", "version"];

/// What differs. Null must be null, numbers may be any of their kind.
pub(crate) fn differences(recorded: &Value, got: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", recorded, got, &mut found);
    found
}

fn compare(path: &str, recorded: &Value, got: &Value, found: &mut Vec<String>) {
    let key = path.rsplit('.').next().unwrap_or_default();
    match (recorded, got) {
        (Value::Null, Value::Null) | (Value::Number(_), Value::Number(_)) => {}
        (Value::Bool(left), Value::Bool(right)) if left == right => {}
        (Value::String(left), Value::String(right)) if !SAME.contains(&key) || left == right => {}
        (Value::Object(left), Value::Object(right)) => {
            let missing = left.keys().filter(|key| !right.contains_key(*key));
            found.extend(missing.map(|key| format!("{path}: no {key}")));
            let more = right.keys().filter(|key| !left.contains_key(*key));
            found.extend(more.map(|key| format!("{path}: {key} is too much")));
            for (key, value) in left.iter().filter_map(|(key, value)| Some((key, (value, right.get(key)?)))) {
                compare(&format!("{path}.{key}"), value.0, value.1, found);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                compare(&format!("{path}[{index}]"), left, right, found);
            }
        }
        _ => found.push(format!("{path}: {recorded} is {got}")),
    }
}

#[test]
fn shapes_are_told_apart() {
    use serde_json::json;
    let recorded = json!({"detail": "gone", "n": 1, "list": [{"a": 1}], "error": null});
    let same = json!({"detail": "gone", "n": 2.5, "list": [{"a": 7}], "error": null});
    assert_eq!(differences(&recorded, &same), Vec::<String>::new());
    for other in [
        json!({"detail": "there", "n": 1, "list": [{"a": 1}], "error": null}),
        json!({"detail": "gone", "n": "1", "list": [{"a": 1}], "error": null}),
        json!({"detail": "gone", "n": 1, "list": [], "error": null}),
        json!({"detail": "gone", "n": 1, "list": [{"a": null}], "error": null}),
        json!({"detail": "gone", "n": 1, "list": [{"a": 1}], "error": null, "more": 1}),
        json!({"detail": "gone", "n": 1, "list": [{"a": 1}]}),
    ] {
        assert_eq!(differences(&recorded, &other).len(), 1, "{other}");
    }
}
