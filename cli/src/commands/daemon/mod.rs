//! `ktrdr daemon`: the process itself.

mod log_level;
mod logs;
mod restart;
mod start;
mod status;
mod stop;

use ktrdr_proto::v1::{GetDaemonStatusRequest, GetDaemonStatusResponse};

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
  ktrdr daemon restart
  ktrdr daemon logs -f
  ktrdr daemon stop"
)]
pub(crate) enum Command {
    /// Start the daemon and wait until it answers
    Start(start::Args),
    /// Stop the daemon and wait until it is gone
    Stop(stop::Args),
    /// Start the daemon again; nobody is refused meanwhile
    Restart(restart::Args),
    /// What the daemon is and has
    Status(status::Args),
    /// The daemon's log, wherever it is
    Logs(logs::Args),
    /// What the daemon logs; with LEVEL, from now on
    LogLevel(log_level::Args),
}

pub(crate) async fn run(command: Command, context: &mut Context) -> Result<(), Stop> {
    match command {
        Command::Start(args) => start::run(args, context).await,
        Command::Stop(args) => stop::run(args, context).await,
        Command::Restart(args) => restart::run(args, context).await,
        Command::Status(args) => status::run(args, context).await,
        Command::LogLevel(args) => log_level::run(args, context).await,
        Command::Logs(args) => logs::run(&args, context).await,
    }
}

/// Asks a daemon of any contract what it is.
async fn ask(client: &Client) -> Result<GetDaemonStatusResponse, Failure> {
    let request = client.request(GetDaemonStatusRequest {});
    client.answer_of_any(client.daemon().get_status(request)).await
}
