//! What a start asks for, read as leniently as the services read it.

use serde_json::{Value, json};

use crate::course::Failing;
use crate::yaml;

/// Trained when a start names no number of epochs, and in progress reports then.
const EPOCHS_TRAINED: u32 = 10;
const EPOCHS_REPORTED: u32 = 100;

/// Symbols that begin so have no data, or data full of holes.
const NO_DATA: &str = "NODATA";
const NOT_A_NUMBER: &str = "NAN";

/// The number of epochs, as progress reports see it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Total {
    Number(Value),
    /// A value that cannot be compared with a number, by its type in Python. It breaks every report about the session.
    Broken(&'static str),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// Really trained.
    pub(crate) epochs: u32,
    pub(crate) total: Total,
    pub(crate) failing: Option<(Failing, String)>,
    pub(crate) nan: bool,
    pub(crate) symbols: Vec<String>,
    pub(crate) timeframes: Vec<String>,
    pub(crate) start_date: Option<String>,
    pub(crate) end_date: Option<String>,
    pub(crate) estimated_minutes: Value,
    pub(crate) strategy: String,
}

impl Plan {
    /// The body with three maps.
    pub(crate) fn from_maps(body: &Value) -> Self {
        let training = &body["training_configuration"];
        let (data, model) = (&body["data_configuration"], &body["model_configuration"]);
        let symbols = listed(data, model, "symbols", "AAPL");
        // "1D" is what the service falls back to, and no name of a file.
        let timeframes = match data.get("timeframes") {
            Some(Value::String(text)) => text.chars().map(String::from).collect(),
            _ => listed(data, model, "timeframes", "1D"),
        };
        let (epochs, total, odd) = epochs(training.get("epochs"));
        let no_data = symbols.iter().all(|symbol| symbol.starts_with(NO_DATA))
            || !timeframes.iter().any(|timeframe| is_timeframe(timeframe));
        let failing = if no_data {
            Some((Failing::BeforeTraining, "No training data available".to_owned()))
        } else {
            odd.map(|text| (Failing::BeforeTraining, text)).or_else(|| at_epoch(training["fail_at_epoch"].as_u64()))
        };
        Self {
            nan: symbols.iter().any(|symbol| symbol.starts_with(NOT_A_NUMBER)),
            estimated_minutes: training["estimated_duration_minutes"].as_f64().map_or(Value::Null, |told| json!(told)),
            start_date: text(training, "start_date"),
            end_date: text(training, "end_date"),
            strategy: String::new(),
            epochs,
            total,
            failing,
            symbols,
            timeframes,
        }
    }

    /// The body with the text of a strategy.
    pub(crate) fn from_yaml(body: &Value) -> Self {
        let strategy = text(body, "strategy_yaml").unwrap_or_default();
        let symbols = strings(&body["symbols"]);
        let epochs = yaml::number(&strategy, "epochs").unwrap_or(EPOCHS_TRAINED);
        let timeframes = strings(&body["timeframes"]);
        Self {
            epochs,
            total: Total::Number(epochs.into()),
            failing: yaml_failure(&strategy, &symbols, &timeframes),
            nan: symbols.iter().any(|symbol| symbol.starts_with(NOT_A_NUMBER)),
            start_date: text(body, "start_date"),
            end_date: text(body, "end_date"),
            estimated_minutes: Value::Null,
            strategy,
            symbols,
            timeframes,
        }
    }
}

/// Without symbols the service looks for data that it does not have.
fn yaml_failure(strategy: &str, symbols: &[String], timeframes: &[String]) -> Option<(Failing, String)> {
    if let Some(complaint) = yaml::complaint(strategy) {
        return Some((Failing::BeforeTraining, complaint));
    }
    if symbols.iter().all(|symbol| symbol.starts_with(NO_DATA)) {
        let symbol = symbols.first().map_or("AAPL", String::as_str);
        let timeframe = timeframes.first().map_or("1d", String::as_str);
        return Some((Failing::BeforeTraining, format!("No data found in cache for {symbol} {timeframe}")));
    }
    at_epoch(yaml::number(strategy, "fail_at_epoch").map(u64::from))
}

