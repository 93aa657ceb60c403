//! `ktrdr models show`: one model in full.

use clap_complete::ArgValueCompleter;

use super::{joined, metric_names, model, print_curves};
use crate::{
    commands::completions::trainings,
    context::Context,
    failure::Stop,
    output::table::{Table, bytes},
    views::training::{ModelView, figure},
};

/// One model in full, with its learning curves
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr models show demo/EURUSD_1h_v3
  ktrdr models show op_training_01J9ZQ --format json")]
pub(crate) struct Args {
    /// As `models list` names it, or a unique prefix
    #[arg(add = ArgValueCompleter::new(trainings))]
    model: String,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let model = model(&client, &args.model).await?;
    if json {
        return Ok(context.out.document(&ModelView::from(&model))?);
    }
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut table = Table::properties();
    table.property("Model", model.id.as_str());
    table.property("Strategy", model.strategy.as_str());
    table.property("Symbols", joined(&model.symbols));
    table.property("Timeframes", joined(&model.timeframes));
    table.property_if("Version", model.version.map(|version| version.to_string()));
    table.property_if("Created", some(&model.created_at));
    table.property_if("Host", some(&model.host));
    table.property_if("Path", some(&model.path));
    table.property_if("Size", (model.size_bytes > 0).then(|| bytes(model.size_bytes)));
    if model.incomplete {
        table.property("Metadata", "missing: its writer was interrupted");
    }
    for name in metric_names(std::slice::from_ref(&model)) {
        table.property(&name, figure(model.metrics[&name]));
    }
    context.out.table(&table)?;
    print_curves(context, &[('•', &model)], &["train_loss", "val_loss", "train_accuracy", "val_accuracy"])
}
