//! `ktrdr data restore`: undo what replaced stored bars.

use ktrdr_proto::v1::RestoreRequest;

use super::change::{self, Change};
use crate::{
    context::Context,
    failure::Stop,
    flags::Series,
    output::table::{Table, thousands},
    views::housekeeping::RestoreView,
};

/// Undo a repair, a deletion, or a series loaded anew
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data restore AAPL -t 1h                          says what it would undo: the latest
  ktrdr data restore AAPL -t 1h --yes
  ktrdr data restore AAPL -t 1h --operation op_repair_01J9ZQ4M… --yes

`data info` lists what can be restored. Doing it twice undoes the undoing.")]
pub(crate) struct Args {
    #[command(flatten)]
    series: Series,

    /// Whose work to undo [default: the latest]
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    operation: String,

    #[command(flatten)]
    change: Change,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let dry_run = !args.change.is_meant();
    let request = RestoreRequest { series: Some(args.series.into()), operation: args.operation, dry_run };
    let answer = client.answer(client.housekeeping().restore(client.request(request))).await?;
    let view = RestoreView::of(answer, !dry_run);
    change::print(context, json, &view, || table(&view), args.change)
}

fn table(view: &RestoreView) -> Table {
    let years: Vec<String> = view.years.iter().map(i32::to_string).collect();
    let mut table = Table::properties();
    table.property(if view.done { "Undone" } else { "Would undo" }, view.operation.as_str());
    table.property("What it was", view.why.as_str());
    table.property("Years", years.join(" "));
    table.property("Bars of them before", thousands(view.bars_before));
    table.property("Bars of them after", thousands(view.bars_after));
    table
}
