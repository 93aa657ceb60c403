//! `cargo siege [kills|crowd|faults|soak] …`: see `ktrdr_tests::siege`. Without a section: kills, crowd and faults. Exit code 1 when
//! anything is not as it must be.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail};
use ktrdr_tests::{
    programs::programs,
    siege::{Outcome, crowd, faults, kills, soak},
};

const USAGE: &str = "usage: cargo siege [kills [--rounds N] | crowd [--small] | faults [--small] | soak [--minutes N] [--chart FILE.svg]] \
[--seed N] [--format text|json]";
const ROUNDS: u64 = 1_000;
const MINUTES: f64 = 60.0;
/// A stop of a small run.
const SHORT: Duration = Duration::from_secs(5);
/// Between two lines of progress, where there is no terminal to draw on.
const LINE: Duration = Duration::from_secs(15);

struct Wanted {
    sections: Vec<String>,
    seed: u64,
    rounds: u64,
    minutes: f64,
    chart: Option<PathBuf>,
    small: bool,
    json: bool,
}

fn main() -> ExitCode {
    match wanted(std::env::args().skip(1)).and_then(|wanted| run(&wanted)) {
        Ok(code) => code,
        Err(error) => {
            writeln!(io::stderr(), "error: {error:#}").unwrap_or_default();
            ExitCode::FAILURE
        }
    }
}

fn wanted(mut words: impl Iterator<Item = String>) -> Result<Wanted> {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (rounds, minutes) = (ROUNDS, MINUTES);
    let mut wanted = Wanted { sections: Vec::new(), seed, rounds, minutes, chart: None, small: false, json: false };
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} has no value; {USAGE}"));
        match word.as_str() {
            "kills" | "crowd" | "faults" | "soak" => wanted.sections.push(word),
            "--small" => wanted.small = true,
            "--seed" => wanted.seed = value()?.parse().context(USAGE)?,
            "--rounds" => wanted.rounds = value()?.parse().context(USAGE)?,
            "--minutes" => wanted.minutes = value()?.parse().context(USAGE)?,
            "--chart" => wanted.chart = Some(value()?.into()),
            "--format" => wanted.json = value()? == "json",
            _ => bail!("{word} is not known; {USAGE}"),
        }
    }
    if wanted.sections.is_empty() {
        // an hour only for those who ask for it
        wanted.sections = ["kills", "crowd", "faults"].map(str::to_owned).to_vec();
    }
    Ok(wanted)
}

fn run(wanted: &Wanted) -> Result<ExitCode> {
    writeln!(io::stderr(), "Building the programs …")?;
    programs()?;
    let mut document = serde_json::Map::new();
    let mut good = true;
    for name in &wanted.sections {
        let outcome = section(wanted, name).with_context(|| format!("{name} (seed {}) broke off", wanted.seed))?;
        good &= outcome.complaints().is_empty();
        if wanted.json {
            document.insert(name.clone(), outcome.document());
        } else {
            writeln!(io::stdout(), "{outcome}\n")?;
        }
    }
    if wanted.json {
        document.insert("seed".to_owned(), wanted.seed.into());
        writeln!(io::stdout(), "{}", serde_json::Value::from(document))?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn section(wanted: &Wanted, name: &str) -> Result<Outcome> {
    let mut talk = Talk { terminal: io::stderr().is_terminal(), last: None };
    let seed = wanted.seed;
    let outcome = match name {
        "kills" => kills::run(kills::Options { seed, rounds: wanted.rounds }, |glance| {
            let kills::Glance { kills, loads, imports, trainings } = glance;
            talk.often(&format!("{kills} kills, {loads} loads, {imports} imports, {trainings} trainings"));
        }),
        "crowd" => {
            let size = if wanted.small { crowd::Size::SMALL } else { crowd::Size::WHOLE };
            crowd::run(size, |what| talk.line(what))
        }
        "faults" => {
            let stop = if wanted.small { SHORT } else { faults::STOP };
            Ok(faults::run(stop, |what| talk.line(what)))
        }
        _ => {
            let time = Duration::try_from_secs_f64(wanted.minutes * 60.0)?;
            let options = soak::Options { seed, time, chart: wanted.chart.clone() };
            soak::run(&options, |soak::Glance { elapsed, memory, descriptors, calls }| {
                let (minutes, memory) = (elapsed.as_secs() / 60, memory >> 20);
                talk.often(&format!("{minutes} min, {memory} MiB, {descriptors} descriptors, {calls} calls"));
            })
        }
    };
    talk.end();
    outcome
}

/// What is said meanwhile. A closed stderr is no reason to stop.
struct Talk {
    terminal: bool,
    last: Option<SystemTime>,
}

impl Talk {
    fn often(&mut self, line: &str) {
        let long_ago = self.last.is_none_or(|last| last.elapsed().is_ok_and(|passed| passed >= LINE));
        if self.terminal || long_ago {
            self.last = Some(SystemTime::now());
            self.line(line);
        }
    }

    fn line(&self, line: &str) {
        if self.terminal {
            write!(io::stderr(), "\r\x1b[2K{line}").unwrap_or_default();
        } else {
            writeln!(io::stderr(), "{line}").unwrap_or_default();
        }
    }

    fn end(&self) {
        if self.terminal {
            writeln!(io::stderr()).unwrap_or_default();
        }
    }
}
