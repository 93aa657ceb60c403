//! `ktrdr data export`: write stored bars to a file that `data import` reads back.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    process,
};

use ktrdr_proto::reason;

use super::query::{self, Bars, WriteError};
use crate::{
    context::Context,
    failure::{Failure, Stop},
    flags::{Dates, Format, Series},
    output::{bars::Writer, csv},
};

/// Write stored bars to a file
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data export AAPL -t 1h --output AAPL_1h.csv
  ktrdr data export AAPL -t 1h --start 2024-01-01 --end 2024-12-31 -o AAPL_1h.csv --force
  ktrdr data export EURUSD -t 5m | head

ktrdr data import reads the CSV form back to the same numbers.")]
pub(crate) struct Args {
    #[command(flatten)]
    series: Series,

    /// The file; `-`, or none, is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    dates: Dates,

    /// Replace the file when it exists
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let writer = match context.format_or(Format::Csv) {
        Format::Csv => Writer::Csv { header: csv::EXPORT_HEADER },
        Format::Json => Writer::Json { rows: 0 },
        Format::Table => {
            return Err(Failure::new(&reason::REQUEST_INVALID, "an export is csv or json, not a table").into());
        }
    };
    let target = args.output.filter(|path| path != Path::new("-"));
    if let Some(target) = &target {
        refuse_existing(target, args.force)?;
    }
    let bars = query::start(context.client()?, args.series, args.dates, None).await?;
    match target {
        None => bars.write(&mut context.out, writer).await.map(drop).map_err(Stop::from),
        Some(target) => {
            let rows = to_file(bars, writer, &target, args.force).await?;
            context.talk.say(&format!("Wrote {rows} rows to {}", target.display()));
            Ok(())
        }
    }
}

fn refuse_existing(target: &Path, force: bool) -> Result<(), Failure> {
    if force || fs::symlink_metadata(target).is_err() {
        return Ok(());
    }
    let text = format!("{} exists already", target.display());
    Err(Failure::new(&reason::OUTPUT_FAILED, text).hint("choose another --output, or replace it with --force"))
}

/// The file appears under its name when it is whole, or not at all.
async fn to_file(bars: Bars, writer: Writer, target: &Path, force: bool) -> Result<u64, Failure> {
    let failed = |error: &std::io::Error| {
        Failure::new(&reason::OUTPUT_FAILED, format!("cannot write {}", target.display())).caused_by(error)
    };
    let (temporary, file) = Temporary::beside(target).map_err(|error| failed(&error))?;
    let mut out = BufWriter::with_capacity(64 << 10, file);
    let rows = bars.write(&mut out, writer).await.map_err(|error| match error {
        WriteError::Bars(failure) => failure,
        WriteError::Output(error) => failed(&error),
    })?;
    refuse_existing(target, force)?;
    out.flush()
        .and_then(|()| out.get_ref().sync_all())
        .and_then(|()| temporary.become_file(target))
        .map_err(|error| failed(&error))?;
    Ok(rows)
}

/// A file that goes away unless it is renamed.
struct Temporary(Option<PathBuf>);

impl Temporary {
    fn beside(target: &Path) -> std::io::Result<(Self, File)> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = target.with_file_name(format!(".{name}.{}.part", process::id()));
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok((Self(Some(path)), file))
    }

    fn become_file(mut self, target: &Path) -> std::io::Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        fs::rename(path, target)?;
        self.0 = None;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            fs::remove_file(path).ok();
        }
    }
}
