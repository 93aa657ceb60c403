//! One file a command: its flags, its request, what it prints. Anything that two commands share is elsewhere.

pub(crate) mod completions;
pub(crate) mod daemon;
pub(crate) mod data;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod ib;
pub(crate) mod models;
pub(crate) mod operations;
pub(crate) mod services;
pub(crate) mod top;
pub(crate) mod version;

use crate::{args::Command, context::Context, failure::Stop};

/// Runs the command of this process.
pub(crate) async fn run(command: Command, context: &mut Context) -> Result<(), Stop> {
    match command {
        Command::Data(command) => data::run(command, context).await,
        Command::Models(command) => models::run(command, context).await,
        Command::Operations(command) => operations::run(command, context).await,
        Command::Ib(command) => ib::run(command, context).await,
        Command::Services(command) => services::run(command, context).await,
        Command::Daemon(command) => daemon::run(command, context).await,
        Command::Top(args) => top::run(args, context).await,
        Command::Doctor(args) => doctor::run(args, context).await,
        Command::Explain(args) => explain::run(args, context),
        Command::Completions(args) => completions::run(&args, context),
        Command::Version(args) => version::run(args, context).await,
    }
}
