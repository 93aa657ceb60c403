//! All operations that are under way, in a table that is drawn anew.

use std::time::Duration;

use ktrdr_proto::v1::{Operation, OperationState};

use crate::{
    commands::operations::list::{View, active},
    context::Context,
    failure::Stop,
    output::{
        gauge::gauge,
        screen::Screen,
        table::{Align, Table},
    },
    time::duration,
    views::operation::state_cell,
};

/// Between two looks; a person sees no faster.
const PAUSE: Duration = Duration::from_millis(500);
/// Characters of a bar.
const BAR: usize = 12;

/// Until none is left. In JSON, a line for every look that shows something new.
pub(super) async fn run(context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let (mut screen, mut last) = (Screen::default(), Vec::new());
    loop {
        let (operations, total) = active(&client).await?;
        if operations != last {
            if json {
                context.out.event(&View::of(&operations, total))?;
            } else if !operations.is_empty() {
                screen.draw(&mut context.out, &table(&operations))?;
            }
        }
        if operations.is_empty() {
            context.talk.say("Nothing is under way");
            return Ok(());
        }
        last = operations;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Those that run first, then those that wait, each as old ones first.
fn table(operations: &[Operation]) -> Table {
    let titles = ["Operation ID", "Status", "Progress", "Left", "Subject", "Step"];
    let side = |title| if title == "Left" { Align::Right } else { Align::Left };
    let mut table = Table::new(titles.map(|title| (title, side(title))));
    let mut sorted: Vec<&Operation> = operations.iter().collect();
    sorted.sort_by_key(|operation| (operation.state() != OperationState::Running, operation.created_at_ns));
    for operation in sorted {
        let progress = operation.progress.clone().unwrap_or_default();
        let left = progress.training.as_ref().and_then(|training| training.seconds_left);
        table.row([
            operation.id.as_str().into(),
            state_cell(operation),
            progress.percent.map(bar).unwrap_or_default().into(),
            left.map(duration).unwrap_or_default().into(),
            operation.subject.as_str().into(),
            progress.message.as_str().into(),
        ]);
    }
    table
}

/// `██████░░░░░░  50%`.
fn bar(percent: f64) -> String {
    format!("{} {percent:>3.0}%", gauge(percent / 100.0, BAR))
}
