//! `ktrdr operations cancel`: ask an operation to stop, and wait until it has.

use std::time::Duration;

use clap_complete::ArgValueCompleter;
use ktrdr_proto::{spelling::Word as _, v1::CancelOperationRequest};

use crate::{
    commands::completions::operations,
    context::Context,
    failure::Stop,
    flags::{Force, without_letter},
    views::operation::OperationView,
};

/// Ask an operation to stop, and wait until it has
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("format", without_letter),
    after_help = "Examples:
  ktrdr operations cancel op_load_01J9ZQ4M
  ktrdr operations cancel op_load_01J9ZQ4M --reason duplicate

What it stored is kept. An operation that had ended already stays as it is; that exits 0 too."
)]
pub(crate) struct Args {
    /// The operation's id, or a unique prefix of it
    #[arg(add = ArgValueCompleter::new(operations))]
    id: String,

    /// Why, for the record
    #[arg(short, long, value_name = "TEXT")]
    reason: Option<String>,

    #[command(flatten)]
    force: Force,
}

/// Longer than any operation takes to stop.
const PATIENCE: Duration = Duration::from_mins(4);

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    if args.force.force {
        context.talk.note("--force is not used: cancelling always waits for the end");
    }
    let client = context.client()?;
    // a training host may take a minute and a half to stop; a limit that was given, counts
    let patient = client.limit() == crate::flags::TIMEOUT;
    let client = if patient { client.within(PATIENCE) } else { client };
    let request = CancelOperationRequest { id: args.id, note: args.reason.unwrap_or_default() };
    let answer = client.answer(client.operations().cancel(client.request(request))).await?;
    let operation = answer.operation.unwrap_or_default();
    if answer.already_ended {
        context.talk.say("It had ended already");
    }
    if json {
        return Ok(context.out.document(&OperationView::from(&operation))?);
    }
    Ok(context.out.line(&format!("{}: {}", operation.id, operation.state().word()))?)
}
