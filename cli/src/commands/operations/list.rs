//! `ktrdr operations list`: operations, newest first.

use clap::ValueEnum;
use ktrdr_proto::v1::{ListOperationsRequest, Operation, OperationState};
use serde::Serialize;

use crate::{
    client::Client,
    context::Context,
    failure::{Failure, Stop},
    output::table::{Align, Table},
    time::duration,
    views::operation::{OperationView, lasted, state_cell},
};

/// The most that one answer holds.
const PAGE_SIZE_MAX: u32 = 1000;

/// Operations, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr operations list
  ktrdr operations list --active
  ktrdr operations list -s failed -t load -l 10 --format json")]
pub(crate) struct Args {
    /// Only those in this state
    #[arg(short, long, alias = "state", value_enum, value_name = "STATE")]
    status: Option<State>,

    /// Only those of this kind: load, loads, import, repair, training
    #[arg(short = 't', long = "type", value_name = "KIND")]
    kind: Option<String>,

    /// At most so many
    #[arg(short, long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,

    /// Only those that have not ended
    #[arg(short, long, conflicts_with = "status")]
    active: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Pending,
    Running,
    Completed,
    Failed,
    Cancelled,
    Interrupted,
}

impl From<State> for OperationState {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Running => Self::Running,
            State::Completed => Self::Completed,
            State::Failed => Self::Failed,
            State::Cancelled => Self::Cancelled,
            State::Interrupted => Self::Interrupted,
        }
    }
}

/// What has not ended.
const ACTIVE: [OperationState; 2] = [OperationState::Pending, OperationState::Running];

#[derive(Serialize)]
pub(super) struct View {
    operations: Vec<OperationView>,
    total: u64,
}

impl View {
    pub(super) fn of(operations: &[Operation], total: u64) -> Self {
        Self { operations: operations.iter().map(OperationView::from).collect(), total }
    }
}

impl Args {
    fn states(&self) -> Vec<i32> {
        match (self.active, self.status) {
            (true, _) => ACTIVE.map(i32::from).to_vec(),
            (false, Some(state)) => vec![OperationState::from(state).into()],
            (false, None) => Vec::new(),
        }
    }

    /// The kinds had longer names once.
    fn kind(&self) -> String {
        let kind = self.kind.as_deref().unwrap_or_default();
        kind.strip_prefix("data_").unwrap_or(kind).to_owned()
    }
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let which = ListOperationsRequest { states: args.states(), kind: args.kind(), ..ListOperationsRequest::default() };
    let (operations, total) = newest(&client, &which, args.limit as usize).await?;
    if json {
        return Ok(context.out.document(&View::of(&operations, total))?);
    }
    if operations.is_empty() {
        context.talk.say("No operations");
        return Ok(());
    }
    context.out.table(&table(&operations))?;
    if total > operations.len() as u64 {
        context.talk.say(&format!("{} of {total} shown; --limit shows more", operations.len()));
    }
    Ok(())
}

/// The newest of those that are meant, at most `limit`, in as many pages as that takes, which is nearly always one; and how many there are.
async fn newest(
    client: &Client,
    which: &ListOperationsRequest,
    limit: usize,
) -> Result<(Vec<Operation>, u64), Failure> {
    let (mut operations, mut page_token) = (Vec::new(), String::new());
    loop {
        let left = u32::try_from(limit - operations.len()).unwrap_or(PAGE_SIZE_MAX);
        let request = ListOperationsRequest { page_size: left.min(PAGE_SIZE_MAX), page_token, ..which.clone() };
        let answer = client.answer(client.operations().list(client.request(request))).await?;
        operations.extend(answer.operations);
        operations.truncate(limit);
        if operations.len() == limit || answer.next_page_token.is_empty() {
            return Ok((operations, answer.total));
        }
        page_token = answer.next_page_token;
    }
}

/// Those that have not ended, and how many there are.
pub(crate) async fn active(client: &Client) -> Result<(Vec<Operation>, u64), Failure> {
    let states = ACTIVE.map(i32::from).to_vec();
    let which = ListOperationsRequest { states, ..ListOperationsRequest::default() };
    newest(client, &which, PAGE_SIZE_MAX as usize).await
}

fn table(operations: &[Operation]) -> Table {
    let titles = ["Operation ID", "Type", "Status", "Progress", "Subject", "Duration"];
    let side = |title| {
        if matches!(title, "Progress" | "Duration") { Align::Right } else { Align::Left }
    };
    let mut table = Table::new(titles.map(|title| (title, side(title))));
    for operation in operations {
        let percent = operation.progress.as_ref().and_then(|progress| progress.percent);
        table.row([
            operation.id.as_str().into(),
            operation.kind.as_str().into(),
            state_cell(operation),
            // what has not completed is not whole
            percent.map_or_else(|| "-".to_owned(), |percent| format!("{:.0}%", percent.floor())).into(),
            operation.subject.as_str().into(),
            lasted(operation).map_or_else(|| "-".to_owned(), duration).into(),
        ]);
    }
    table
}
