//! `ktrdr data show`: print stored bars.

use ktrdr_proto::v1::query_request::Window;

use super::query;
use crate::{
    context::Context,
    failure::Stop,
    flags::{Dates, Format, Series},
    output::{bars::Writer, csv},
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

Exits 7 when nothing is stored for the series; an empty range of a stored one exits 0.")]
pub(crate) struct Args {
    #[command(flatten)]
    series: Series,

    #[command(flatten)]
    window: WindowArgs,

    #[command(flatten)]
    dates: Dates,

    /// Accepted for old scripts: a stored series has one session, and that is shown
    #[arg(long)]
    trading_hours: bool,

    /// Accepted for old scripts
    #[arg(long)]
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
    fn window(&self) -> Option<Window> {
        match (self.head, self.all) {
            (Some(rows), _) => Some(Window::Head(rows)),
            (None, true) => None,
            (None, false) => Some(Window::Tail(self.rows.unwrap_or(ROWS))),
        }
    }
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    if args.trading_hours || args.include_extended {
        context.talk.note("A stored series has one session; what is stored is shown");
    }
    let format = context.format_or(Format::Table);
    let bars = query::start(context.client()?, args.series, args.dates, args.window.window()).await?;
    let writer = match format {
        Format::Table => Writer::table(&bars.header),
        Format::Json => Writer::Json { rows: 0 },
        Format::Csv => Writer::Csv { header: csv::SHOW_HEADER },
    };
    bars.write(&mut context.out, writer).await?;
    Ok(())
}
