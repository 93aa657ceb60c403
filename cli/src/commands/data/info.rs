//! `ktrdr data info`: everything that is known of what is stored of a symbol.

use ktrdr_proto::v1::{GetInfoRequest, Timeframe};

use crate::{
    context::Context,
    failure::Stop,
    flags::timeframe,
    output::{
        coverage,
        table::{Align, Table, bytes, thousands},
    },
    views::{
        contract::Hours,
        housekeeping::{InfoView, SeriesInfoView},
    },
};

/// Contract, hours, files, revisions, and what can be restored
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data info AAPL
  ktrdr data info AAPL -t 1h --format json

The bar shows which part of the time between the first stored bar and the last is known complete. Never asks the gateway.")]
pub(crate) struct Args {
    /// Symbol such as AAPL, VOD@LSE, EURUSD, ES-202503 or SPX
    symbol: String,

    /// Only this timeframe
    #[arg(short, long, value_name = "TF", value_parser = timeframe)]
    timeframe: Option<Timeframe>,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let timeframe = args.timeframe.unwrap_or(Timeframe::Unspecified).into();
    let request = client.request(GetInfoRequest { symbol: args.symbol, timeframe });
    let answer = client.answer(client.housekeeping().get_info(request)).await?;
    let view = InfoView::from(answer);
    if json {
        return Ok(context.out.document(&view)?);
    }
    context.out.table(&contract(&view))?;
    for series in &view.series {
        context.out.line("")?;
        print(context, series)?;
    }
    Ok(())
}

fn contract(view: &InfoView) -> Table {
    let mut table = Table::properties();
    table.property("Symbol", view.symbol.as_str());
    table.property("Calendar", view.calendar.as_deref().unwrap_or("none known"));
    let Some(contract) = &view.contract else {
        table.property("Contract", format!("never asked: ktrdr data validate {}", view.symbol));
        return table;
    };
    table.property("Contract", format!("{} {} at {}", contract.kind, contract.con_id, contract.exchange));
    table.property_if("Name", Some(contract.long_name.clone()).filter(|name| !name.is_empty()));
    table.property("Currency", contract.currency.as_str());
    table.property("Time zone", contract.time_zone.as_str());
    let next = |hours: &Option<Vec<Hours>>| {
        let first = hours.as_ref()?.first()?;
        Some(format!("{} to {}", first.start, first.end))
    };
    table.property_if("Next session", next(&contract.trading_hours));
    table.property_if("Next regular session", next(&contract.regular_hours));
    table.property("As of", contract.as_of.to_string());
    table
}

fn print(context: &mut Context, info: &SeriesInfoView) -> Result<(), Stop> {
    let series = &info.series;
    let mut table = Table::properties();
    table.property("Series", format!("{} {}", series.symbol, series.timeframe));
    let assumed = if series.assumed { ", as inferred from a file" } else { "" };
    table.property(
        "Bars",
        format!("{} ({} hours, {}{assumed})", thousands(series.bars), series.session, series.what_to_show),
    );
    table.property("From", series.start.to_string());
    table.property("To", series.end.to_string());
    let covered: Vec<_> = info.coverage.iter().map(|part| (part.start.0, part.end.0)).collect();
    table.property("Known", coverage::line(series.start.0, series.end.0, &covered));
    table.property("Source", series.source);
    table.property("Size", format!("{} in {} files", bytes(series.bytes), info.files.len()));
    context.out.table(&table)?;
    if !info.revisions.is_empty() {
        context.out.line("")?;
        context.out.table(&revisions(info))?;
    }
    if !info.replaced.is_empty() {
        context.out.line("")?;
        context.out.table(&replaced(info))?;
    }
    Ok(())
}

fn revisions(info: &SeriesInfoView) -> Table {
    let mut table = Table::new([
        ("Revised at", Align::Left),
        ("Case", Align::Left),
        ("Bars", Align::Right),
        ("First", Align::Left),
        ("Last", Align::Left),
        ("By", Align::Left),
    ]);
    for revision in &info.revisions {
        table.row([
            revision.at.to_string().into(),
            revision.case.replace('_', " ").into(),
            thousands(revision.bars).into(),
            revision.first.to_string().into(),
            revision.last.to_string().into(),
            revision.operation.as_str().into(),
        ]);
    }
    table
}

fn replaced(info: &SeriesInfoView) -> Table {
    let mut table = Table::new([
        ("Can be restored", Align::Left),
        ("Replaced at", Align::Left),
        ("Years", Align::Left),
        ("Bars", Align::Right),
        ("Why", Align::Left),
    ]);
    for one in &info.replaced {
        let years: Vec<String> = one.years.iter().map(i32::to_string).collect();
        table.row([
            one.operation.as_str().into(),
            one.at.to_string().into(),
            years.join(" ").into(),
            thousands(one.bars).into(),
            one.why.as_str().into(),
        ]);
    }
    table
}
