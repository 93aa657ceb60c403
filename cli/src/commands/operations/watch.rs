//! `ktrdr operations watch`: follow an operation to its end, without a say in it.

use ktrdr_proto::v1::Operation;

use super::report;
use crate::{
    context::Context,
    failure::Stop,
    follow::{self, Interrupts},
    output::progress::Progress,
    views::operation::OperationView,
};

/// Follow an operation to its end
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr operations watch op_load_01J9ZQ4M
  ktrdr operations watch op_load_01J9ZQ4M --format json     one line a change

Exits as the command that started it would. Ctrl-C stops watching; the operation goes on.")]
pub(crate) struct Args {
    /// The operation's id, or a unique prefix of it
    id: String,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
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
    let ended = follow::to_end(&client, &context.talk, &args.id, Interrupts::leave(), show).await;
    progress.clear();
    let ended = ended?;
    if json {
        // The last line says it all.
        return ended.failure().map_or(Ok(()), |failure| Err(Stop::Exit(failure.exit())));
    }
    report(context, &ended)
}
