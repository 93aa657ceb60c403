//! `ktrdr operations retry`: start an operation again that did not complete, and follow the new one.

use clap_complete::ArgValueCompleter;
use ktrdr_proto::v1::RetryOperationRequest;

use super::report;
use crate::{
    commands::completions::operations,
    context::Context,
    failure::Stop,
    follow::{self, Interrupts, print_started},
    views::operation::OperationView,
};

/// Start a failed, cancelled or interrupted operation again
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr operations retry op_load_01J9ZQ4M
  ktrdr operations retry op_load_01J9ZQ4M --detach          print the new operation's id and return

Ctrl-C cancels the new operation; a second Ctrl-C leaves at once.")]
pub(crate) struct Args {
    /// The operation's id, or a unique prefix of it
    #[arg(add = ArgValueCompleter::new(operations))]
    id: String,

    /// Print the new operation's id and return
    #[arg(long)]
    detach: bool,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let mut interrupts = if args.detach { Interrupts::leave() } else { Interrupts::cancel()? };
    let client = context.client()?;
    let request = client.request(RetryOperationRequest { id: args.id, request_id: client.request_id() });
    let mut service = client.operations();
    let answer = interrupts.starting(context.talk, client.answer(service.retry(request))).await?;
    let operation = answer.operation.unwrap_or_default();
    if args.detach {
        return print_started(context, json, &operation);
    }
    let ended = follow::started(&client, context.talk, &operation, interrupts, true).await?;
    if json {
        context.out.document(&OperationView::from(&ended.operation))?;
        return ended.failure().map_or(Ok(()), |failure| Err(failure.into()));
    }
    report(context, &ended)
}
