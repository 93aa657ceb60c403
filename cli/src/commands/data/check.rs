//! `ktrdr data check` and `ktrdr data gaps`: whether stored bars are right, and which are absent.

use clap_complete::ArgValueCompleter;
use ktrdr_proto::{
    reason,
    v1::{CheckRequest, ListSeriesRequest, SeriesId, SeriesSummary, Timeframe},
};
use serde::Serialize;

use crate::{
    client::Client,
    commands::completions::{symbols, timeframes},
    context::Context,
    failure::{Failure, Stop},
    flags::timeframe,
    output::{
        heatmap,
        table::{Align, Cell, Table, Tone, thousands},
    },
    views::check::{CheckView, GapView},
};

/// Whether stored bars are right and complete
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data check                        every stored series
  ktrdr data check AAPL NVDA -t 1h
  ktrdr data check AAPL --format json

Every bar is held against every rule, and against the sessions of its market. Exit code 1 when a bar or a file is wrong;
what is only incomplete or worth knowing does not count. Nothing is changed.")]
pub(crate) struct Args {
    #[command(flatten)]
    chosen: Chosen,
}

/// Which bars are absent, and why
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data gaps NVDA -t 1h
  ktrdr data gaps --format json           of all stored series

Between the first stored bar and the last, session by session. What was asked for and does not exist is listed too; it is
not asked for again.")]
pub(crate) struct GapsArgs {
    #[command(flatten)]
    chosen: Chosen,
}

/// Which series.
#[derive(Debug, clap::Args)]
pub(super) struct Chosen {
    /// Symbols; none: all that is stored
    #[arg(add = ArgValueCompleter::new(symbols))]
    symbols: Vec<String>,

    /// Only this timeframe
    #[arg(short, long, value_name = "TF", value_parser = timeframe, add = ArgValueCompleter::new(timeframes))]
    timeframe: Option<Timeframe>,
}

#[derive(Debug, Serialize)]
struct View {
    series: Vec<CheckView>,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let view = View { series: checked(&client, context, &args.chosen).await? };
    if json {
        context.out.document(&view)?;
    } else {
        for (number, series) in view.series.iter().enumerate() {
            if number > 0 {
                context.out.line("")?;
            }
            report(context, series)?;
        }
    }
    let wrong = view.series.iter().filter(|series| series.has_errors()).count();
    if wrong == 0 {
        return Ok(());
    }
    let message = format!("{wrong} of {} series have bars or files that are wrong", view.series.len());
    Err(Failure::new(&reason::CHECK_FAILED, message).into())
}

pub(crate) async fn run_gaps(args: GapsArgs, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let mut view = View { series: checked(&client, context, &args.chosen).await? };
    if json {
        view.series.iter_mut().for_each(|series| {
            series.findings.clear();
            series.days.clear();
        });
        return Ok(context.out.document(&view)?);
    }
    view.series.retain(|series| !series.gaps.is_empty());
    if view.series.is_empty() {
        context.talk.say("No bars are absent");
        return Ok(());
    }
    context.out.table(&gaps(&view))?;
    for series in &view.series {
        let told = series.gaps.len() as u64;
        if series.gaps_total > told {
            context.talk.say(&format!("{} {}: {} more", series.symbol, series.timeframe, series.gaps_total - told));
        }
    }
    Ok(())
}

async fn checked(client: &Client, context: &Context, chosen: &Chosen) -> Result<Vec<CheckView>, Stop> {
    let series = wanted(client, chosen).await?;
    if series.is_empty() {
        context.talk.say("Nothing is stored yet: ktrdr data load AAPL");
        return Ok(Vec::new());
    }
    let mut answers = client.answer(client.market_data().check(client.request(CheckRequest { series }))).await?;
    let mut all = Vec::new();
    while let Some(answer) = client.message(&mut answers).await? {
        all.push(CheckView::from(answer));
    }
    Ok(all)
}

