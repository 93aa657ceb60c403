//! `ktrdr models`: train on the hosts, and look at what came of it.

mod compare;
mod list;
mod show;
mod train;

use std::collections::BTreeSet;

use ktrdr_proto::v1::{GetModelRequest, Model, Operation, TrainingResult};

use crate::{
    client::Client,
    context::Context,
    failure::{Failure, Stop},
    output::{curves, table::Table},
    views::training::{TrainingView, figure},
};

#[derive(Debug, clap::Subcommand)]
#[command(
    defer = true,
    arg_required_else_help = true,
    after_help = "Examples:
  ktrdr models train strategies/demo.yaml EURUSD 1h --start-date 2024-01-01 --end-date 2024-12-31
  ktrdr models list
  ktrdr models compare op_training_01J9ZQ op_training_01JA0B"
)]
pub(crate) enum Command {
    /// Train a strategy on a host
    Train(Box<train::Args>),
    /// Models of the models folder, and those that hosts reported
    List(list::Args),
    /// One model in full, with its learning curves
    Show(show::Args),
    /// Metrics of several models side by side
    Compare(compare::Args),
}

pub(crate) async fn run(command: Command, context: &mut Context) -> Result<(), Stop> {
    match command {
        Command::Train(args) => Box::pin(train::run(*args, context)).await,
        Command::List(args) => list::run(args, context).await,
        Command::Show(args) => show::run(args, context).await,
        Command::Compare(args) => compare::run(args, context).await,
    }
}

/// One model by its id or a unique prefix of it.
async fn model(client: &Client, id: &str) -> Result<Model, Failure> {
    let request = client.request(GetModelRequest { id: id.to_owned() });
    let answer = client.answer(client.training().get_model(request)).await?;
    Ok(answer.model.unwrap_or_default())
}

/// The result of a training, for people.
pub(super) fn result_table(operation: &Operation, result: &TrainingResult) -> Table {
    let view = TrainingView::from(result);
    let mut table = Table::properties();
    table.property("Session", view.session_id.as_str());
    table.property("Host", view.host.as_str());
    let asked = operation.progress.as_ref().and_then(|progress| progress.training.as_ref()).map(|one| one.epochs);
    match asked.filter(|asked| *asked > 0) {
        Some(asked) => table.property("Epochs", format!("{} of {asked}", view.epochs)),
        None => table.property("Epochs", view.epochs.to_string()),
    }
    table.property("Model", view.model_path.clone().unwrap_or_else(|| "none kept".into()));
    for (name, value) in &view.metrics {
        table.property(name, figure(*value));
    }
    for note in &view.notes {
        table.property("Note", format!("{} {note}", view.host));
    }
    table
}

/// The loss, and the loss of the validation beside it.
fn print_curves(context: &mut Context, models: &[(char, &Model)], wanted: &[&str]) -> Result<(), Stop> {
    for name in wanted {
        let values: Vec<(char, &[f64])> = models
            .iter()
            .filter_map(|(letter, model)| {
                let curve = model.curves.iter().find(|curve| curve.name == *name)?;
                Some((*letter, curve.values.as_slice()))
            })
            .collect();
        let lines = curves::chart(&values, 60, 10);
        if !lines.is_empty() {
            context.out.line("")?;
            context.out.line(name)?;
            lines.iter().try_for_each(|line| context.out.line(line))?;
        }
    }
    Ok(())
}

/// All names of metrics, in order.
fn metric_names(models: &[Model]) -> BTreeSet<String> {
    models.iter().flat_map(|model| model.metrics.keys().cloned()).collect()
}

fn joined(texts: &[String]) -> String {
    if texts.is_empty() { "-".into() } else { texts.join(",") }
}
