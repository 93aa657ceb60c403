//! `ktrdr data validate`: what a symbol means, and how far back its history goes.

use ktrdr_proto::v1::{TradingSession, ValidateRequest, WhatToShow};

use crate::{
    context::Context,
    failure::Stop,
    flags::What,
    output::table::Table,
    views::contract::{ContractView, Hours},
};

/// What a symbol means, and how far back its history goes
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data validate AAPL
  ktrdr data validate VOD@LSE                listed in London
  ktrdr data validate ES-202503              a future; ESH5 and 'ES 202503' are the same
  ktrdr data validate ES-CONT                the continuous future
  ktrdr data validate SPX                    an index; SX5E-IND where the name alone is a stock
  ktrdr data validate EUR.USD --what bid --format json

Asks the gateway, unless it did so within a week; --refresh asks it again. Several contracts: their symbols are told.")]
pub(crate) struct Args {
    /// Symbol such as AAPL, VOD@LSE, EURUSD, ES-202503 or SPX
    symbol: String,

    /// Prices whose history is looked at
    #[arg(long, value_enum)]
    what: Option<What>,

    /// Look at the history of regular hours only
    #[arg(long)]
    trading_hours: bool,

    /// Ask the gateway, whatever the daemon remembers
    #[arg(long)]
    refresh: bool,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let session = if args.trading_hours { TradingSession::RegularHours } else { TradingSession::Unspecified };
    let request = client.request(ValidateRequest {
        symbol: args.symbol,
        what_to_show: args.what.map_or(WhatToShow::Unspecified, WhatToShow::from).into(),
        session: session.into(),
        refresh: args.refresh,
    });
    let answer = client.answer(client.market_data().validate(request)).await?;
    let view = ContractView::from(answer);
    Ok(context.out.show(json, &view, || table(&view))?)
}

fn table(view: &ContractView) -> Table {
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut table = Table::properties();
    table.property("Symbol", view.symbol.as_str());
    table.property("Kind", view.kind.as_str());
    table.property_if("Name", said(&view.long_name));
    table.property("Contract id", view.con_id.to_string());
    table.property("Exchange", view.exchange.as_str());
    table.property_if("Listed at", said(&view.primary_exchange));
    table.property("Currency", view.currency.as_str());
    table.property_if("Local symbol", said(&view.local_symbol));
    table.property_if("Multiplier", said(&view.multiplier));
    table.property_if("Last trading day", said(&view.last_trade_date));
    table.property("Smallest step", view.min_tick.to_string());
    table.property(
        "Time zone",
        if view.time_zone_known { view.time_zone.clone() } else { format!("{} (unknown)", view.time_zone) },
    );
    table.property("Next session", next(view.trading_hours.as_deref()));
    table.property("Next regular session", next(view.regular_hours.as_deref()));
    let head = match (view.head_timestamp, view.no_history) {
        (Some(head), _) => head.to_string(),
        (None, true) => "none at IB".to_owned(),
        (None, false) => "unknown".to_owned(),
    };
    table.property(&format!("History ({}) from", view.what_to_show), head);
    let told = if view.cached { "remembered" } else { "just now" };
    table.property("As of", format!("{} ({told})", view.as_of));
    table
}

fn next(hours: Option<&[Hours]>) -> String {
    match hours.map(<[Hours]>::first) {
        Some(Some(first)) => format!("{} to {}", first.start, first.end),
        Some(None) => "none told".to_owned(),
        None => "unknown".to_owned(),
    }
}
