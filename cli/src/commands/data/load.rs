//! `ktrdr data load`: fetch bars from the gateway.

mod many;
mod plan;
mod report;

use std::path::PathBuf;

use clap::ValueEnum;
use clap_complete::ArgValueCompleter;
use ktrdr_proto::v1::{
    LoadManyRequest, LoadMode, LoadRequest, OnSplit, SeriesId, Timeframe, TradingSession, WhatToShow,
};

use crate::{
    commands::completions::{symbols, timeframes},
    context::Context,
    failure::Stop,
    flags::{Dates, What, timeframe},
    follow::{self, Interrupts, print_started},
};
pub(crate) use report::{many_table, table};

/// Fetch bars from the gateway
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data load AAPL                                  daily bars since the last stored one
  ktrdr data load AAPL -t 1h --mode full                everything the gateway has
  ktrdr data load EURUSD -t 5m --start 2024-06-03 --end 2024-06-07
  ktrdr data load AAPL MSFT NVDA -t 1h,1d               six series, one operation
  ktrdr data load --from-file symbols.txt --mode tail   one symbol a line, # begins a remark
  ktrdr data load AAPL -t 1m --mode full --plan         say what it would ask, and ask nothing
  ktrdr data load AAPL -t 1m --detach                   print the operation's id and return

Ctrl-C cancels the load and keeps what came; a second Ctrl-C leaves at once.")]
pub(crate) struct Args {
    /// Symbols such as AAPL, BRK.B, VOD@LSE, EURUSD, ES-202503 or SPX
    #[arg(required_unless_present = "from_file", add = ArgValueCompleter::new(symbols))]
    symbols: Vec<String>,

    /// Lengths of a bar: 1s 5s 10s 15s 30s 1m 2m 3m 4m 5m 10m 15m 20m 30m 1h 2h 3h 4h 8h 1d 1w 1M
    #[arg(short, long = "timeframe", value_name = "TF", default_value = "1d", value_delimiter = ',', value_parser = timeframe, add = ArgValueCompleter::new(timeframes))]
    timeframes: Vec<Timeframe>,

    /// More symbols, one a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,

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

    /// Say what would be asked of the gateway, and ask nothing
    #[arg(long)]
    plan: bool,

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

    /// Every symbol with every timeframe.
    fn series(&self) -> Result<Vec<SeriesId>, Stop> {
        let mut symbols = self.symbols.clone();
        if let Some(file) = &self.from_file {
            symbols.extend(many::symbols_of(file)?);
        }
        let of = |symbol: &String| {
            let symbol = symbol.clone();
            self.timeframes
                .iter()
                .map(move |timeframe| SeriesId { symbol: symbol.clone(), timeframe: (*timeframe).into() })
        };
        Ok(symbols.iter().flat_map(of).collect())
    }

    fn request(&self, series: SeriesId, request_id: String) -> LoadRequest {
        let LoadManyRequest { mode, range, session, what_to_show, on_split, verify, .. } =
            self.many(Vec::new(), String::new());
        LoadRequest { request_id, series: Some(series), mode, range, session, what_to_show, on_split, verify }
    }

    fn many(&self, series: Vec<SeriesId>, request_id: String) -> LoadManyRequest {
        LoadManyRequest {
            request_id,
            series,
            mode: LoadMode::from(self.mode).into(),
            range: self.dates.range(),
            session: self.session().into(),
            what_to_show: self.what.map_or(WhatToShow::Unspecified, WhatToShow::from).into(),
            on_split: OnSplit::from(self.on_split).into(),
            verify: self.verify,
        }
    }
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    if args.save_interval.is_some() {
        context.talk.note("--save-interval is not used: every answer of the gateway is stored as it comes");
    }
    let mut series = args.series()?;
    if args.plan {
        return plan::run(&args, series, context, json).await;
    }
    match series.len() {
        1 => one(&args, series.remove(0), context, json).await,
        _ => many::run(&args, series, context, json).await,
    }
}

async fn one(args: &Args, series: SeriesId, context: &mut Context, json: bool) -> Result<(), Stop> {
    let mut client = context.client()?;
    let mut service = client.market_data();
    let asked = args.request(series, String::new());
    loop {
        let mut interrupts = if args.detach { Interrupts::leave() } else { Interrupts::cancel()? };
        let request = client.request(LoadRequest { request_id: client.request_id(), ..asked.clone() });
        let answer = interrupts.starting(context.talk, client.answer(service.load(request))).await?;
        let operation = answer.operation.unwrap_or_default();
        if args.detach {
            return print_started(context, json, &operation);
        }
        let bar = !args.bar.no_progress;
        if !answer.joined {
            let ended = follow::started(&client, context.talk, &operation, interrupts, bar).await?;
            return report::print(context, json, &asked, &ended);
        }
        context.talk.say("This series is being loaded already; joining that load. Ctrl-C leaves it running");
        let ended = follow::joined(&client, context.talk, &operation, interrupts, bar).await?;
        if answer.same_request {
            return report::print(context, json, &asked, &ended);
        }
        // It was asked for other bars: what it leaves missing of ours is loaded now.
        context.talk.say("That load has ended; loading what else was asked for");
        client = client.anew();
    }
}
