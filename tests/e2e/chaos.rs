//! The chaos run, short. `cargo chaos` runs it for longer.

use anyhow::{Result, ensure};
use ktrdr_tests::chaos::{self, Options};

#[test]
fn nothing_is_lost_or_wrong_while_everything_fails() -> Result<()> {
    let outcome = chaos::run(Options { seed: 7, seconds: 20 }, |_| ())?;
    ensure!(outcome.complaints().is_empty(), "{outcome}");
    let document = outcome.document();
    let counted = |key: &str| document[key].as_u64().unwrap_or(0);
    ensure!(
        counted("fault_kinds") >= 10 && counted("daemon_kills") >= 1 && counted("bars_stored") > 30_000,
        "{outcome}"
    );
    Ok(())
}
