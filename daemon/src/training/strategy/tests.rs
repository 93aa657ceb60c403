//! Strategies that are taken, and what is said about those that are not.

use super::*;

pub(crate) const DEMO: &str = r#"name: demo
version: "2.0"
scope: symbol_specific
training_data:
  symbols: {mode: single, symbol: eurusd}
  timeframes: {mode: multi_timeframe, list: [1h, 4h], base_timeframe: 1h}
  history_required: 120
deployment: {target_symbols: {mode: training_only}}
indicators:
  - {name: rsi, period: 9}
fuzzy_sets:
  rsi:
    low: {type: triangular, parameters: [0, 15, 40]}
    high: {type: triangular, parameters: [60, 85, 100]}
model:
  type: mlp
  architecture: {hidden_layers: [12, 6]}
  training: {learning_rate: 0.002, batch_size: 64, epochs: 4}
decisions: {output_format: classification}
training:
  method: supervised
  labels: {source: zigzag}
  data_split: {train: 0.7, validation: 0.15, test: 0.15}
"#;

#[test]
fn the_parts_are_taken_out() {
    let strategy = Strategy::read(DEMO.as_bytes()).unwrap();
    assert_eq!((strategy.name.as_str(), strategy.format), ("demo", Format::V2));
    assert_eq!((strategy.symbols, strategy.timeframes), (vec!["EURUSD".into()], vec!["1h".into(), "4h".into()]));
    assert_eq!((strategy.epochs, strategy.batch_size), (4, 64));
}

#[test]
fn the_newest_format_and_the_oldest_are_read() {
    let newest = "name: n\nversion: \"3.0\"\ntraining_data: {symbols: {mode: single, symbol: A}, timeframes: {mode: single, timeframe: 1h}}\n\
        indicators: {rsi_9: {type: rsi, period: 9}}\nfuzzy_sets: {state: {indicator: rsi_9, weak: [0, 20, 45], strong: [55, 80, 100]}}\n\
        nn_inputs: [{fuzzy_set: state, timeframes: [1h]}]\nmodel: {type: mlp, training: {epochs: 4, batch_size: 64}}\n";
    assert_eq!(Strategy::read(newest.as_bytes()).unwrap().format, Format::V3);
    let oldest = "name: o\nversion: 1.0\ndata: {symbols: [AAPL], timeframes: [1h]}\nindicators: [{name: rsi}]\n\
        fuzzy_sets: {rsi: {low: {parameters: [0, 1, 2]}}}\nmodel: {type: mlp, training: {epochs: 1, batch_size: 1}}\n";
    let oldest = Strategy::read(oldest.as_bytes()).unwrap();
    assert_eq!((oldest.format, oldest.symbols), (Format::V1, vec!["AAPL".into()]));
}

