//! `ktrdr models list`: models of the folder and of the hosts.

use ktrdr_proto::v1::{ListModelsRequest, Model};
use serde::Serialize;

use super::joined;
use crate::{
    context::Context,
    failure::Stop,
    output::table::{Align, Cell, Table, Tone, bytes},
    views::training::{ModelView, figure},
};

/// Models of the models folder, and those that hosts reported
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr models list
  ktrdr models list --strategy demo --format json

The folder is training.models_dir of the configuration, or MODELS_DIR.")]
pub(crate) struct Args {
    /// Only those of this strategy
    #[arg(long, value_name = "NAME")]
    strategy: Option<String>,
}

#[derive(Serialize)]
struct View {
    models: Vec<ModelView>,
    folder: Option<String>,
}

pub(crate) async fn run(args: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client()?;
    let request = client.request(ListModelsRequest { strategy: args.strategy.unwrap_or_default() });
    let answer = client.answer(client.training().list_models(request)).await?;
    if json {
        let folder = Some(answer.folder).filter(|folder| !folder.is_empty());
        return Ok(context
            .out
            .document(&View { models: answer.models.iter().map(ModelView::from).collect(), folder })?);
    }
    if answer.models.is_empty() {
        let where_ = if answer.folder.is_empty() { "no models folder is configured" } else { &answer.folder };
        context.talk.say(&format!("No models ({where_})"));
        return Ok(());
    }
    Ok(context.out.table(&table(&answer.models))?)
}

fn table(models: &[Model]) -> Table {
    let mut table = Table::new([
        ("Model", Align::Left),
        ("Strategy", Align::Left),
        ("Symbols", Align::Left),
        ("Timeframes", Align::Left),
        ("Created", Align::Left),
        ("Accuracy", Align::Right),
        ("Size", Align::Right),
        ("Where", Align::Left),
    ]);
    for model in models {
        let place = if model.host.is_empty() { model.path.as_str() } else { model.host.as_str() };
        let created =
            if model.incomplete { Cell::toned("incomplete", Tone::Bad) } else { model.created_at.as_str().into() };
        table.row([
            model.id.as_str().into(),
            model.strategy.as_str().into(),
            joined(&model.symbols).into(),
            joined(&model.timeframes).into(),
            created,
            accuracy(model).map_or_else(|| "-".to_owned(), figure).into(),
            if model.size_bytes > 0 { bytes(model.size_bytes) } else { "-".to_owned() }.into(),
            place.into(),
        ]);
    }
    table
}

/// The most telling one there is.
fn accuracy(model: &Model) -> Option<f64> {
    const NAMES: [&str; 5] =
        ["test_accuracy", "best_val_accuracy", "final_val_accuracy", "final_train_accuracy", "final_accuracy"];
    NAMES.iter().find_map(|name| model.metrics.get(*name).copied())
}
