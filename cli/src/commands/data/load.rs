//! `ktrdr data load`: fetch bars from the gateway.

use clap::ValueEnum;
use ktrdr_proto::{
    spelling::Word as _,
    v1::{LoadMode, LoadRequest, LoadResult, OnSplit, Operation, SeriesId, TradingSession, WhatToShow, operation},
};

use crate::{
    context::Context,
    failure::{Failure, Stop},
    flags::{Dates, Series, What},
    follow::{self, Ended, Interrupts, print_started},
    output::table::{Table, thousands},
    time::duration,
    views::operation::{ErrorView, LoadView, state_cell},
};

/// Fetch bars from the gateway
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data load AAPL                                  daily bars since the last stored one
  ktrdr data load AAPL -t 1h --mode full                everything the gateway has
  ktrdr data load EURUSD -t 5m --start 2024-06-03 --end 2024-06-07
  ktrdr data load AAPL -t 1m --detach                   print the operation's id and return

Ctrl-C cancels the load and keeps what came; a second Ctrl-C leaves at once.")]
pub(crate) struct Args {
    #[command(flatten)]
    series: Series,

    /// What to bring in; with dates, every mode loads exactly what is missing of them
    #[arg(short, long, value_enum, default_value_t)]
    mode: Mode,

    #[command(flatten)]
    dates: Dates,

    #[command(flatten)]
    hours: Hours,

    /// What the prices are made of [default: trades, midpoint for currency pairs]
    #[arg(long, value_enum)]
    what: Option<What>,

    #[command(flatten)]
    bar: Bar,

    /// When new prices are of another scale than the stored ones, as after a split
    #[arg(long, value_enum, default_value_t)]
    on_split: Split,

    /// Ask for what is stored, too, and compare
    #[arg(long)]
    verify: bool,

    /// Print the operation's id and return
    #[arg(long)]
    detach: bool,

    /// Accepted for old scripts: every answer of the gateway is stored as it comes
    #[arg(long, value_name = "MINUTES")]
    save_interval: Option<f64>,
}

/// Which hours of the day.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Hours {
    /// Regular trading hours only
    #[arg(long)]
    trading_hours: bool,

    /// The hours before and after regular trading too, which is the default
    #[arg(long)]
    include_extended: bool,
}

/// Whether there is a progress bar.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Bar {
    /// Show a progress bar, which is the default on a terminal
    #[arg(long, overrides_with = "no_progress")]
    progress: bool,

    /// Show no progress bar
    #[arg(long)]
    no_progress: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Mode {
    /// From the last stored bar to now
    #[default]
    Tail,
    /// From the earliest bar the gateway has to the first stored one
    Backfill,
    /// Everything the gateway has
    Full,
    /// Fetch nothing, report what is stored
    Local,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Split {
    /// Fail, and change nothing
    #[default]
    Fail,
    /// Load the whole series anew; `data restore` undoes it
    Refetch,
}

impl From<Split> for OnSplit {
    fn from(split: Split) -> Self {
        match split {
            Split::Fail => Self::Fail,
            Split::Refetch => Self::Refetch,
        }
    }
}

impl From<Mode> for LoadMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Tail => Self::Tail,
            Mode::Backfill => Self::Backfill,
            Mode::Full => Self::Full,
            Mode::Local => Self::Local,
        }
    }
}

impl Args {
    fn session(&self) -> TradingSession {
        match (self.hours.trading_hours, self.hours.include_extended) {
            (true, false) => TradingSession::RegularHours,
            (_, true) => TradingSession::AllHours,
            (false, false) => TradingSession::Unspecified,
        }
    }

    fn request(&self, request_id: String) -> LoadRequest {
        LoadRequest {
            request_id,
            series: Some(self.series_id()),
            mode: LoadMode::from(self.mode).into(),
            range: self.dates.range(),
            session: self.session().into(),
            what_to_show: self.what.map_or(WhatToShow::Unspecified, WhatToShow::from).into(),
            on_split: OnSplit::from(self.on_split).into(),
            verify: self.verify,
        }
    }

    /// For a load that ended before it could say what it loads.
    fn nothing_loaded(&self) -> LoadResult {
        LoadResult {
            series: Some(SeriesId { symbol: self.series.symbol.to_uppercase(), ..self.series_id() }),
            mode: LoadMode::from(self.mode).word().to_owned(),
            ..LoadResult::default()
        }
    }

    fn series_id(&self) -> SeriesId {
        SeriesId { symbol: self.series.symbol.clone(), timeframe: self.series.timeframe.into() }
    }
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    if args.save_interval.is_some() {
        context.talk.note("--save-interval is not used: every answer of the gateway is stored as it comes");
    }
    let mut client = context.client()?;
    let mut service = client.market_data();
    loop {
        let mut interrupts = if args.detach { Interrupts::leave() } else { Interrupts::cancel()? };
        let request = client.request(args.request(client.request_id()));
        let answer = interrupts.starting(context.talk, client.answer(service.load(request))).await?;
        let operation = answer.operation.unwrap_or_default();
        if args.detach {
            return print_started(context, json, &operation);
        }
        let bar = !args.bar.no_progress;
        if !answer.joined {
            let ended = follow::started(&client, context.talk, &operation, interrupts, bar).await?;
            return report(context, json, &args, &ended);
        }
        context.talk.say("This series is being loaded already; joining that load. Ctrl-C leaves it running");
        let ended = follow::joined(&client, context.talk, &operation, interrupts, bar).await?;
        if answer.same_request {
            return report(context, json, &args, &ended);
        }
        // It was asked for other bars: what it leaves missing of ours is loaded now.
        context.talk.say("That load has ended; loading what else was asked for");
        client = client.anew();
    }
}

/// What was loaded, also when that was not all.
fn report(context: &mut Context, json: bool, args: &Args, ended: &Ended) -> Result<(), Stop> {
    let asked;
    let result = if let Some(operation::Result::Load(result)) = &ended.operation.result {
        result
    } else {
        asked = args.nothing_loaded();
        &asked
    };
    let mut view = LoadView::of(&ended.operation, result);
    let failure = ended.failure();
    if json {
        view.error = failure.as_ref().map(ErrorView::from);
        view.success = failure.is_none();
        context.out.document(&view)?;
        return failure.map_or(Ok(()), |failure| Err(failure.into()));
    }
    if ended.operation.result.is_some() {
        context.out.table(&table(&ended.operation, &view))?;
    }
    failure.map_or(Ok(()), |failure: Failure| Err(failure.into()))
}

/// The result of a load, for people.
pub(crate) fn table(operation: &Operation, view: &LoadView) -> Table {
    let mut table = Table::properties();
    table.property("Symbol", view.symbol.as_str());
    table.property("Timeframe", view.timeframe);
    table.property("Mode", view.mode.as_str());
    table.property("Status", state_cell(operation));
    table.property("Bars loaded", thousands(view.bars_loaded));
    table.property("Bars revised", thousands(view.bars_revised));
    table.property("Bars stored", thousands(view.bars_total));
    table.property("Requests", thousands(view.requests_made));
    table.property_if("Duration", view.execution_time_seconds.map(duration));
    for gap in &view.gaps_left {
        let bound = |instant: Option<crate::time::Instant>| instant.map_or_else(|| "…".to_owned(), |at| at.to_string());
        table.property("Still missing", format!("{} to {}", bound(gap.start), bound(gap.end)));
    }
    table.property("Operation", view.details.operation_id.as_str());
    table
}
