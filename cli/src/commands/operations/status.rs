//! `ktrdr operations status`: one operation in full.

use clap_complete::ArgValueCompleter;
use ktrdr_proto::v1::{GetOperationRequest, Operation};

use super::print_tables;
use crate::{
    commands::completions::operations,
    context::Context,
    failure::{Failure, Stop},
    output::table::Table,
    time::{Instant, duration},
    views::operation::{OperationView, seconds, state_cell},
};

/// One operation in full
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr operations status op_load_01J9ZQ4M
  ktrdr operations status op_load_01J9ZQ4M --format json")]
pub(crate) struct Args {
    /// The operation's id, or a unique prefix of it
    #[arg(add = ArgValueCompleter::new(operations))]
    id: String,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let request = client.request(GetOperationRequest { id: args.id });
    let answer = client.answer(client.operations().get(request)).await?;
    let operation = answer.operation.unwrap_or_default();
    if json {
        return Ok(context.out.document(&OperationView::from(&operation))?);
    }
    print_tables(context, &operation)
}

/// Everything but the result.
pub(super) fn table(operation: &Operation) -> Table {
    let mut table = Table::properties();
    table.property("Operation ID", operation.id.as_str());
    table.property("Type", operation.kind.as_str());
    table.property("Subject", operation.subject.as_str());
    table.property("Status", state_cell(operation));
    if let Some(failure) = Failure::from_operation(operation) {
        table.property("Reason", format!("{} ({})", failure.messages().join(": "), failure.reason()));
    }
    table.property("Created", Instant(operation.created_at_ns).to_string());
    table.property_if("Started", operation.started_at_ns.map(|at| Instant(at).to_string()));
    table.property_if("Ended", operation.ended_at_ns.map(|at| Instant(at).to_string()));
    table.property_if("Duration", seconds(operation).map(duration));
    let progress = operation.progress.clone().unwrap_or_default();
    table.property_if("Percentage", progress.percent.map(|percent| format!("{percent:.1}%")));
    if progress.total > 0 {
        table.property("Progress", format!("{} of {} {}", progress.done, progress.total, progress.unit));
    }
    table.property_if("Current step", Some(progress.message).filter(|message| !message.is_empty()));
    table.property_if("Retry of", operation.retry_of.clone());
    table
}
