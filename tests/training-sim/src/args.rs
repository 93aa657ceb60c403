//! The command line.

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ktrdr_http_sim::{Program, Rule, Simulator};

use crate::config::Config;
use crate::generation::Generation;
use crate::route::Route;
use crate::service::Training;

const EXAMPLES: &str = "\
Examples:
  ktrdr-training-sim --listen 127.0.0.1:5002
      The oldest service on its usual port; an epoch takes 200 ms.
  ktrdr-training-sim --listen 127.0.0.1:0 --generation e --gpu 'NVIDIA RTX 4090' --report report.json
      The newest host service on a free port; on SIGTERM, a report of requests and starts.
  ktrdr-training-sim --listen 127.0.0.1:0 --fault start:executed-500 --fault list:late:3:0:4000
      The first start lies, the first three lists take four seconds; --list-faults has the names.

When it is ready, one line {\"listening\":\"ADDR:PORT\"} appears on stdout. Routes under /_sim steer it while it runs.";

/// A simulated training host service for tests and demos: real HTTP, invented training.
#[derive(Debug, Parser)]
#[command(name = "ktrdr-training-sim", version, after_help = EXAMPLES)]
struct Args {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", required_unless_present = "list_faults")]
    listen: Option<SocketAddr>,
    /// Which state of the Python services to play
    #[arg(long, value_enum, default_value_t = Generation::A)]
    generation: Generation,
    /// Sessions at once; 1 unless given, and without limit for a worker
    #[arg(long, value_name = "N")]
    slots: Option<u64>,
    /// Milliseconds of an epoch
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    epoch_ms: u64,
    /// Batches of an epoch
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batches: u32,
    /// Close connections that were idle for so long
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    keep_alive_ms: u64,
    /// How long a stop takes; 30000 at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    stop_ms: u64,
    /// Let requests of a route go wrong: ROUTE:KIND[:COUNT[:AFTER[:MS]]]
    #[arg(long = "fault", value_name = "SPEC", value_parser = Rule::read::<Route>)]
    faults: Vec<Rule>,
    /// Write a report of what happened on SIGTERM or SIGINT
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print every fault there is, and end
    #[arg(long)]
    list_faults: bool,
    /// The id a worker tells; an invented one unless given
    #[arg(long, value_name = "NAME")]
    worker_id: Option<String>,
    /// Name of a GPU to have
    #[arg(long, value_name = "NAME")]
    gpu: Option<String>,
}

impl Args {
    fn config(&self) -> Config {
        Config {
            listen: self.listen.unwrap_or(Config::default().listen),
            generation: self.generation,
            slots: self.slots,
            epoch_ms: self.epoch_ms,
            batches: self.batches,
            keep_alive: Duration::from_millis(self.keep_alive_ms),
            stop: Duration::from_millis(self.stop_ms),
            rules: self.faults.clone(),
            worker_id: self.worker_id.clone(),
            gpu: self.gpu.clone(),
        }
    }
}

impl Program for Args {
    type Service = Training;

    fn lists_faults(&self) -> bool {
        self.list_faults
    }

    fn report(&self) -> Option<&Path> {
        self.report.as_deref()
    }

    async fn start(&self) -> Result<Simulator<Training>, Box<dyn Error>> {
        Ok(crate::start(self.config()).await?)
    }
}

/// Runs the program: 0 after a signal, 1 on failure, 2 for a wrong command line.
pub fn main() -> ExitCode {
    ktrdr_http_sim::main::<Args>()
}
