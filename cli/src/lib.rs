//! The command line of `ktrdr`: parse, one request, print, exit.
//!
//! Lives here: the way from the arguments to the exit code. What a command does is in `commands`, how it reaches the
//! daemon in `client`, what an error becomes in `failure`.
//!
//! A command costs one round trip. So nothing is read, probed or started before the request that the request does not
//! need: no configuration file, no logger, no worker threads, no question whether stdout is a terminal.

mod args;
mod client;
mod commands;
mod context;
mod failure;
mod flags;
mod follow;
mod launch;
mod output;
mod time;
mod views;
mod wire;

use std::process::ExitCode;

use clap_complete::CompleteEnv;

use args::Cli;
use commands::completions;
use context::Context;
use failure::{Failure, Stop};
use ktrdr_proto::reason;

/// The whole program, from the arguments of this process to its exit code.
pub fn main() -> ExitCode {
    // a shell that completes; one look at the environment otherwise
    if std::env::var_os(completions::VARIABLE).is_some() {
        CompleteEnv::with_factory(command).var(completions::VARIABLE).complete();
    }
    match args::parse() {
        Ok(cli) => ExitCode::from(run(cli)),
        Err(error) => ExitCode::from(usage(&error)),
    }
}

/// The whole tree, for completions and manual pages.
pub fn command() -> clap::Command {
    let mut command = <Cli as clap::CommandFactory>::command();
    command.build();
    command
}

fn run(cli: Cli) -> u8 {
    let mut context = Context::new(cli.globals);
    let result = execute(cli.command, &mut context).and_then(|()| Ok(context.out.finish()?));
    match result {
        Ok(()) | Err(Stop::PipeClosed) => 0,
        Err(Stop::Failed(failure)) => {
            // What was printed so far comes first; when stdout is gone, the failure is still worth telling.
            context.out.finish().ok();
            context.talk.failure(&failure, context.wants_json());
            failure.exit()
        }
    }
}

/// One thread is enough for one request, and costs the least to start.
fn execute(command: args::Command, context: &mut Context) -> Result<(), Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| Failure::new(&reason::INTERNAL, "cannot start").caused_by(&error))?;
    runtime.block_on(commands::run(command, context))
}

/// Help and version go to stdout; a mistake goes to stderr, as a document when one was asked for.
fn usage(error: &clap::Error) -> u8 {
    if error.use_stderr() && args::json_was_asked(std::env::args_os()) {
        let text = error.render().to_string();
        let line = text.lines().next().unwrap_or_default();
        let failure = Failure::new(&reason::REQUEST_INVALID, line.trim_start_matches("error: "));
        output::Talk::default().failure(&failure, true);
    } else {
        error.print().ok();
    }
    u8::try_from(error.exit_code()).unwrap_or(reason::exit::USAGE)
}
