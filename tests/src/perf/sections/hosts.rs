//! What the base of host services adds to a request: `daemon/benches/host_service.rs`, which measures within one process.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::perf::{
    Run,
    figure::{Figure, number},
    report::Row,
};

const POOLED_MAX: f64 = 1.15;

pub(super) fn measure(run: &Run) -> Result<Vec<Row>> {
    let output = Command::new(run.shipped.host_bench()).args(["--bench", "--samples"]).output()?;
    ensure!(output.status.success(), "the bench: {}", output.status);
    let document: Value = serde_json::from_slice(&output.stdout)?;
    let samples = |name: &str| -> Result<Vec<f64>> {
        let samples = document[name].as_array().with_context(|| format!("no {name}"))?;
        Ok(samples.iter().filter_map(Value::as_f64).collect())
    };
    let [pooled, kept, anew] = [samples("pooled")?, samples("kept")?, samples("anew")?];
    let micros =
        |samples: &[f64]| Ok::<_, anyhow::Error>(format!("{} µs", number(Figure::median(samples)?.value * 1e6)));
    Ok(vec![
        Row::ratio("through the pool", "bare hyper, connection kept", Figure::ratio(&pooled, &kept)?)
            .at_most(POOLED_MAX)
            .here(format!("{}, bare {}", micros(&pooled)?, micros(&kept)?)),
        Row::ratio(
            "bare hyper, a new connection each time",
            "bare hyper, connection kept",
            Figure::ratio(&anew, &kept)?,
        )
        .here(micros(&anew)?),
    ])
}
