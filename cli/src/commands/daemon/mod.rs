//! `ktrdr daemon`: the process itself. Only `start` ever starts one.

mod logs;
mod start;
mod status;
mod stop;

use std::{env, path::PathBuf};

use ktrdr_proto::{
    reason,
    v1::{GetDaemonStatusRequest, GetDaemonStatusResponse},
};

use crate::{
    client::Client,
    context::Context,
    failure::{Failure, Stop},
};

#[derive(Debug, clap::Subcommand)]
#[command(
    defer = true,
    arg_required_else_help = true,
    after_help = "Examples:
  ktrdr daemon start
  ktrdr daemon status
  ktrdr daemon stop"
)]
pub(crate) enum Command {
    /// Start the daemon and wait until it answers
    Start(start::Args),
    /// Stop the daemon and wait until it is gone
    Stop(stop::Args),
    /// What the daemon is and has
    Status(status::Args),
    /// The log of a daemon that was started from here
    Logs(logs::Args),
}

pub(crate) async fn run(command: Command, context: &mut Context) -> Result<(), Stop> {
    match command {
        Command::Start(args) => start::run(args, context).await,
        Command::Stop(args) => stop::run(args, context).await,
        Command::Status(args) => status::run(args, context).await,
        Command::Logs(args) => logs::run(&args, context),
    }
}

/// Asks a daemon of any contract what it is.
async fn ask(client: &Client) -> Result<GetDaemonStatusResponse, Failure> {
    let request = client.request(GetDaemonStatusRequest {});
    client.answer_of_any(client.daemon().get_status(request)).await
}

/// Where a daemon that was started from here writes: `$XDG_STATE_HOME/ktrdr/ktrdrd.log`.
fn log_path() -> Result<PathBuf, Failure> {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = variable("XDG_STATE_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/state")));
    let state = state.ok_or_else(|| {
        Failure::new(&reason::REQUEST_INVALID, "no place for the daemon's log").hint("set HOME or XDG_STATE_HOME")
    })?;
    Ok(state.join("ktrdr/ktrdrd.log"))
}
