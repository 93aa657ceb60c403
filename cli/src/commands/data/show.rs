//! `ktrdr data show`: print stored bars.

use std::io::{self, IsTerminal as _};

use ktrdr_proto::{reason, v1::query_request::Window};

use super::{
    binary::{self, Binary},
    query::{self, Bars},
    view::ViewArgs,
};
use crate::{
    context::Context,
    failure::{Failure, Stop},
    flags::{Dates, Format, Series},
    output::{
        bars::{self, Writer},
        chart::terminal,
        columns::{Column, Columns},
        csv, screen,
    },
    time::Stamps,
};

/// Rows that are shown when nobody says how many.
const ROWS: u64 = 10;

/// Print stored bars
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data show AAPL                                  the last 10 daily bars
  ktrdr data show EURUSD -t 1h --rows 50
  ktrdr data show AAPL -t 5m --start 2024-06-03 --end 2024-06-07 --all
  ktrdr data show AAPL --all --format csv > aapl.csv
  ktrdr data show AAPL -t 5m --resample 1h --hours regular --tz exchange
  ktrdr data show AAPL --columns close,volume --format csv
  ktrdr data show AAPL -t 1m --rows 1000 --format arrow > last.arrow
  ktrdr data show AAPL --start 2024-01-01 --chart       candles, and the volume below them

Exits 7 when nothing is stored for the series; an empty range of a stored one exits 0.")]
pub(crate) struct Args {
    #[command(flatten)]
    series: Series,

    #[command(flatten)]
    window: WindowArgs,

    #[command(flatten)]
    dates: Dates,

    #[command(flatten)]
    view: ViewArgs,

    /// Only these columns, and the time
    #[arg(long, value_enum, value_delimiter = ',', value_name = "A,B", conflicts_with = "chart")]
    columns: Vec<Column>,

    /// Draw candles instead; of all rows of the range, unless --rows or --head say how many
    #[arg(long)]
    chart: bool,

    /// The same as --hours regular
    #[arg(long, conflicts_with_all = ["hours", "include_extended"])]
    trading_hours: bool,

    /// All stored hours, which is the default
    #[arg(long, conflicts_with = "hours")]
    include_extended: bool,
}

/// Which rows of the range.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct WindowArgs {
    /// The last N rows [default: 10]
    #[arg(short, long, visible_alias = "tail", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rows: Option<u64>,

    /// The first N rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    head: Option<u64>,

    /// All rows
    #[arg(long)]
    all: bool,
}

impl WindowArgs {
    fn is_given(&self) -> bool {
        self.rows.is_some() || self.head.is_some() || self.all
    }

    fn window(&self) -> Option<Window> {
        match (self.head, self.all) {
            (Some(rows), _) => Some(Window::Head(rows)),
            (None, true) => None,
            (None, false) => Some(Window::Tail(self.rows.unwrap_or(ROWS))),
        }
    }
}

pub(crate) async fn run(mut args: Args, context: &mut Context) -> Result<(), Stop> {
    if args.trading_hours {
        args.view = args.view.regular();
    }
    let format = context.format_or(Format::Table);
    let whole_range = args.chart && !args.window.is_given();
    let window = if whole_range { None } else { args.window.window() };
    match format {
        Format::Parquet => return binary(Binary::Parquet, args, window, context).await,
        Format::Arrow => return binary(Binary::Arrow, args, window, context).await,
        Format::Table | Format::Json | Format::Jsonl | Format::Csv => {}
    }
    let bars = query::start(context.client()?, args.series, args.dates, window, args.view.asked()).await?;
    let mut stamps = args.view.stamps(&bars.header)?;
    if args.chart {
        return chart(bars, &mut stamps, context).await;
    }
    let writer = match format {
        Format::Table | Format::Parquet | Format::Arrow => Writer::table(&bars.header, &stamps),
        Format::Json => Writer::json(),
        Format::Jsonl => Writer::jsonl(),
        Format::Csv => Writer::csv(csv::SHOW_HEADER),
    };
    bars.write(&mut context.out, writer.only(Columns::of(&args.columns)), stamps).await?;
    Ok(())
}

/// Bytes for another program: never onto a terminal.
async fn binary(format: Binary, args: Args, window: Option<Window>, context: &mut Context) -> Result<(), Stop> {
    let refuse = |text: &str, hint: &str| Err(Failure::new(&reason::REQUEST_INVALID, text).hint(hint).into());
    if args.chart || !args.columns.is_empty() {
        return refuse("a binary format has all columns, and no picture", "leave out --chart and --columns");
    }
    if io::stdout().is_terminal() {
        return refuse(
            "a terminal cannot show a binary format",
            "write it to a file: ktrdr data export -o FILE, or > FILE",
        );
    }
    let query = query::request(args.series, args.dates, window, args.view.asked());
    binary::start(context.client()?, query, format).await?.write(&mut context.out).await.map_err(Stop::from)
}

async fn chart(bars: Bars, stamps: &mut Stamps, context: &mut Context) -> Result<(), Stop> {
    let title = bars::title_line(&bars.header);
    let bars = bars.all().await?;
    context.out.line(&title)?;
    let colored = context.out.is_colored();
    terminal::draw(&mut context.out, &bars, stamps, screen::size().0, colored)?;
    Ok(())
}