/// Each mistake alone, with its line; a rule without a case here would be a rule that nobody has seen.
#[test]
fn every_rule_names_the_line_and_what_is_allowed() {
    for (from, to, line, says) in [
        ("name: demo", "name: ../../x/y", 1, "letters"),
        ("version: \"2.0\"", "edition: 2", 1, "version is missing"),
        ("version: \"2.0\"", "versio: 2", 2, "did you mean version"),
        ("history_required", "historyrequired", 7, "did you mean history_required"),
        ("name: rsi, period: 9", "name: rsi, perod: 9", 10, "indicators.perod is not known: did you mean period"),
        ("hidden_layers", "hidden_layer", 17, "did you mean hidden_layers"),
        ("learning_rate", "Learning_rate", 18, "did you mean learning_rate"),
        ("epochs: 4", "epoch: 4", 18, "did you mean epochs"),
        ("source: zigzag", "source: zigzg", 22, "did you mean zigzag"),
        ("source: zigzag", "source: zigzag, label_lookahed: 3", 22, "did you mean label_lookahead"),
        ("scope: symbol_specific", "scope: all", 3, "universal"),
        ("symbol: eurusd", "symbol: \"a/b\"", 5, "is no symbol"),
        ("mode: single, symbol: eurusd", "mode: one, symbol: eurusd", 5, "multi_symbol"),
        ("{mode: single, symbol: eurusd}", "{mode: single}", 5, "names none"),
        ("[1h, 4h]", "[1h, 17q]", 6, "is no timeframe"),
        ("[1h, 4h]", "[]", 6, "lists nothing"),
        ("history_required: 120", "history_required: 3", 7, "50 or more"),
        ("deployment: {target_symbols: {mode: training_only}}", "", 1, "deployment is missing"),
        ("  - {name: rsi, period: 9}", "  - {period: 9}", 10, "no name"),
        ("type: triangular, parameters: [0, 15, 40]", "type: square, parameters: [0, 15, 40]", 13, "trapezoidal"),
        ("[0, 15, 40]", "[0, 15]", 13, "needs 3"),
        ("[0, 15, 40]", "[0, ten, 40]", 13, "must be numbers"),
        ("[0, 15, 40]", "[0, 50, 40]", 13, "must not go down"),
        ("type: mlp", "type: lstm", 16, "mlp"),
        ("[12, 6]", "[0]", 17, "whole numbers"),
        ("learning_rate: 0.002", "learning_rate: 2", 18, "between 0 and 1"),
        ("batch_size: 64", "batch_size: -1", 18, "from 1"),
        ("epochs: 4", "epochs: ten", 18, "whole number from 1 to 100000"),
        (", epochs: 4", "", 18, "epochs is missing"),
        ("method: supervised", "method: magic", 21, "supervised"),
        ("train: 0.7", "train: 0.9", 23, "add up to 1"),
    ] {
        assert_eq!(DEMO.matches(from).count(), 1, "{from}");
        let mistakes = Strategy::read(DEMO.replace(from, to).as_bytes()).unwrap_err();
        let found = mistakes.iter().any(|one| one.line == line && one.what.contains(says));
        assert!(found && mistakes.len() == 1, "{to}: {mistakes:?}");
    }
}

#[test]
fn a_key_of_ones_own_is_no_mistake() {
    for own in ["notes: mine", "decisions2: {a: 1}", "period: 3", "tags: [a]"] {
        assert!(Strategy::read(format!("{DEMO}{own}\n").as_bytes()).is_ok(), "{own}");
    }
    // both are there: one of them is no other one misspelt
    let both = DEMO.replace("name: rsi, period: 9", "name: rsi, period: 9, periods: 3");
    assert!(Strategy::read(both.as_bytes()).is_ok());
}

#[test]
fn other_files_are_mistakes() {
    assert_eq!(Strategy::read(b"a: \xff").unwrap_err()[0].line, 1);
    assert!(Strategy::read(b"- a\n- b\n").unwrap_err()[0].what.contains("keys and values"));
    assert!(Strategy::read(b"x: 1\n").unwrap_err().len() > 5, "all mistakes at once");
}

#[test]
fn foreign_bytes() {
    // the parser keeps a token for every two bytes of a line that never becomes a key
    ktrdr_foreign::Target::new(env!("CARGO_MANIFEST_DIR"), "strategy").memory(256, 1 << 20).check(|bytes| {
        match Strategy::read(bytes) {
            Ok(strategy) => {
                assert!(!strategy.name.is_empty() && strategy.epochs > 0 && strategy.batch_size > 0, "{strategy:?}");
                assert!(
                    strategy.timeframes.iter().all(|text| crate::model::Timeframe::parse(text).is_some()),
                    "{strategy:?}"
                );
                Ok(format!("{:?} of {} symbols", strategy.format, strategy.symbols.len().min(2)))
            }
            Err(mistakes) => {
                // a lone carriage return ends a line, too
                let ends = |pair: &[u8]| pair[0] == b'\n' || (pair[0] == b'\r' && pair.get(1) != Some(&b'\n'));
                let lines = (0..bytes.len()).filter(|at| ends(&bytes[*at..])).count() + 1;
                assert!(
                    mistakes.iter().all(|mistake| (1..=lines).contains(&mistake.line)),
                    "{lines} lines: {mistakes:?}"
                );
                assert!(mistakes.is_sorted_by_key(|mistake| mistake.line) && mistakes.len() <= MISTAKES_MAX);
                for mistake in &mistakes {
                    ktrdr_foreign::fit_to_print(&mistake.what);
                }
                Err(mistakes.into_iter().map(|mistake| mistake.what).collect::<Vec<_>>().join("\n"))
            }
        }
    });
}
