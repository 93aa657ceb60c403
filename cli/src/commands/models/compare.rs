//! `ktrdr models compare`: metrics of several models side by side.

use ktrdr_proto::v1::Model;
use serde::Serialize;

use super::{joined, metric_names, model, print_curves};
use crate::{
    context::Context,
    failure::Stop,
    output::table::{Align, Cell, Table, Tone},
    views::training::{ModelView, figure},
};

/// Metrics of several models side by side
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr models compare demo/EURUSD_1h_v2 demo/EURUSD_1h_v3
  ktrdr models compare op_training_01J9ZQ op_training_01JA0B --format json")]
pub(crate) struct Args {
    /// As `models list` names them, or unique prefixes
    #[arg(required = true, num_args = 2..=26)]
    models: Vec<String>,
}

#[derive(Serialize)]
struct View {
    models: Vec<ModelView>,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let mut models = Vec::new();
    for id in &args.models {
        models.push(model(&client, id).await?);
    }
    if json {
        return Ok(context.out.document(&View { models: models.iter().map(ModelView::from).collect() })?);
    }
    let lettered: Vec<(char, &Model)> = ('a'..='z').zip(&models).collect();
    context.out.table(&legend(&lettered))?;
    context.out.line("")?;
    context.out.table(&metrics(&models))?;
    print_curves(context, &lettered, &["train_loss", "val_loss"])
}

fn legend(models: &[(char, &Model)]) -> Table {
    let titles = ["", "Model", "Strategy", "Symbols", "Timeframes", "Created"];
    let mut table = Table::new(titles.map(|title| (title, Align::Left)));
    for (letter, model) in models {
        table.row([
            letter.to_string().into(),
            model.id.as_str().into(),
            model.strategy.as_str().into(),
            joined(&model.symbols).into(),
            joined(&model.timeframes).into(),
            model.created_at.as_str().into(),
        ]);
    }
    table
}

const LETTERS: [&str; 26] = [
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w",
    "x", "y", "z",
];

fn metrics(models: &[Model]) -> Table {
    let columns = LETTERS.iter().take(models.len()).map(|letter| (*letter, Align::Right));
    let mut table = Table::new(std::iter::once(("Metric", Align::Left)).chain(columns));
    for name in metric_names(models) {
        let values: Vec<Option<f64>> = models.iter().map(|model| model.metrics.get(&name).copied()).collect();
        let best = best(&name, &values);
        let cells = values.iter().map(|value| match value {
            None => Cell::from("-"),
            Some(value) if Some(*value) == best => Cell::toned(figure(*value), Tone::Good),
            Some(value) => Cell::from(figure(*value)),
        });
        table.row(std::iter::once(Cell::from(name.as_str())).chain(cells));
    }
    table
}

/// Of those where more, or less, is better.
fn best(name: &str, values: &[Option<f64>]) -> Option<f64> {
    let values = values.iter().flatten().copied();
    if name.contains("loss") {
        values.reduce(f64::min)
    } else if ["accuracy", "precision", "recall", "f1_score"].iter().any(|word| name.contains(word)) {
        values.reduce(f64::max)
    } else {
        None
    }
}
