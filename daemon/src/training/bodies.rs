//! What a start says to a host, by generation (pure).

use serde_json::json;

use super::{
    plan::Plan,
    wire::{StartMaps, StartYaml},
};

/// The first generation reads `epochs`, `batch_size`, symbols and timeframes, and nothing else; the rest is for whoever
/// reads its log.
pub(super) fn maps<'a>(id: &'a str, plan: &Plan) -> StartMaps<'a> {
    StartMaps {
        session_id: id,
        model_configuration: json!({
            "strategy_name": plan.strategy.name, "model_type": "mlp",
            "symbols": plan.symbols, "timeframes": plan.timeframes, "multi_symbol": plan.symbols.len() > 1,
        }),
        training_configuration: json!({
            "epochs": plan.strategy.epochs, "batch_size": plan.strategy.batch_size,
            "start_date": plan.start_date, "end_date": plan.end_date,
        }),
        data_configuration: json!({"symbols": plan.symbols, "timeframes": plan.timeframes, "data_source": "local"}),
        gpu_configuration: json!({"enable_gpu": true, "memory_fraction": 0.8, "mixed_precision": true}),
    }
}

/// The file as it was given; the later generations read it themselves.
pub(super) fn yaml<'a>(id: &'a str, plan: &'a Plan) -> StartYaml<'a> {
    StartYaml {
        task_id: id,
        session_id: id,
        strategy_yaml: &plan.text,
        symbols: &plan.symbols,
        timeframes: &plan.timeframes,
        start_date: plan.start_date.as_deref(),
        end_date: plan.end_date.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::training::{StartRequest, strategy::tests::DEMO};

    #[test]
    fn lists_are_lists_and_counts_are_always_sent() {
        let request = StartRequest {
            label: "demo.yaml".into(),
            strategy: DEMO.into(),
            symbols: vec![],
            timeframes: vec![],
            start_date: Some("2024-01-01".into()),
            end_date: None,
            host: None,
            labels: vec![],
            priority: 5,
            load_missing: false,
        };
        let plan = Plan::of(&request).unwrap();
        let sent = serde_json::to_value(maps("x", &plan)).unwrap();
        assert_eq!(sent["training_configuration"]["epochs"], 4);
        assert_eq!(sent["training_configuration"]["batch_size"], 64);
        assert_eq!(
            sent["data_configuration"],
            json!({"symbols": ["EURUSD"], "timeframes": ["1h", "4h"], "data_source": "local"})
        );
        let sent = serde_json::to_value(yaml("x", &plan)).unwrap();
        assert_eq!(
            (&sent["task_id"], &sent["session_id"], &sent["strategy_yaml"]),
            (&json!("x"), &json!("x"), &json!(DEMO))
        );
        assert_eq!((&sent["start_date"], &sent["end_date"]), (&json!("2024-01-01"), &Value::Null));
    }
}
