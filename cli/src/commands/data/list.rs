//! `ktrdr data list`: all stored series.

use ktrdr_proto::v1::ListSeriesRequest;
use serde::Serialize;

use crate::{
    context::Context,
    failure::Stop,
    output::table::{Align, Table, bytes, thousands},
    views::series::SeriesView,
};

/// All stored series
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data list
  ktrdr data list --format json")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct View {
    series: Vec<SeriesView>,
}

pub(crate) async fn run(Args {}: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let request = client.request(ListSeriesRequest {});
    let answer = client.answer(client.market_data().list_series(request)).await?;
    let view = View { series: answer.series.into_iter().map(SeriesView::from).collect() };
    if json {
        return Ok(context.out.document(&view)?);
    }
    if view.series.is_empty() {
        context.talk.say("Nothing is stored yet: ktrdr data load AAPL");
        return Ok(());
    }
    Ok(context.out.table(&table(&view))?)
}

fn table(view: &View) -> Table {
    let mut table = Table::new([
        ("Symbol", Align::Left),
        ("Timeframe", Align::Left),
        ("Start", Align::Left),
        ("End", Align::Left),
        ("Bars", Align::Right),
        ("Size", Align::Right),
        ("Source", Align::Left),
    ]);
    for series in &view.series {
        table.row([
            series.symbol.as_str().into(),
            series.timeframe.into(),
            series.start.to_string().into(),
            series.end.to_string().into(),
            thousands(series.bars).into(),
            bytes(series.bytes).into(),
            series.source.into(),
        ]);
    }
    table
}
