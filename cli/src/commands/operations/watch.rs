//! `ktrdr operations watch`: follow one operation to its end, or all that are under way, without a say in it.

mod all;

use clap_complete::ArgValueCompleter;
use ktrdr_proto::v1::Operation;

use super::report;
use crate::{
    commands::completions::operations,
    context::Context,
    failure::Stop,
    follow::{self, Interrupts},
    output::progress::Progress,
    views::operation::OperationView,
};

/// Follow operations to their end
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr operations watch op_load_01J9ZQ4M
  ktrdr operations watch op_load_01J9ZQ4M --format json     one line a change
  ktrdr operations watch --all                              a table of all that are under way

Exits as the command that started it would, and 0 with --all. Ctrl-C stops watching; the operations go on.")]
pub(crate) struct Args {
    /// The operation's id, or a unique prefix of it
    #[arg(required_unless_present = "all")]
    #[arg(add = ArgValueCompleter::new(operations))]
    id: Option<String>,

    /// All that have not ended, until none is left
    #[arg(short, long, conflicts_with = "id")]
    all: bool,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    match args.id {
        Some(id) => one(&id, context).await,
        None => all::run(context).await,
    }
}

async fn one(id: &str, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let progress = Progress::of_operation(context.talk, true);
    let out = &mut context.out;
    let show = |operation: &Operation| {
        progress.show(operation);
        if json {
            out.event(&OperationView::from(operation))?;
        }
        Ok(())
    };
    let ended = follow::to_end(&client, &context.talk, id, Interrupts::leave(), show).await;
    progress.clear();
    let ended = ended?;
    if json {
        // The last line says it all.
        return ended.failure().map_or(Ok(()), |failure| Err(failure.into()));
    }
    report(context, &ended)
}
