//! `ktrdr data compact`: free the disk of what could still be restored.

use ktrdr_proto::v1::CompactRequest;

use super::change::{self, Change};
use crate::{
    context::Context,
    failure::Stop,
    output::table::{Table, bytes, thousands},
    views::housekeeping::CompactView,
};

/// Free the disk of what could still be restored
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data compact                            says what would go: replaced more than 30 days ago
  ktrdr data compact --older-than 0 --yes       everything that was replaced or damaged

Stored bars are not touched: each year of a series is one file already.")]
pub(crate) struct Args {
    /// Days that must have passed since it was replaced
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    older_than: u32,

    #[command(flatten)]
    change: Change,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let dry_run = !args.change.is_meant();
    let request = client.request(CompactRequest { older_than_days: args.older_than, dry_run });
    let answer = client.answer(client.housekeeping().compact(request)).await?;
    let view = CompactView::of(&answer, !dry_run);
    change::print(context, json, &view, || table(&view), args.change)
}

fn table(view: &CompactView) -> Table {
    let mut table = Table::properties();
    table.property(if view.done { "Files removed" } else { "Files to remove" }, thousands(view.files));
    table.property("Size", bytes(view.bytes));
    table
}
