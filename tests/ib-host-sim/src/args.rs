//! The command line.

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use jiff::Timestamp;
use ktrdr_http_sim::{Program, Rule, Simulator};

use crate::config::Config;
use crate::route::Route;
use crate::service::IbHost;

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
    #[arg(long = "fault", value_name = "SPEC", value_parser = Rule::read::<Route>)]
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

impl Program for Args {
    type Service = IbHost;

    fn lists_faults(&self) -> bool {
        self.list_faults
    }

    fn report(&self) -> Option<&Path> {
        self.report.as_deref()
    }

    async fn start(&self) -> Result<Simulator<IbHost>, Box<dyn Error>> {
        Ok(crate::start(self.config()).await?)
    }
}

/// Runs the program: 0 after a signal, 1 on failure, 2 for a wrong command line.
pub fn main() -> ExitCode {
    ktrdr_http_sim::main::<Args>()
}
