//! The command line of a run: what is asked for, what is printed, the exit code.

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};

use super::{Options, ROUNDS, measure, names, prepared, record};

const USAGE: &str = "usage: cargo perf [--only NAME…] [--rounds N] [--write] [--format text|json] [--old-cli COMMAND]";

struct Wanted {
    options: Options,
    write: bool,
    json: bool,
}

/// `cargo perf`. Exit code 1 when a budget is not held, 2 when nothing could be measured.
pub fn main() -> ExitCode {
    // cargo gives `--bench` to a bench
    match arguments(env::args().skip(1).filter(|word| word != "--bench")).and_then(|wanted| run(&wanted)) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Talk.
fn say(text: &str) {
    // a closed stderr is no reason to stop
    writeln!(io::stderr(), "{text}").unwrap_or_default();
}

fn arguments(words: impl Iterator<Item = String>) -> Result<Wanted> {
    let old_cli = env::var("KTRDR_OLD_CLI").ok();
    let words_of = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    let mut options = Options { only: Vec::new(), rounds: ROUNDS, old_cli: old_cli.as_deref().map(words_of) };
    let (mut write, mut json) = (false, false);
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} has no value; {USAGE}"));
        match word.as_str() {
            "--write" => write = true,
            "--rounds" => {
                let text = value()?;
                options.rounds = text
                    .parse()
                    .ok()
                    .filter(|rounds| *rounds >= 5)
                    .with_context(|| format!("--rounds {text}: a number of 5 or more; {USAGE}"))?;
            }
            "--format" => {
                json = match value()?.as_str() {
                    "json" => true,
                    "text" => false,
                    other => bail!("--format {other} is not known; {USAGE}"),
                };
            }
            "--old-cli" => options.old_cli = Some(words_of(&value()?)),
            "--only" => {
                options.only.push(value()?);
                while let Some(name) = words.next_if(|word| !word.starts_with("--")) {
                    options.only.push(name);
                }
            }
            _ => bail!("{word} is not known; {USAGE}\nNAME is of: {}", names().collect::<Vec<_>>().join(", ")),
        }
    }
    Ok(Wanted { options, write, json })
}

fn run(Wanted { options, write, json }: &Wanted) -> Result<ExitCode> {
    if let Some(status) = prepared(options, &say)? {
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        return Ok(code.map_or(ExitCode::FAILURE, ExitCode::from));
    }
    let report = measure(options, &say)?;
    let mut out = io::stdout().lock();
    if *json {
        writeln!(out, "{:#}", report.document())?;
    } else {
        writeln!(out, "{report}\n{}", report.conclusion())?;
    }
    if *write {
        record(&report)?;
    }
    Ok(if report.not_held().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
