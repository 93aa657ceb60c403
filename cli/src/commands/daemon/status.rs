//! `ktrdr daemon status`: what the daemon is and has.

use ktrdr_proto::CONTRACT;

use super::ask;
use crate::{
    context::Context,
    failure::Stop,
    output::table::{Table, bytes},
    views::daemon::DaemonView,
};

/// What the daemon is and has
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr daemon status
  ktrdr daemon status --format json

Exits 3 when no daemon answers.")]
pub(crate) struct Args {}

pub(crate) async fn run(Args {}: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client_of_running()?;
    let view = DaemonView::from(ask(&client).await?);
    if view.contract != CONTRACT {
        let text = format!("This ktrdr speaks contract {CONTRACT}, the daemon {}: update the older one", view.contract);
        context.talk.say(&text);
    }
    Ok(context.out.show(json, &view, || table(&view))?)
}

fn table(view: &DaemonView) -> Table {
    let mut table = Table::properties();
    table.property("Version", format!("{} (contract {})", view.version, view.contract));
    table.property("Pid", view.pid.to_string());
    table.property("Started", view.started_at.to_string());
    table.property("Socket", view.socket.as_str());
    table.property("Data folder", view.data_dir.as_str());
    if let Some(bucket) = &view.bucket {
        table.property("Bucket", bucket.in_words());
        if let Some(error) = &bucket.last_error {
            table.property("Bucket error", error.as_str());
        }
    }
    for file in &view.config_files {
        table.property("Configuration", file.as_str());
    }
    table.property("Series", view.series.to_string());
    table.property("Operations running", view.operations_running.to_string());
    table.property("Memory", bytes(view.memory_bytes));
    table.property("Cache", view.cache.in_words());
    table.property("Log level", view.log_level.as_str());
    table
}
