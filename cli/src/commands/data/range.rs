//! `ktrdr data range`: first and last stored bar of one series.

use ktrdr_proto::v1::GetRangeRequest;

use crate::{
    context::Context, failure::Stop, flags::Series, output::table::Table, output::table::thousands,
    views::series::RangeView,
};

/// First and last stored bar of one series
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data range AAPL
  ktrdr data range EURUSD -t 1h --format json")]
pub(crate) struct Args {
    #[command(flatten)]
    series: Series,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let request = client.request(GetRangeRequest { series: Some(args.series.into()) });
    let answer = client.answer(client.market_data().get_range(request)).await?;
    let view = RangeView::from(answer.series.unwrap_or_default());
    Ok(context.out.show(json, &view, || table(&view))?)
}

fn table(view: &RangeView) -> Table {
    let mut table = Table::properties();
    table.property("Symbol", view.symbol.as_str());
    table.property("Timeframe", view.timeframe);
    table.property("Start Date", view.range.start_date.to_string());
    table.property("End Date", view.range.end_date.to_string());
    table.property("Data Points", thousands(view.range.point_count));
    table
}
