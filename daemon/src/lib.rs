//! `ktrdrd`: the resident daemon. It holds the one connection to the IB Gateway, the bars on disk and every running
//! operation; everybody else asks it over a Unix socket.
//!
//! Layers, each importing downwards only (`tests/layers.rs` checks it):
//!
//! ```text
//! lifecycle    birth and death
//! observe      what Prometheus reads
//! ib_service   the contract of the old IB host service
//! rpc          the wire
//! training     sessions on host services
//! market_data  plan → fetch → merge → store
//! operations   everything long
//! gateway      the one connection
//! bucket       the dataset in object storage
//! host_service pooled HTTP clients
//! store        Parquet and the ledger
//! model        the words of the domain
//! ```
//! with `config` on top, and `telemetry`, `metrics`, `web`, `facts`, `clock` and `error` at the bottom, for all.

pub mod bucket;
pub mod clock;
pub mod config;
pub mod error;
pub mod facts;
pub mod gateway;
#[cfg(test)]
mod handbook;
pub mod host_service;
pub mod ib_service;
pub mod lifecycle;
pub mod market_data;
pub mod metrics;
pub mod model;
pub mod observe;
pub mod operations;
pub mod rpc;
pub mod store;
pub mod telemetry;
pub mod training;
pub mod web;

use std::{
    error::Error,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use config::Settings;
use lifecycle::StartError;

/// Tokio's worker threads. The daemon waits far more than it computes; blocking work has threads of its own.
const WORKERS: usize = 2;

/// Resident daemon of ktrdr: one IB Gateway connection, the bars on disk, every running operation.
///
/// Runs in the foreground and logs to stderr. `ktrdr daemon start` puts it in the background.
#[derive(Debug, Parser)]
#[command(name = "ktrdrd", version = ktrdr_proto::BUILD, after_help = "Examples:
  ktrdrd
  ktrdrd --config ~/ktrdr.toml
  ktrdrd --help-config > ~/ktrdr.toml
  ktrdrd --check --config ~/ktrdr.toml
  KTRDR_IB_PORT=4001 KTRDR_DATA_DIR=/srv/bars ktrdrd --socket /tmp/k.sock")]
struct Args {
    /// Configuration to read after the system's and the user's
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Say whether the settings can be used, and do no more
    #[arg(long)]
    check: bool,
    /// Print every key of the configuration, as a file to begin with
    #[arg(long)]
    help_config: bool,
}

/// The whole program.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let done = match args {
        Args { help_config: true, .. } => print(config::reference::FILE),
        Args { check: true, .. } => check(args.config.as_deref()),
        args => start(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error);
            ExitCode::from(if error.is_of_settings() { 2 } else { 1 })
        }
    }
}

fn settings(file: Option<&Path>) -> Result<Settings, StartError> {
    Ok(Settings::of_process(file)?)
}

/// What can be said without looking at the machine: users, folders and addresses are tried at the start.
fn check(file: Option<&Path>) -> Result<(), StartError> {
    let settings = settings(file)?;
    telemetry::check(&settings.log_level).map_err(StartError::Log)?;
    let files = settings.config_files.iter().map(|path| format!("read {}\n", path.display()));
    let warnings = settings.warnings.iter().map(|warning| format!("warning: {warning}\n"));
    let lines: String = files.chain(warnings).collect();
    print(&format!("{lines}the settings can be used\n"))
}

#[expect(clippy::unnecessary_wraps, reason = "an end like the others")]
fn print(text: &str) -> Result<(), StartError> {
    // nobody reads on when stdout is closed
    std::io::stdout().write_all(text.as_bytes()).unwrap_or_default();
    Ok(())
}

fn start(args: Args) -> Result<(), StartError> {
    let mut settings = settings(args.config.as_deref())?;
    settings.socket = args.socket.or(settings.socket);
    let to_journal = lifecycle::logs_to_journal();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let runtime = runtime.map_err(|error| StartError::Log(error.to_string()))?;
    let collector = settings.observe.otlp.as_deref();
    let (level, format) = (&settings.log_level, settings.log_format);
    let entered = runtime.enter();
    let started = telemetry::start(level, format, to_journal, collector, gateway::overhear);
    let (log_level, traces) = started.map_err(StartError::Log)?;
    drop(entered);
    let again = runtime.block_on(lifecycle::run(settings, log_level));
    if let Some(traces) = traces {
        traces.finish();
    }
    let again = again?;
    // everything that was open is closed before the next life begins
    drop(runtime);
    again.map_or(Ok(()), |again| Err(StartError::Again(again.exec())))
}

/// What a person reads when the daemon does not start.
fn tell(error: &StartError) {
    let texts = error::chain(error as &dyn Error);
    let labels = std::iter::once("error").chain(std::iter::repeat("caused by"));
    let mut lines: Vec<String> = labels.zip(texts).map(|(label, text)| format!("{label}: {text}")).collect();
    lines.push(format!("hint: {}\n", error.hint()));
    let lines = lines.join("\n");
    // nobody is left to tell when stderr is closed
    std::io::stderr().write_all(lines.as_bytes()).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_reference_shows_what_the_program_takes() {
        let help = super::Args::command().render_long_help().to_string();
        let lines: Vec<&str> = help.trim().lines().map(str::trim_end).collect();
        crate::handbook::shows("REFERENCE.md", "ktrdrd", &format!("```text\n{}\n```\n", lines.join("\n")));
    }
}
