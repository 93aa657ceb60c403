//! `ktrdr data export`: write stored bars to a file that `data import` reads back.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process,
};

use ktrdr_proto::reason;

use super::{
    binary::{self, Binary},
    query::{self, WriteError},
    view::ViewArgs,
};
use crate::{
    context::Context,
    failure::{Failure, Stop},
    flags::{Dates, Format, Series},
    output::{
        bars::{self, Writer},
        chart::{self, picture::picture},
        csv,
        pieces::Pieces,
    },
};

/// Write stored bars to a file
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data export AAPL -t 1h --output AAPL_1h.csv
  ktrdr data export AAPL -t 1h --start 2024-01-01 --end 2024-12-31 -o AAPL_1h.csv --force
  ktrdr data export EURUSD -t 5m | head
  ktrdr data export AAPL -t 1m -o AAPL_1m.parquet
  ktrdr data export AAPL -t 1m -o AAPL_1m.arrow
  ktrdr data export AAPL -t 1m --format parquet > AAPL_1m.parquet
  ktrdr data export AAPL -t 1m --resample 1d -o AAPL_1d.csv
  ktrdr data export AAPL --start 2024-01-01 --chart AAPL.svg

ktrdr data import reads the CSV form back to the same numbers.")]
pub(crate) struct Args {
    #[command(flatten)]
    series: Series,

    /// The file, whose ending is the format; `-`, or none, is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    dates: Dates,

    #[command(flatten)]
    view: ViewArgs,

    /// Draw candles instead, as SVG or PNG by the ending of the name
    #[arg(long, value_name = "FILE", conflicts_with = "output")]
    chart: Option<PathBuf>,

    /// Replace the file when it exists
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    if let Some(target) = &args.chart {
        refuse_existing(target, args.force)?;
        return chart(&args, target, context).await;
    }
    let target = args.output.clone().filter(|path| path != Path::new("-"));
    let format = if let Some(target) = &target {
        let format = format_of(target, context.format())?;
        refuse_existing(target, args.force)?;
        format
    } else {
        context.format_or(Format::Csv)
    };
    let writer = match format {
        Format::Parquet => return binary(Binary::Parquet, args, target, context).await,
        Format::Arrow => return binary(Binary::Arrow, args, target, context).await,
        Format::Csv => Writer::csv(csv::EXPORT_HEADER),
        Format::Json => Writer::json(),
        Format::Jsonl => Writer::jsonl(),
        Format::Table => {
            let text = "an export is csv, json, jsonl, parquet or arrow, not a table";
            return Err(Failure::new(&reason::REQUEST_INVALID, text).into());
        }
    };
    let bars = query::start(context.client()?, args.series, args.dates, None, args.view.asked()).await?;
    let stamps = args.view.stamps(&bars.header)?;
    match target {
        None => bars.write(&mut context.out, writer, stamps).await.map(drop).map_err(Stop::from),
        Some(target) => {
            let mut file = Target::open(&target)?;
            let rows = bars.write(&mut file.out, writer, stamps).await.map_err(|error| file.failed(error))?;
            file.becomes(args.force)?;
            context.talk.say(&format!("Wrote {rows} rows to {}", target.display()));
            Ok(())
        }
    }
}

/// A name says what is in a file, also to those who read it: the format asked for may not say otherwise.
fn format_of(target: &Path, asked: Option<Format>) -> Result<Format, Failure> {
    let ending = target.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let told = match ending.as_deref() {
        None => return Ok(asked.unwrap_or(Format::Csv)),
        Some("csv") => Some(Format::Csv),
        Some("json") => Some(Format::Json),
        Some("jsonl" | "ndjson") => Some(Format::Jsonl),
        Some("parquet") => Some(Format::Parquet),
        Some("arrow" | "feather" | "ipc") => Some(Format::Arrow),
        Some(_) => None,
    };
    match (told, asked) {
        // by json, scripts ask for documents of errors
        (Some(told), Some(asked)) if told != asked && asked != Format::Json => {
            let text = format!("{} would be no {}", target.display(), told.name());
            Err(Failure::new(&reason::REQUEST_INVALID, text).hint("leave out --format, or name the file by it"))
        }
        (Some(format), _) | (None, Some(format)) => Ok(format),
        (None, None) => {
            let text = format!("the name {} does not tell a format", target.display());
            Err(Failure::new(&reason::REQUEST_INVALID, text)
                .hint("end it with .csv, .json, .jsonl, .parquet or .arrow, or say --format"))
        }
    }
}

