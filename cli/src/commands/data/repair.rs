//! `ktrdr data repair`: mend what a check has found, after saying how.

use ktrdr_proto::v1::{RepairRequest, operation};

use super::change::{Change, unchanged};
use crate::{
    context::Context,
    failure::Stop,
    flags::Series,
    follow::{self, Interrupts},
    output::table::{Align, Cell, Table, Tone, thousands},
    views::housekeeping::RepairView,
};

/// Mend what a check has found
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr data repair AAPL -t 1h          says what it would do
  ktrdr data repair AAPL -t 1h --yes    does it

Bars that cannot be are dropped; bars that are wrong or absent, and damaged files, are asked of the gateway again. Files that
are replaced are kept: `data restore` undoes it.")]
pub(crate) struct Args {
    #[command(flatten)]
    series: Series,

    #[command(flatten)]
    change: Change,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let mut service = client.housekeeping();
    let dry_run = !args.change.is_meant();
    let mut interrupts = if dry_run { Interrupts::leave() } else { Interrupts::cancel()? };
    let request_id = client.request_id();
    let request = client.request(RepairRequest { request_id, series: Some(args.series.into()), dry_run });
    let answer = interrupts.starting(context.talk, client.answer(service.repair(request))).await?;
    let operation = answer.operation.clone();
    let mut view = RepairView::from(answer);
    let mut failure = None;
    if let Some(operation) = &operation {
        let ended = follow::started(&client, context.talk, operation, interrupts, true).await?;
        failure = ended.failure();
        if let Some(operation::Result::Repair(result)) = &ended.operation.result {
            let load = result.load.clone().unwrap_or_default();
            (view.dropped, view.bars_loaded, view.bars_revised) = (result.dropped, load.bars_loaded, load.bars_revised);
        }
        view.done = failure.is_none();
    }
    if json {
        context.out.document(&view)?;
    } else if view.steps.is_empty() {
        context.talk.say("There is nothing to repair");
    } else {
        context.out.table(&steps(&view))?;
        if operation.is_some() {
            let (dropped, loaded, revised) = (view.dropped, view.bars_loaded, view.bars_revised);
            context.talk.say(&format!("{dropped} bars dropped, {loaded} loaded, {revised} replaced"));
        } else if dry_run {
            unchanged(context);
        }
    }
    failure.map_or(Ok(()), |failure| Err(failure.into()))
}

fn steps(view: &RepairView) -> Table {
    let mut table = Table::new([
        ("Code", Align::Left),
        ("Count", Align::Right),
        ("First", Align::Left),
        ("Last", Align::Left),
        ("What is done", Align::Left),
    ]);
    for step in &view.steps {
        let done = if step.note.is_empty() {
            Cell::from(step.action.as_str())
        } else {
            Cell::toned(format!("nothing; {}", step.note), Tone::Busy)
        };
        table.row([
            step.code.as_str().into(),
            thousands(step.count).into(),
            step.first.to_string().into(),
            step.last.to_string().into(),
            done,
        ]);
    }
    table
}
