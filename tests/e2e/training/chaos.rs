//! The chaos run of trainings, short. `cargo chaos training` runs it for longer.

use anyhow::{Result, ensure};
use ktrdr_tests::training_chaos::{self, Options};

#[test]
fn no_session_is_doubled_or_lost_while_everything_fails() -> Result<()> {
    let outcome = training_chaos::run(Options { seed: 11, seconds: 20 }, |_, _| ())?;
    ensure!(outcome.complaints().is_empty(), "{outcome}");
    let document = outcome.document();
    let counted = |key: &str| document[key].as_u64().unwrap_or(0);
    ensure!(counted("faults") > 50 && counted("fault_kinds") > 20 && counted("trainings") > 20, "{outcome}");
    Ok(())
}