async fn binary(format: Binary, args: Args, target: Option<PathBuf>, context: &mut Context) -> Result<(), Stop> {
    let query = query::request(args.series, args.dates, None, args.view.asked());
    let mut stream = binary::start(context.client()?, query, format).await?;
    let Some(target) = target else {
        return stream.write(&mut context.out).await.map_err(Stop::from);
    };
    let mut file = Target::open(&target)?;
    stream.write(&mut file.out).await.map_err(|error| file.failed(error))?;
    file.becomes(args.force)?;
    context.talk.say(&format!("Wrote {} rows to {}", stream.header.rows_sent, target.display()));
    Ok(())
}

async fn chart(args: &Args, target: &Path, context: &mut Context) -> Result<(), Stop> {
    let ending = target.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let is_svg = match ending.as_deref() {
        Some("svg") => true,
        Some("png") => false,
        _ => {
            let text = format!("{} is neither .svg nor .png", target.display());
            return Err(Failure::new(&reason::REQUEST_INVALID, text)
                .hint("name the file by the kind of picture")
                .into());
        }
    };
    let series = Series { symbol: args.series.symbol.clone(), timeframe: args.series.timeframe };
    let bars = query::start(context.client()?, series, args.dates, None, args.view.asked()).await?;
    let mut stamps = args.view.stamps(&bars.header)?;
    let title = bars::title_line(&bars.header);
    let bars = bars.all().await?;
    let shapes = picture(&title, &bars, &mut stamps);
    let mut file = Target::open(target)?;
    let drawn = if is_svg { chart::svg(&mut file.out, &shapes) } else { chart::png(&mut file.out, &shapes) };
    drawn.map_err(|error| file.failed(error.into()))?;
    file.becomes(args.force)?;
    context.talk.say(&format!("Drew {} bars in {}", bars.len(), target.display()));
    Ok(())
}

fn refuse_existing(target: &Path, force: bool) -> Result<(), Failure> {
    if force || fs::symlink_metadata(target).is_err() {
        return Ok(());
    }
    let text = format!("{} exists already", target.display());
    Err(Failure::new(&reason::OUTPUT_FAILED, text).hint("choose another --output, or replace it with --force"))
}

/// The file appears under its name when it is whole, or not at all.
struct Target {
    path: PathBuf,
    temporary: Temporary,
    out: Pieces<File>,
}

impl Target {
    fn open(path: &Path) -> Result<Self, Failure> {
        let (temporary, file) = Temporary::beside(path).map_err(|error| cannot_write(path, &error))?;
        Ok(Self { path: path.to_path_buf(), temporary, out: Pieces::new(file) })
    }

    fn failed(&self, error: WriteError) -> Failure {
        match error {
            WriteError::Bars(failure) => failure,
            WriteError::Output(error) => cannot_write(&self.path, &error),
        }
    }

    fn becomes(self, force: bool) -> Result<(), Failure> {
        let Self { path, temporary, mut out } = self;
        refuse_existing(&path, force)?;
        out.flush()
            .and_then(|()| out.inner().sync_all())
            .and_then(|()| temporary.become_file(&path))
            .map_err(|error| cannot_write(&path, &error))
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(&reason::OUTPUT_FAILED, format!("cannot write {}", path.display())).caused_by(error)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_is_the_format_and_nothing_else_is() {
        let of = |name: &str, asked| format_of(Path::new(name), asked).ok();
        for (name, format) in [
            ("a.csv", Format::Csv),
            ("A.PARQUET", Format::Parquet),
            ("a.b.feather", Format::Arrow),
            ("a.ndjson", Format::Jsonl),
            ("a", Format::Csv),
        ] {
            assert_eq!(of(name, None), Some(format), "{name}");
        }
        assert_eq!(of("a.txt", Some(Format::Csv)), Some(Format::Csv));
        assert_eq!(of("a.csv", Some(Format::Json)), Some(Format::Csv));
        assert_eq!(of("a.parquet", Some(Format::Parquet)), Some(Format::Parquet));
        for (name, asked) in
            [("a.xlsx", None), ("a.csv.gz", None), ("a.parquet", Some(Format::Csv)), ("a.csv", Some(Format::Arrow))]
        {
            assert_eq!(of(name, asked), None, "{name}");
        }
    }
}
