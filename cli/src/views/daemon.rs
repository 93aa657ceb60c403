//! The daemon itself: `daemon …`.

use ktrdr_proto::v1::{BucketStatus, GetDaemonStatusResponse};
use serde::Serialize;

use crate::{output::table::bytes, time::Instant};

/// What the daemon is and has.
#[derive(Debug, Serialize)]
pub(crate) struct DaemonView {
    pub(crate) version: String,
    pub(crate) contract: u32,
    pub(crate) pid: u32,
    pub(crate) started_at: Instant,
    pub(crate) socket: String,
    pub(crate) data_dir: String,
    pub(crate) config_files: Vec<String>,
    pub(crate) series: u64,
    pub(crate) operations_running: u64,
    pub(crate) memory_bytes: u64,
    pub(crate) log_level: String,
    pub(crate) cache: Cache,
    pub(crate) bucket: Option<Bucket>,
}

/// Where the data is, besides the folder.
#[derive(Debug, Serialize)]
pub(crate) struct Bucket {
    address: String,
    files_behind: u64,
    files_fetched: u64,
    pub(crate) last_error: Option<String>,
}

impl Bucket {
    pub(crate) fn in_words(&self) -> String {
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
#[derive(Debug, Serialize)]
pub(crate) struct Cache {
    bytes: u64,
    budget_bytes: u64,
    hits: u64,
    misses: u64,
}

impl Cache {
    pub(crate) fn in_words(&self) -> String {
        let (asked, used) = (self.hits + self.misses, bytes(self.bytes));
        let share = (self.hits * 100).checked_div(asked).unwrap_or(0);
        format!("{used} of {}; {share} % of {asked} years asked for came from it", bytes(self.budget_bytes))
    }
}

impl From<GetDaemonStatusResponse> for DaemonView {
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
