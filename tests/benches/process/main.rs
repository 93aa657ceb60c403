//! Whole processes, as a person pays for them: `cargo bench -p ktrdr-tests`.
//!
//! Machines differ and are noisy, so everything is a ratio between things timed in the same run, interleaved and in
//! random order. Nothing is asserted on time; the last column says what we want.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints what it measured")]

mod clients;
mod daemon;
mod floor;
mod sample;
mod training;

use std::{fs, path::Path};

use anyhow::Result;
use ktrdr_tests::{home::Home, programs};

/// Copies of the shipped binaries: a file that the linker has just written is cached in small pieces and costs more
/// page faults than one that was installed.
fn installed(home: &Home) -> Result<programs::Programs> {
    eprintln!("building the dist profile …");
    let built = programs::build("dist")?;
    let copy = |from: &Path| -> Result<_> {
        let to = home.path().join(from.file_name().unwrap_or_default());
        fs::copy(from, &to)?;
        Ok(to)
    };
    Ok(programs::Programs {
        ktrdr: copy(&built.ktrdr)?,
        ktrdrd: copy(&built.ktrdrd)?,
        gateway_sim: copy(&built.gateway_sim)?,
        training_sim: copy(&built.training_sim)?,
        ib_host_sim: copy(&built.ib_host_sim)?,
    })
}

fn main() -> Result<()> {
    // cargo passes `--bench`, and a filter for what it does not know
    let only: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|word| name.contains(word.as_str()));
    let folder = Home::new()?.quiet();
    programs::use_instead(installed(&folder)?)?;
    if wanted("clients") {
        clients::measure()?;
    }
    if wanted("start") {
        daemon::start()?;
    }
    if wanted("query") {
        daemon::query()?;
    }
    if wanted("training") {
        training::measure()?;
    }
    if wanted("load") {
        daemon::load()?;
    }
    Ok(())
}