/// The stored series of these symbols; without a timeframe, all of each.
pub(super) async fn wanted(client: &Client, Chosen { symbols, timeframe }: &Chosen) -> Result<Vec<SeriesId>, Stop> {
    let request = client.request(ListSeriesRequest {});
    let stored = client.answer(client.market_data().list_series(request)).await?.series;
    let id = |summary: SeriesSummary| summary.series.unwrap_or_default();
    let mut wanted: Vec<SeriesId> = stored.into_iter().map(id).collect();
    wanted.retain(|series| timeframe.is_none_or(|timeframe| series.timeframe() == timeframe));
    if symbols.is_empty() {
        return Ok(wanted);
    }
    for symbol in symbols {
        let named = |series: &SeriesId| series.symbol.eq_ignore_ascii_case(symbol);
        if !wanted.iter().any(named) {
            // the daemon knows every spelling
            let timeframe = timeframe.unwrap_or(Timeframe::Days1);
            wanted.push(SeriesId { symbol: symbol.clone(), timeframe: timeframe.into() });
        }
    }
    wanted.retain(|series| symbols.iter().any(|symbol| series.symbol.eq_ignore_ascii_case(symbol)));
    Ok(wanted)
}

fn report(context: &mut Context, series: &CheckView) -> Result<(), Stop> {
    let calendar = series.calendar.as_deref().unwrap_or("no calendar");
    let title = format!(
        "{} {}: {} bars, {} to {} ({} hours, {}, {calendar})",
        series.symbol,
        series.timeframe,
        thousands(series.bars),
        series.start,
        series.end,
        series.session,
        series.what_to_show
    );
    context.out.line(&title)?;
    if series.findings.is_empty() {
        context.out.line("Nothing to complain about")?;
    } else {
        context.out.line("")?;
        context.out.table(&findings(series))?;
    }
    context.out.line("")?;
    heatmap::draw(&mut context.out, &series.days)?;
    Ok(())
}

fn findings(series: &CheckView) -> Table {
    let mut table = Table::new([
        ("Severity", Align::Left),
        ("Code", Align::Left),
        ("Count", Align::Right),
        ("First", Align::Left),
        ("Last", Align::Left),
        ("What", Align::Left),
    ]);
    for finding in &series.findings {
        let tone = match finding.severity {
            "error" => Tone::Bad,
            "warning" => Tone::Busy,
            _ => Tone::Plain,
        };
        let mut what = finding.says.clone();
        if !finding.detail.is_empty() {
            what = format!("{what} ({})", finding.detail);
        }
        if !finding.helps.is_empty() {
            what = format!("{what}; {}", finding.helps);
        }
        table.row([
            Cell::toned(finding.severity, tone),
            finding.code.as_str().into(),
            thousands(finding.count).into(),
            finding.first.to_string().into(),
            finding.last.to_string().into(),
            what.into(),
        ]);
    }
    table
}

fn gaps(view: &View) -> Table {
    let mut table = Table::new([
        ("Series", Align::Left),
        ("From", Align::Left),
        ("To", Align::Left),
        ("Bars", Align::Right),
        ("Sessions", Align::Right),
        ("Why", Align::Left),
        ("What to type", Align::Left),
    ]);
    for series in &view.series {
        for gap in &series.gaps {
            table.row([
                format!("{} {}", series.symbol, series.timeframe).into(),
                gap.start.to_string().into(),
                gap.end.to_string().into(),
                thousands(gap.bars).into(),
                thousands(gap.sessions).into(),
                gap.class.replace('_', " ").into(),
                command(series, gap).into(),
            ]);
        }
    }
    table
}

/// What brings them, where something may.
fn command(series: &CheckView, gap: &GapView) -> String {
    if gap.class != "never_asked" {
        return "–".to_owned();
    }
    format!("ktrdr data load {} -t {} --start {} --end {}", series.symbol, series.timeframe, gap.start, gap.end)
}
