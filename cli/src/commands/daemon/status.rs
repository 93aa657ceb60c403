//! `ktrdr daemon status`: what the daemon is and has.

use ktrdr_proto::{
    CONTRACT,
    v1::{BucketStatus, GetDaemonStatusResponse},
};
use serde::Serialize;

use super::ask;
use crate::{
    context::Context,
    failure::Stop,
    output::table::{Table, bytes},
    time::Instant,
};

/// What the daemon is and has
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ktrdr daemon status
  ktrdr daemon status --format json

Exits 3 when no daemon answers.")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct View {
    version: String,
    contract: u32,
    pid: u32,
    started_at: Instant,
    socket: String,
    data_dir: String,
    config_files: Vec<String>,
    series: u64,
    operations_running: u64,
    memory_bytes: u64,
    log_level: String,
    cache: Cache,
    bucket: Option<Bucket>,
}

/// Where the data is, besides the folder.
#[derive(Serialize)]
struct Bucket {
    address: String,
    files_behind: u64,
    files_fetched: u64,
    last_error: Option<String>,
}

impl Bucket {
    fn in_words(&self) -> String {
        let Self { address, files_behind, files_fetched, .. } = self;
        let state = match files_behind {
            0 => "has everything".to_owned(),
            1 => "1 file behind".to_owned(),
            more => format!("{more} files behind"),
        };
        format!("{address}; {state}, {files_fetched} fetched")
    }
}

impl From<BucketStatus> for Bucket {
    fn from(status: BucketStatus) -> Self {
        let BucketStatus { address, files_behind, files_fetched, last_error } = status;
        let last_error = (!last_error.is_empty()).then_some(last_error);
        Self { address, files_behind, files_fetched, last_error }
    }
}

/// Stored years that are kept decoded.
#[derive(Serialize)]
struct Cache {
    bytes: u64,
    budget_bytes: u64,
    hits: u64,
    misses: u64,
}

impl Cache {
    fn in_words(&self) -> String {
        let (asked, used) = (self.hits + self.misses, bytes(self.bytes));
        let share = (self.hits * 100).checked_div(asked).unwrap_or(0);
        format!("{used} of {}; {share} % of {asked} years asked for came from it", bytes(self.budget_bytes))
    }
}

impl From<GetDaemonStatusResponse> for View {
    fn from(status: GetDaemonStatusResponse) -> Self {
        Self {
            version: status.version,
            contract: status.contract,
            pid: status.pid,
            started_at: Instant(status.started_at_ns),
            socket: status.socket,
            data_dir: status.data_dir,
            config_files: status.config_files,
            series: status.series,
            operations_running: status.operations_running,
            memory_bytes: status.memory_bytes,
            log_level: status.log_level,
            cache: Cache {
                bytes: status.cache_bytes,
                budget_bytes: status.cache_budget_bytes,
                hits: status.cache_hits,
                misses: status.cache_misses,
            },
            bucket: status.bucket.map(Bucket::from),
        }
    }
}

pub(crate) async fn run(Args {}: Args, context: &mut Context) -> Result<(), Stop> {
    let json = context.json()?;
    let client = context.client_of_running()?;
    let view = View::from(ask(&client).await?);
    if view.contract != CONTRACT {
        let text = format!("This ktrdr speaks contract {CONTRACT}, the daemon {}: update the older one", view.contract);
        context.talk.say(&text);
    }
    Ok(context.out.show(json, &view, || table(&view))?)
}

fn table(view: &View) -> Table {
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
