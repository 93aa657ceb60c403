//! `ktrdr operations`: what the daemon is doing and has done.

mod cancel;
mod list;
mod retry;
mod status;
mod watch;

use ktrdr_proto::v1::{Operation, operation};

pub(crate) use list::active;

use crate::{
    context::Context,
    failure::Stop,
    follow::Ended,
    output::table::thousands,
    views::{
        import::ImportView,
        operation::{LoadView, LoadsView, RepairedView},
    },
};

#[derive(Debug, clap::Subcommand)]
#[command(
    defer = true,
    arg_required_else_help = true,
    after_help = "Examples:
  ktrdr operations list --active
  ktrdr ops watch op_load_01J9
  ktrdr ops watch --all

Every command takes a unique prefix of an id."
)]
pub(crate) enum Command {
    /// Operations, newest first
    List(list::Args),
    /// One operation in full
    Status(status::Args),
    /// Follow operations to their end
    Watch(watch::Args),
    /// Ask an operation to stop, and wait until it has
    Cancel(cancel::Args),
    /// Start a failed, cancelled or interrupted operation again
    Retry(retry::Args),
}

pub(crate) async fn run(command: Command, context: &mut Context) -> Result<(), Stop> {
    match command {
        Command::List(args) => list::run(args, context).await,
        Command::Status(args) => status::run(args, context).await,
        Command::Watch(args) => watch::run(args, context).await,
        Command::Cancel(args) => cancel::run(args, context).await,
        Command::Retry(args) => retry::run(args, context).await,
    }
}

/// The end of a followed operation: its tables on stdout, then why it is no success.
fn report(context: &mut Context, ended: &Ended) -> Result<(), Stop> {
    print_tables(context, &ended.operation)?;
    ended.failure().map_or(Ok(()), |failure| Err(failure.into()))
}

/// An operation for people: itself, then what it brought.
fn print_tables(context: &mut Context, operation: &Operation) -> Result<(), Stop> {
    context.out.table(&status::table(operation))?;
    match &operation.result {
        Some(operation::Result::Load(result)) => {
            context.out.line("")?;
            context.out.table(&super::data::load_table(operation, &LoadView::of(operation, result)))?;
        }
        Some(operation::Result::Import(result)) => {
            context.out.line("")?;
            super::data::import_tables(context, &ImportView::of(operation, result))?;
        }
        Some(operation::Result::Loads(result)) => {
            context.out.line("")?;
            context.out.table(&super::data::loads_table(&LoadsView::of(operation, result)))?;
        }
        Some(operation::Result::Repair(result)) => {
            let view = RepairedView::of(operation, result);
            context.out.line("")?;
            let mut table = super::data::load_table(operation, &view.load);
            table.property("Bars dropped", thousands(view.dropped));
            context.out.table(&table)?;
        }
        Some(operation::Result::Training(result)) => {
            context.out.line("")?;
            context.out.table(&super::models::result_table(operation, result))?;
        }
        None => {}
    }
    Ok(())
}