fn at_epoch(epoch: Option<u64>) -> Option<(Failing, String)> {
    let epoch = u32::try_from(epoch?).ok()?;
    Some((Failing::AtEpoch(epoch), format!("Simulated failure at epoch {epoch}")))
}

/// Epochs to train, to report, and the failure of a number that does not count anything.
fn epochs(sent: Option<&Value>) -> (u32, Total, Option<String>) {
    let refused = |kind: &str| Some(format!("'{kind}' object cannot be interpreted as an integer"));
    match sent {
        None => (EPOCHS_TRAINED, Total::Number(EPOCHS_REPORTED.into()), None),
        Some(Value::Bool(yes)) => (u32::from(*yes), Total::Number(u32::from(*yes).into()), None),
        Some(value @ Value::Number(number)) => {
            let fraction = !(number.is_i64() || number.is_u64());
            let count = number.as_i64().map_or(0, |count| u32::try_from(count.max(0)).unwrap_or(u32::MAX));
            (count, Total::Number(value.clone()), fraction.then(|| refused("float")).flatten())
        }
        Some(other) => (0, Total::Broken(python_type(other)), refused(python_type(other))),
    }
}

fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(_) => "float",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

fn listed(data: &Value, model: &Value, key: &str, default: &str) -> Vec<String> {
    let found = [data, model].into_iter().map(|map| strings(&map[key])).find(|list| !list.is_empty());
    found.unwrap_or_else(|| vec![default.to_owned()])
}

/// A list of strings, or one string.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(list) => list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

fn text(map: &Value, key: &str) -> Option<String> {
    map[key].as_str().map(str::to_owned)
}

/// A number and one of the letters of minutes to months.
fn is_timeframe(text: &str) -> bool {
    let digits = text.trim_end_matches(['m', 'h', 'd', 'w', 'M']);
    digits.len() + 1 == text.len() && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Plan, Total};
    use crate::course::Failing;

    fn maps(training: &Value, data: &Value) -> Plan {
        Plan::from_maps(&json!({
            "model_configuration": {}, "training_configuration": training, "data_configuration": data
        }))
    }

    #[test]
    fn epochs_are_not_validated() {
        let data = json!({"symbols": "AAPL", "timeframes": ["1h"]});
        let table = [
            (json!({"epochs": 3}), 3, Total::Number(3.into()), false),
            (json!({}), 10, Total::Number(100.into()), false),
            (json!({"epochs": -2}), 0, Total::Number((-2).into()), false),
            (json!({"epochs": true}), 1, Total::Number(1.into()), false),
            (json!({"epochs": "ten"}), 0, Total::Broken("str"), true),
            (json!({"epochs": null}), 0, Total::Broken("NoneType"), true),
            (json!({"epochs": 2.5}), 0, Total::Number(json!(2.5)), true),
        ];
        for (training, epochs, total, fails) in table {
            let plan = maps(&training, &data);
            assert_eq!((plan.epochs, plan.total, plan.failing.is_some()), (epochs, total, fails), "{training}");
        }
    }

    #[test]
    fn data_is_missing_for_some() {
        for data in [
            json!({"symbols": ["NODATA1"], "timeframes": ["1h"]}),
            json!({"symbols": ["AAPL"], "timeframes": "1h"}),
            json!({"symbols": ["AAPL"]}),
        ] {
            let failing = maps(&json!({}), &data).failing;
            assert_eq!(failing, Some((Failing::BeforeTraining, "No training data available".to_owned())), "{data}");
        }
        assert!(maps(&json!({}), &json!({"symbols": ["NODATA", "NANS"], "timeframes": ["1h"]})).nan);
    }

    #[test]
    fn a_strategy_is_scanned() {
        let plan = |yaml: &str| Plan::from_yaml(&json!({"strategy_yaml": yaml, "symbols": ["EURUSD"]}));
        assert_eq!(plan("epochs: 4").epochs, 4);
        assert_eq!(plan("name: x").epochs, 10);
        assert_eq!(plan("fail_at_epoch: 2").failing.map(|failing| failing.0), Some(Failing::AtEpoch(2)));
        let without = Plan::from_yaml(&json!({"strategy_yaml": "name: x"}));
        assert_eq!(without.failing.map(|failing| failing.1).as_deref(), Some("No data found in cache for AAPL 1d"));
    }
}
