//! `ktrdr models train`: a session on a host, followed to its end.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use ktrdr_proto::{
    reason,
    v1::{Operation, StartTrainingRequest, StrategyFile, TrainingPlan, operation},
};

use super::result_table;
use crate::{
    context::Context,
    failure::{Failure, Stop},
    follow::{self, Ended, Interrupts, print_started},
    output::table::{Align, Cell, Table, Tone, thousands},
    time::Stamps,
    views::{operation::OperationView, training::PlanView},
};

/// The longest strategy file; the daemon takes no more.
const STRATEGY_MAX: u64 = 1 << 20;

/// Train a strategy on a host
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr models train strategies/demo.yaml                        symbols and timeframes of the file
  ktrdr models train strategies/demo.yaml EURUSD 1h --start-date 2024-01-01 --end-date 2024-12-31
  ktrdr models train strategies/demo.yaml --symbols AAPL,MSFT --timeframes 1h,4h --load-missing
  ktrdr models train strategies/demo.yaml --dry-run              check everything, start nothing
  ktrdr models train strategies/demo.yaml --detach --host gpu1   print the operation's id and return

Ctrl-C asks the host to stop the session and waits until it has; a second Ctrl-C leaves it running.")]
pub(crate) struct Args {
    /// The strategy's YAML file
    strategy: PathBuf,

    /// Train on this symbol instead of those of the file
    symbol: Option<String>,

    /// Train on this timeframe instead of those of the file
    timeframe: Option<String>,

    /// Train on these symbols instead of those of the file
    #[arg(long, value_delimiter = ',', value_name = "A,B", conflicts_with = "symbol")]
    symbols: Vec<String>,

    /// Train on these timeframes of the file
    #[arg(long, value_delimiter = ',', value_name = "1h,4h", conflicts_with = "timeframe")]
    timeframes: Vec<String>,

    /// First day of the data, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    start_date: Option<String>,

    /// Last day of the data, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    end_date: Option<String>,

    /// Only on this host
    #[arg(long, value_name = "NAME")]
    host: Option<String>,

    /// Only on hosts with this label
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,

    /// 0 to 9: who waits for a slot with more, goes first
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=9))]
    priority: u32,

    /// Load what is missing of the series first
    #[arg(long)]
    load_missing: bool,

    #[command(flatten)]
    way: Way,

    #[command(flatten)]
    old: Old,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Way {
    /// Read, check and plan, and start nothing
    #[arg(long, conflicts_with_all = ["detach", "wait"])]
    dry_run: bool,

    /// Print the operation's id and return
    #[arg(long, conflicts_with = "wait")]
    detach: bool,

    /// Wait for the end without a live view
    #[arg(long)]
    wait: bool,
}

/// Flags of the old command line. What no host can honour is refused, not ignored.
#[derive(Debug, clap::Args)]
struct Old {
    /// Refused: the host decides where its models lie
    #[arg(long, value_name = "DIR", hide = true)]
    models_dir: Option<PathBuf>,

    /// Refused: `training.data_split` of the file says it
    #[arg(long, value_name = "FRACTION", hide = true)]
    validation_split: Option<String>,

    /// `local` is the default; anything else loads what is missing first
    #[arg(long, value_enum, hide = true)]
    data_mode: Option<DataMode>,

