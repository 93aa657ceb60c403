//! `cargo chaos [training] [--seed N] [--seconds S] [--format json]`: see `ktrdr_tests::chaos` and
//! `ktrdr_tests::training_chaos`. Exit code 1 when anything is not as it must be.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail};
use ktrdr_tests::{
    chaos::{self, Glance, Options},
    programs::programs,
    training_chaos,
};

const USAGE: &str = "usage: cargo chaos [training] [--seed N] [--seconds S] [--format text|json]";
/// Long enough for a thousand faults.
const SECONDS: u64 = 600;
/// Lines of progress, where there is no terminal to draw on.
const SECONDS_PER_LINE: u64 = 15;
const FAULTS_PER_LINE: u64 = 100;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    let of_trainings = words.next_if(|word| word == "training").is_some();
    let ran = arguments(words).and_then(
        |(options, json)| {
            if of_trainings { run_trainings(options, json) } else { run(options, json) }
        },
    );
    match ran {
        Ok(code) => code,
        Err(error) => {
            writeln!(io::stderr(), "error: {error:#}").unwrap_or_default();
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<(Options, bool)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (mut options, mut json) = (Options { seed: now, seconds: SECONDS }, false);
    while let Some(word) = words.next() {
        let value = words.next().with_context(|| format!("{word} has no value; {USAGE}"))?;
        let number = || value.parse::<u64>().with_context(|| format!("{word} {value}; {USAGE}"));
        match word.as_str() {
            "--seed" => options.seed = number()?,
            "--seconds" => options.seconds = number()?,
            "--format" if matches!(value.as_str(), "json" | "text") => json = value == "json",
            _ => bail!("{word} {value} is not known; {USAGE}"),
        }
    }
    Ok((options, json))
}

fn run(options: Options, json: bool) -> Result<ExitCode> {
    let mut err = io::stderr();
    writeln!(err, "Building the programs …")?;
    programs()?;
    writeln!(err, "Chaos for {} s with seed {}", options.seconds, options.seed)?;
    let (terminal, mut ticks) = (err.is_terminal(), 0);
    let outcome = chaos::run(options, |glance| {
        ticks += 1;
        let line = told(glance);
        // a closed stderr is no reason to stop
        if terminal {
            write!(io::stderr(), "\r\x1b[2K{line}").unwrap_or_default();
        } else if ticks % SECONDS_PER_LINE == 0 {
            writeln!(io::stderr(), "{line}").unwrap_or_default();
        }
    })
    .with_context(|| format!("the run with seed {} broke off", options.seed))?;
    if terminal {
        writeln!(err)?;
    }
    let mut out = io::stdout().lock();
    if json {
        for complaint in outcome.complaints() {
            writeln!(err, "! {complaint}")?;
        }
        writeln!(out, "{}", outcome.document())?;
    } else {
        writeln!(out, "{outcome}")?;
    }
    Ok(if outcome.complaints().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(Glance { done, total, faults, kills }: Glance) -> String {
    format!("{done} of {total} loads, {faults} faults, {kills} kills")
}

fn run_trainings(Options { seed, seconds }: Options, json: bool) -> Result<ExitCode> {
    let mut err = io::stderr();
    writeln!(err, "Building the programs …")?;
    programs()?;
    writeln!(err, "Chaos of trainings for {seconds} s with seed {seed}")?;
    let (terminal, mut told) = (err.is_terminal(), 0);
    let outcome = training_chaos::run(training_chaos::Options { seed, seconds }, |faults, trainings| {
        let line = format!("{faults} faults, {trainings} trainings");
        if terminal {
            write!(io::stderr(), "\r\x1b[2K{line}").unwrap_or_default();
        } else if faults >= told + FAULTS_PER_LINE {
            told = faults;
            writeln!(io::stderr(), "{line}").unwrap_or_default();
        }
    })
    .with_context(|| format!("the run with seed {seed} broke off"))?;
    if terminal {
        writeln!(err)?;
    }
    let (mut out, complaints) = (io::stdout().lock(), outcome.complaints());
    if json {
        complaints.iter().try_for_each(|complaint| writeln!(err, "! {complaint}"))?;
        writeln!(out, "{}", outcome.document())?;
    } else {
        writeln!(out, "{outcome}")?;
    }
    Ok(if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
