//! `ktrdr data delete`: take stored bars away.

use ktrdr_proto::{spelling, v1::DeleteRequest};

use super::change::{self, Change};
use crate::{
    context::Context,
    failure::Stop,
    flags::{Dates, Series},
    output::table::{Table, thousands},
    views::housekeeping::DeleteView,
};

/// Take stored bars away
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data delete AAPL -t 1m                           says what would go: all of it
  ktrdr data delete AAPL -t 1m --end 2020-12-31 --yes    everything up to the end of 2020

What is known of that time goes, too, so a load brings it again. `data restore` undoes it until `data compact` frees the
disk.")]
pub(crate) struct Args {
    #[command(flatten)]
    series: Series,

    #[command(flatten)]
    dates: Dates,

    #[command(flatten)]
    change: Change,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let dry_run = !args.change.is_meant();
    let undo = format!(
        "ktrdr data restore {} -t {}",
        args.series.symbol,
        spelling::timeframe(args.series.timeframe).unwrap_or_default()
    );
    let request = DeleteRequest { range: args.dates.range(), series: Some(args.series.into()), dry_run };
    let answer = client.answer(client.housekeeping().delete(client.request(request))).await?;
    let view = DeleteView::from(answer);
    change::print(context, json, &view, || table(&view, &undo), args.change)
}

fn table(view: &DeleteView, undo: &str) -> Table {
    let mut table = Table::properties();
    table.property(if view.done { "Bars deleted" } else { "Bars to delete" }, thousands(view.bars));
    table.property("Bars left", thousands(view.bars_left));
    table.property_if("To undo", view.operation.as_ref().map(|id| format!("{undo} --operation {id} --yes")));
    table
}