    /// Refused: `model.training.analytics` of the file says it
    #[arg(long, hide = true)]
    detailed_analytics: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DataMode {
    Local,
    Tail,
    Backfill,
    Full,
}

impl Old {
    fn check(&self) -> Result<(), Failure> {
        let refused = |flag: &str, instead: &str| {
            Err(Failure::new(&reason::FLAG_NOT_HONOURED, format!("{flag} has no effect on a host: {instead}")))
        };
        if self.models_dir.is_some() {
            return refused("--models-dir", "each host keeps its models in a folder of its own");
        }
        if self.validation_split.is_some() {
            return refused("--validation-split", "set training.data_split in the strategy file");
        }
        if self.detailed_analytics {
            return refused("--detailed-analytics", "set model.training.analytics in the strategy file");
        }
        Ok(())
    }
}

impl Args {
    fn request(self, content: Vec<u8>, request_id: String) -> StartTrainingRequest {
        StartTrainingRequest {
            request_id,
            strategy: Some(StrategyFile { label: self.strategy.display().to_string(), content }),
            symbols: self.symbol.map_or(self.symbols, |symbol| vec![symbol]),
            timeframes: self.timeframe.map_or(self.timeframes, |timeframe| vec![timeframe]),
            start_date: self.start_date.unwrap_or_default(),
            end_date: self.end_date.unwrap_or_default(),
            host: self.host.unwrap_or_default(),
            labels: self.labels,
            priority: Some(self.priority),
            load_missing: self.load_missing || self.old.data_mode.is_some_and(|mode| mode != DataMode::Local),
            dry_run: self.way.dry_run,
        }
    }
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    args.old.check()?;
    let file = read(&args.strategy)?;
    let way = args.way;
    let client = context.client()?;
    let mut service = client.training();
    let mut interrupts = if way.detach || way.dry_run { Interrupts::leave() } else { Interrupts::cancel()? };
    let request = client.request(args.request(file, client.request_id()));
    let starting = Box::pin(client.answer(service.start(request)));
    let answer = interrupts.starting(context.talk, starting).await?;
    let plan = answer.plan.unwrap_or_default();
    let Some(operation) = answer.operation else { return print_plan(context, json, &plan) };
    plan.notes.iter().for_each(|note| context.talk.say(&format!("note: {note}")));
    if way.detach {
        return print_started(context, json, &operation);
    }
    let ended = follow::started(&client, context.talk, &operation, interrupts, !way.wait).await?;
    print_ended(context, json, &ended)
}

/// Looks at the length first: not everything that is named here is a strategy.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(&reason::FILE_UNREADABLE, format!("cannot read {}", path.display())).caused_by(&error)
    };
    let length = fs::metadata(path).map_err(unreadable)?.len();
    if length > STRATEGY_MAX {
        let text = format!("{} has {} bytes; a strategy has at most 1 MiB", path.display(), thousands(length));
        return Err(Failure::new(&reason::STRATEGY_TOO_LARGE, text));
    }
    fs::read(path).map_err(unreadable)
}

fn print_ended(context: &mut Context, json: bool, ended: &Ended) -> Result<(), Stop> {
    if json {
        context.out.document(&OperationView::from(&ended.operation))?;
    } else {
        print_result(context, &ended.operation)?;
    }
    ended.failure().map_or(Ok(()), |failure| Err(failure.into()))
}

fn print_result(context: &mut Context, operation: &Operation) -> Result<(), Stop> {
    if let Some(operation::Result::Training(result)) = &operation.result {
        context.out.table(&result_table(operation, result))?;
    }
    Ok(())
}

fn print_plan(context: &mut Context, json: bool, plan: &TrainingPlan) -> Result<(), Stop> {
    if json {
        return Ok(context.out.document(&PlanView::from(plan))?);
    }
    let mut table = Table::properties();
    table.property("Strategy", plan.strategy.as_str());
    table.property("Symbols", plan.symbols.join(","));
    table.property("Timeframes", plan.timeframes.join(","));
    table.property_if("From", Some(plan.start_date.as_str()).filter(|date| !date.is_empty()));
    table.property_if("To", Some(plan.end_date.as_str()).filter(|date| !date.is_empty()));
    table.property("Epochs", plan.epochs.to_string());
    table.property("Batch size", plan.batch_size.to_string());
    for series in &plan.series {
        let stored = if series.bars == 0 {
            "not stored here".to_owned()
        } else {
            let day = |ns: i64| Stamps::default().plain(ns).chars().take(10).collect::<String>();
            let days =
                series.first_ns.zip(series.last_ns).map(|(first, last)| format!(", {} to {}", day(first), day(last)));
            format!("{} bars stored here{}", thousands(series.bars), days.unwrap_or_default())
        };
        table.property(&format!("{} {}", series.symbol, series.timeframe), stored);
    }
    context.out.table(&table)?;
    context.out.line("")?;
    context.out.table(&hosts(plan))?;
    plan.notes.iter().for_each(|note| context.talk.say(&format!("note: {note}")));
    context.talk.say("Nothing was started");
    Ok(())
}

fn hosts(plan: &TrainingPlan) -> Table {
    let titles = ["Host", "State", "Speaks", "Free slots", "Result", "Stop", "Dates", "URL"];
    let mut table =
        Table::new(titles.map(|title| (title, if title == "Free slots" { Align::Right } else { Align::Left })));
    let yes = |value: bool| if value { "yes" } else { "no" };
    for host in &plan.hosts {
        let up = host.trouble.is_empty();
        let state = if up { Cell::toned("answers", Tone::Good) } else { Cell::toned(host.trouble.as_str(), Tone::Bad) };
        let known = |value: bool| Cell::from(if up { yes(value) } else { "-" });
        table.row([
            host.name.as_str().into(),
            state,
            if up { host.version.as_str() } else { "-" }.into(),
            format!("{}/{}", host.free, host.slots).into(),
            known(host.gives_result),
            known(host.stops),
            known(host.honours_dates),
            host.url.as_str().into(),
        ]);
    }
    table
}
