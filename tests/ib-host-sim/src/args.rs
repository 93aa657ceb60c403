//! The command line, and a simulator's life as a process.

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::faults::{Rule, listing};
use crate::log::log;
use crate::simulator::Simulator;

const EXAMPLES: &str = "\
Examples:
  ktrdr-ib-host-sim --listen 127.0.0.1:5001
      Generated prices on the service's usual port.
  ktrdr-ib-host-sim --listen 127.0.0.1:0 --replay data --report report.json
      A free port, the bars of data/SYMBOL_TIMEFRAME.csv as they are, and a report on SIGTERM.
  ktrdr-ib-host-sim --listen 127.0.0.1:0 --gateway-down --down-ms 500
      What the service says when its gateway is down, sooner than it would.
  ktrdr-ib-host-sim --listen 127.0.0.1:0 --fault historical:rows-lie --fault any:late:3:0:4000
      The first answer with bars lies, the first three answers of all take four seconds; --list-faults has the names.

When it is ready, one line {\"listening\":\"ADDR:PORT\"} appears on stdout. Routes under /_sim steer it while it runs.";

/// A simulated IB host service for tests and demos: real HTTP, the market of the simulated gateway.
#[derive(Debug, Parser)]
#[command(name = "ktrdr-ib-host-sim", version, after_help = EXAMPLES)]
struct Args {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", required_unless_present = "list_faults")]
    listen: Option<SocketAddr>,
    /// Serve the price files of a folder as they are
    #[arg(long, value_name = "DIR")]
    replay: Option<PathBuf>,
    /// Simulated seconds per real second
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    time_scale: f64,
    /// Seed of generated prices
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Play that nothing listens where the gateway should be
    #[arg(long)]
    gateway_down: bool,
    /// How long requests for bars take then; contracts and head timestamps take eight times as long
    #[arg(long, value_name = "N", default_value_t = 33_000)]
    down_ms: u64,
    /// Let requests of a route go wrong: ROUTE:KIND[:COUNT[:AFTER[:MS]]]
    #[arg(long = "fault", value_name = "SPEC")]
    faults: Vec<Rule>,
    /// Write a report of what happened on SIGTERM or SIGINT
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print every fault there is, and end
    #[arg(long)]
    list_faults: bool,
    /// Let generated contracts trade at all hours
    #[arg(long)]
    always_open: bool,
    /// Where the present stands still
    #[arg(long, value_name = "RFC3339", hide = true)]
    now: Option<Timestamp>,
    /// Market seconds per real second, from the present or --now on
    #[arg(long, value_name = "X", hide = true)]
    market_speed: Option<f64>,
    /// Close connections that were idle for so long
    #[arg(long, value_name = "N", default_value_t = 5_000, hide = true)]
    keep_alive_ms: u64,
}

impl Args {
    fn config(&self) -> Config {
        Config {
            listen: self.listen.unwrap_or(Config::default().listen),
            replay: self.replay.clone(),
            seed: self.seed,
            time_scale: self.time_scale,
            now: self.now,
            market_speed: self.market_speed,
            always_open: self.always_open,
            gateway_down: self.gateway_down,
            down: Duration::from_millis(self.down_ms),
            keep_alive: Duration::from_millis(self.keep_alive_ms),
            rules: self.faults.clone(),
        }
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
    let ended = if args.list_faults { list_faults().map_err(Into::into) } else { live(&args) };
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
        let simulator = Simulator::start(args.config()).await?;
        announce(simulator.address())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        args.report.as_deref().map_or(Ok(()), |path| simulator.report().write(path))?;
        Ok(())
    })
}

fn list_faults() -> std::io::Result<()> {
    std::io::stdout().lock().write_all(listing().as_bytes())
}

fn announce(address: SocketAddr) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", serde_json::json!({ "listening": address.to_string() }))?;
    stdout.flush()
}
