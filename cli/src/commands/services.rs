//! `ktrdr services`: the HTTP services behind the daemon.

use ktrdr_proto::{
    reason,
    v1::{CheckHostServicesRequest, HostService, HostServiceState, ListHostServicesRequest},
};

use crate::{
    context::Context,
    failure::{Failure, Stop},
    views::services::{ServicesView, table},
};

#[derive(Debug, clap::Subcommand)]
#[command(
    defer = true,
    arg_required_else_help = true,
    after_help = "Examples:
  ktrdr services list
  ktrdr services check gpu1"
)]
pub(crate) enum Command {
    /// What is known of each, without asking any
    List(ListArgs),
    /// Ask now
    Check(CheckArgs),
}

/// What is known of each, without asking any
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr services list
  ktrdr services list --format json

Exits 0 whatever the states are; ktrdr services check exits 5 when one is down.")]
pub(crate) struct ListArgs {}

/// Ask now
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr services check
  ktrdr services check gpu1 --format json

Exits 5 when one is down.")]
pub(crate) struct CheckArgs {
    /// Only this one, by its name in the configuration
    name: Option<String>,
}

pub(crate) async fn run(command: Command, context: &mut Context) -> Result<(), Stop> {
    match command {
        Command::List(ListArgs {}) => list(context).await,
        Command::Check(args) => check(args, context).await,
    }
}

async fn list(context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let request = client.request(ListHostServicesRequest {});
    let answer = client.answer(client.host_services().list(request)).await?;
    print(context, json, &answer.services)
}

async fn check(args: CheckArgs, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let request = client.request(CheckHostServicesRequest { name: args.name.unwrap_or_default() });
    let answer = client.answer(client.host_services().check(request)).await?;
    print(context, json, &answer.services)?;
    let up = |service: &&HostService| matches!(service.state(), HostServiceState::Up | HostServiceState::Slow);
    match answer.services.iter().find(|service| !up(service)) {
        None => Ok(()),
        Some(down) => {
            let last = down.last_error.clone().unwrap_or_else(|| "it was not asked".into());
            let text = format!("{} at {} cannot be used: {last}", down.name, down.url);
            let hint = "is the service running there, and its address in the configuration right?";
            Err(Failure::new(&reason::HOST_UNREACHABLE, text).hint(hint).into())
        }
    }
}

fn print(context: &mut Context, json: bool, services: &[HostService]) -> Result<(), Stop> {
    if services.is_empty() && !json {
        context.talk.say("No host services are configured; docs/TRAINING.md shows how");
        return Ok(());
    }
    let view = ServicesView { services: services.iter().map(Into::into).collect() };
    Ok(context.out.show(json, &view, || table(services))?)
}
