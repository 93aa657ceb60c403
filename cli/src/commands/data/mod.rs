//! `ktrdr data`: stored bars, and how they get there.

mod binary;
mod calendar;
mod change;
mod check;
mod compact;
mod delete;
mod export;
mod import;
mod info;
mod list;
mod load;
mod query;
mod range;
mod repair;
mod restore;
mod show;
mod validate;
mod verify;
mod view;
mod watch;

use crate::{context::Context, failure::Stop};

pub(crate) use import::tables as import_tables;
pub(crate) use load::{many_table as loads_table, table as load_table};

#[derive(Debug, clap::Subcommand)]
#[command(
    defer = true,
    arg_required_else_help = true,
    after_help = "Examples:
  ktrdr data load AAPL -t 1h
  ktrdr data show AAPL -t 1h
  ktrdr data watch AAPL -t 1m
  ktrdr data list"
)]
pub(crate) enum Command {
    /// Print stored bars
    Show(show::Args),
    /// Fetch bars from the gateway
    Load(load::Args),
    /// Print bars as they are made
    Watch(watch::Args),
    /// First and last stored bar of one series
    Range(range::Args),
    /// All stored series
    List(list::Args),
    /// What a symbol means, and how far back its history goes
    Validate(validate::Args),
    /// Whether stored bars are right and complete
    Check(check::Args),
    /// Which bars are absent, and why
    Gaps(check::GapsArgs),
    /// Mend what a check has found
    Repair(repair::Args),
    /// Undo a repair, a deletion, or a series loaded anew
    Restore(restore::Args),
    /// Contract, hours, files, revisions, and what can be restored
    Info(info::Args),
    /// When a market is open
    Calendar(calendar::Args),
    /// Store the bars of CSV files
    Import(import::Args),
    /// Write stored bars to a file
    Export(export::Args),
    /// Whether each file is what was written
    Verify(verify::Args),
    /// Take stored bars away
    Delete(delete::Args),
    /// Free the disk of what could still be restored
    Compact(compact::Args),
}

pub(crate) async fn run(command: Command, context: &mut Context) -> Result<(), Stop> {
    match command {
        Command::Show(args) => show::run(args, context).await,
        Command::Load(args) => load::run(args, context).await,
        Command::Watch(args) => watch::run(args, context).await,
        Command::Range(args) => range::run(args, context).await,
        Command::List(args) => list::run(args, context).await,
        Command::Validate(args) => validate::run(args, context).await,
        Command::Check(args) => check::run(args, context).await,
        Command::Gaps(args) => check::run_gaps(args, context).await,
        Command::Repair(args) => repair::run(args, context).await,
        Command::Restore(args) => restore::run(args, context).await,
        Command::Info(args) => info::run(args, context).await,
        Command::Verify(args) => verify::run(args, context).await,
        Command::Delete(args) => delete::run(args, context).await,
        Command::Compact(args) => compact::run(args, context).await,
        Command::Calendar(args) => calendar::run(args, context).await,
        Command::Import(args) => import::run(args, context).await,
        Command::Export(args) => export::run(args, context).await,
    }
}
