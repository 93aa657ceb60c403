//! The command line, and a simulator's life as a process.

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, Knobs, NEWEST_VERSION};
use crate::fault_args::{FaultArgs, FaultsFileError};
use crate::faults::listing;
use crate::log::log;
use crate::simulator::Simulator;

/// Between two reports.
const REPORT_PAUSE: Duration = Duration::from_secs(1);

const EXAMPLES: &str = "\
Examples:
  ktrdr-gateway-sim --listen 127.0.0.1:4002
      Generated prices for a few well-known contracts on the Gateway's usual port.
  ktrdr-gateway-sim --listen 127.0.0.1:0 --replay data
      A free port, told on stdout, and the bars of data/SYMBOL_TIMEFRAME.csv as they are.
  ktrdr-gateway-sim --listen 127.0.0.1:0 --time-scale 60 --report report.json
      An hour of pacing rules in a minute; on SIGTERM, a report of requests and violations.
  ktrdr-gateway-sim --listen 127.0.0.1:0 --server-version 187
      A gateway that is too old for its clients.
  ktrdr-gateway-sim --listen 127.0.0.1:0 --faults night.toml --pacing strict
      What goes wrong is in a file; --list-faults has the names.
  ktrdr-gateway-sim --listen 127.0.0.1:0 --chaos heavy --seed 7
      Faults at random, and the same ones the next time.

When it is ready, one line {\"listening\":\"ADDR:PORT\"} appears on stdout.";

/// A simulated IB Gateway for tests and demos: real protocol, invented or replayed prices, no orders.
#[derive(Debug, Parser)]
#[command(name = "ktrdr-gateway-sim", version, after_help = EXAMPLES)]
struct Args {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", required_unless_present = "list_faults")]
    listen: Option<SocketAddr>,
    /// Serve the price files of a folder as they are
    #[arg(long, value_name = "DIR")]
    replay: Option<PathBuf>,
    /// Seed of generated prices
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Highest protocol version to agree to
    #[arg(long, value_name = "N", default_value_t = NEWEST_VERSION, value_parser = clap::value_parser!(i32).range(1..))]
    server_version: i32,
    /// Simulated seconds per real second
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    time_scale: f64,
    /// Write a report of what happened, every second and on SIGTERM or SIGINT
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Simulated milliseconds before each historical answer
    #[arg(long, value_name = "N", default_value_t = 0, hide = true)]
    answer_delay_ms: u64,
    /// Accept connections, read their first bytes and close them
    #[arg(long, hide = true)]
    close_in_handshake: bool,
    /// Refuse so many starts: client id in use
    #[arg(long, value_name = "N", default_value_t = 0, hide = true)]
    client_ids_taken: u32,
    /// Where the present stands still for generated prices and empty end dates
    #[arg(long, value_name = "RFC3339", hide = true)]
    now: Option<Timestamp>,
    /// Market seconds per real second, from the present or --now on
    #[arg(long, value_name = "X", hide = true)]
    market_speed: Option<f64>,
    /// Let generated contracts trade at all hours, so that there are live bars at any time
    #[arg(long)]
    always_open: bool,
    #[command(flatten)]
    faults: FaultArgs,
}

impl Args {
    fn config(&self) -> Result<Config, FaultsFileError> {
        let default = Config::default();
        Ok(Config {
            listen: self.listen.unwrap_or(default.listen),
            replay: self.replay.clone(),
            seed: self.seed,
            server_version: self.server_version,
            time_scale: self.time_scale,
            rules: self.faults.rules()?,
            chaos: self.faults.chaos(self.seed),
            knobs: self.faults.conditions(&Knobs {
                answer_delay: Duration::from_millis(self.answer_delay_ms),
                close_in_handshake: self.close_in_handshake,
                client_ids_taken: self.client_ids_taken,
                now: self.now,
                market_speed: self.market_speed,
                always_open: self.always_open,
                ..default.knobs
            }),
        })
    }
}

/// Runs the program: 0 after a signal, 1 on failure, 2 for a wrong command line.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            drop(error.print());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let ended = if args.faults.list_faults { list_faults().map_err(Into::into) } else { live(&args) };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log(&with_causes(&*error));
            ExitCode::FAILURE
        }
    }
}

fn with_causes(error: &dyn Error) -> String {
    let cause = error.source().map(with_causes);
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

fn live(args: &Args) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let simulator = Simulator::start(args.config()?).await?;
        announce(simulator.address())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = keep_report(&simulator, args.report.as_deref()) => {}
        }
        let report = simulator.stop().await;
        args.report.as_deref().map_or(Ok(()), |path| report.write(path))?;
        Ok(())
    })
}

/// Writes the report every second, so that a simulator that is killed leaves one.
async fn keep_report(simulator: &Simulator, path: Option<&Path>) {
    let Some(path) = path else {
        return std::future::pending().await;
    };
    let mut last_error = None;
    loop {
        // Here and not on a thread of its own: the last report must not meet an older one on its way.
        let error = simulator.report().write(path).err().map(|error| error.to_string());
        // Said once, not every second.
        if let Some(error) = error.as_ref().filter(|error| last_error.as_ref() != Some(*error)) {
            log(&format!("the report cannot be written: {error}"));
        }
        last_error = error;
        tokio::time::sleep(REPORT_PAUSE).await;
    }
}

fn list_faults() -> std::io::Result<()> {
    std::io::stdout().lock().write_all(listing().as_bytes())
}

fn announce(address: SocketAddr) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", serde_json::json!({ "listening": address.to_string() }))?;
    stdout.flush()
}
