//! A simulator's life as a process.

use std::error::Error;
use std::future::Future;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::faults::listing;
use crate::report;
use crate::service::Service;
use crate::simulator::Simulator;

/// The command line of a simulator.
pub trait Program: Parser {
    type Service: Service;

    /// Print every fault there is, and end.
    fn lists_faults(&self) -> bool;

    /// Where to write a report of what happened, at the end.
    fn report(&self) -> Option<&Path>;

    fn start(&self) -> impl Future<Output = Result<Simulator<Self::Service>, Box<dyn Error>>>;
}

/// Runs the program: 0 after a signal, 1 on failure, 2 for a wrong command line.
pub fn main<P: Program>() -> ExitCode {
    let args = match P::try_parse() {
        Ok(args) => args,
        Err(error) => {
            drop(error.print());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let ended = if args.lists_faults() { list_faults::<P>().map_err(Into::into) } else { live(&args) };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A line that cannot be written is lost.
            drop(writeln!(io::stderr().lock(), "{}: {}", P::Service::NAME, with_causes(&*error)));
            ExitCode::FAILURE
        }
    }
}

fn live<P: Program>(args: &P) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let simulator = args.start().await?;
        announce(simulator.address())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        args.report().map_or(Ok(()), |path| report::write(&simulator.report(), path))?;
        Ok(())
    })
}

fn with_causes(error: &dyn Error) -> String {
    let cause = error.source().map(with_causes);
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

fn list_faults<P: Program>() -> io::Result<()> {
    io::stdout().lock().write_all(listing::<<P::Service as Service>::Route>().as_bytes())
}

fn announce(address: SocketAddr) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", serde_json::json!({ "listening": address.to_string() }))?;
    stdout.flush()
}
