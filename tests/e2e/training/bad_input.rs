//! What cannot be meant is refused, and nothing is started.

use anyhow::Result;

use super::{STRATEGY, pair};

#[test]
fn bad_input_is_refused_with_its_reason_and_starts_nothing() -> Result<()> {
    let (sim, daemon) = pair("")?;
    daemon.file("broken.yaml", STRATEGY.replace("epochs: 5", "epochs: ten"))?;
    daemon.file("bomb.yaml", "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n")?;
    daemon.file("big.yaml", "#".repeat(10 << 20))?;
    daemon.file("none.yaml", STRATEGY.replace("symbol: EURUSD", "selection_criteria: {asset_class: forex}"))?;
    daemon.file("path.yaml", STRATEGY.replace("name: demo", "name: ../../etc/x"))?;
    daemon.file("picture.yaml", [0xff_u8, 0xd8, 0xff, 0xe0])?;
    for (line, exit, reason) in [
        ("models train nothing.yaml", 2, "FILE_UNREADABLE"),
        ("models train broken.yaml", 2, "STRATEGY_INVALID"),
        ("models train bomb.yaml", 2, "STRATEGY_INVALID"),
        ("models train path.yaml", 2, "STRATEGY_INVALID"),
        ("models train picture.yaml", 2, "STRATEGY_INVALID"),
        ("models train big.yaml", 2, "STRATEGY_TOO_LARGE"),
        ("models train none.yaml", 2, "TRAINING_NO_SYMBOLS"),
        ("models train demo.yaml EURUSD 5m", 2, "TIMEFRAME_NOT_IN_STRATEGY"),
        ("models train demo.yaml EURUSD 7x", 2, "REQUEST_INVALID"),
        ("models train demo.yaml ../x 1h", 2, "REQUEST_INVALID"),
        ("models train demo.yaml --start-date 2024-12-31 --end-date 2024-01-01", 2, "RANGE_INVALID"),
        ("models train demo.yaml --start-date yesterday", 2, "REQUEST_INVALID"),
        ("models train demo.yaml --host elsewhere", 7, "HOST_NOT_FOUND"),
        ("models train demo.yaml --models-dir m", 2, "FLAG_NOT_HONOURED"),
        ("models train demo.yaml --validation-split 0.3", 2, "FLAG_NOT_HONOURED"),
        ("models train demo.yaml --detailed-analytics", 2, "FLAG_NOT_HONOURED"),
        ("services check elsewhere", 7, "HOST_NOT_FOUND"),
    ] {
        daemon.ktrdr(&format!("{line} -f json"))?.fails(exit, reason)?;
    }
    for line in ["models train demo.yaml --priority -1", "models train demo.yaml --priority 10", "models train"] {
        assert_eq!(daemon.ktrdr(line)?.status, 2, "{line}");
    }
    let error = daemon.ktrdr("models train broken.yaml -f json")?.fails(2, "STRATEGY_INVALID")?;
    let text = error["message"].as_str().unwrap_or_default();
    assert!(text.contains("broken.yaml:18: epochs must be a whole number from 1 to 100000"), "{text}");
    assert_eq!(daemon.ktrdr("operations list -f json")?.json()?["total"], 0);
    assert_eq!(sim.report()?["starts"], serde_json::json!({}));
    Ok(())
}

#[test]
fn the_old_flags_that_can_be_honoured_are() -> Result<()> {
    let (_sim, daemon) = pair("--epoch-ms 30")?;
    let line = "models train demo.yaml EURUSD 1h --start-date 2024-01-01 --end-date 2024-12-31 --data-mode local -v";
    daemon.ktrdr(&format!("{line} --dry-run"))?.ok()?;
    let done = daemon.ktrdr(&format!("{line} --wait -f json"))?.json()?;
    assert_eq!((&done["subject"], &done["state"]), (&"demo EURUSD 1h".into(), &"completed".into()));
    Ok(())
}
