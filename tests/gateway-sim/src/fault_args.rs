//! The part of the command line that is about what goes wrong.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::config::{Chaos, Knobs, Pacing};
use crate::faults::{Level, Rule, read_rules};

#[derive(Debug, Args)]
pub(crate) struct FaultArgs {
    /// Print every fault there is, and end
    #[arg(long)]
    pub(crate) list_faults: bool,
    /// Play the faults of a TOML file: [[fault]] kind = "freeze", after = 30
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Draw faults at random: light, medium, heavy, or how many a simulated minute
    #[arg(long, value_name = "LEVEL")]
    chaos: Option<Level>,
    /// Seed of --chaos, which draws the same faults again; that of --seed unless given
    #[arg(long, value_name = "N", requires = "chaos")]
    chaos_seed: Option<u64>,
    /// Draw for so many simulated seconds from the start on, then no more
    #[arg(long, value_name = "N", requires = "chaos")]
    chaos_for: Option<u64>,
    /// What becomes of requests for small bars that come too fast: strict, `strict_all` (whatever the size), lenient, off
    #[arg(long, value_name = "HOW", default_value = "lenient", value_parser = pacing)]
    pacing: Pacing,
    /// Most messages in a simulated second; more are dropped
    #[arg(long, value_name = "N")]
    message_rate: Option<u32>,
    /// Leave a second question for the time within a simulated second unanswered
    #[arg(long)]
    one_time_request_per_second: bool,
    /// Answer no more head timestamps than this
    #[arg(long, value_name = "N")]
    head_timestamp_cap: Option<u32>,
    /// Refuse historical requests beyond so many open ones
    #[arg(long, value_name = "N")]
    open_cap: Option<u32>,
    /// Simulated seconds for which the id of a client stays taken that ended uncleanly
    #[arg(long, value_name = "N", default_value_t = 0)]
    hold_client_id: u64,
}

fn pacing(text: &str) -> Result<Pacing, String> {
    Pacing::named(text).ok_or_else(|| "strict, strict_all, lenient or off".to_owned())
}

/// A file of faults that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the faults of {}", path.display())]
pub(crate) struct FaultsFileError {
    path: PathBuf,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl FaultArgs {
    pub(crate) fn rules(&self) -> Result<Vec<Rule>, FaultsFileError> {
        self.faults.as_deref().map_or(Ok(Vec::new()), read)
    }

    pub(crate) fn chaos(&self, seed: u64) -> Option<Chaos> {
        self.chaos.map(|level| Chaos {
            level,
            seed: self.chaos_seed.unwrap_or(seed),
            lasting: self.chaos_for.map(Duration::from_secs),
        })
    }

    /// Knobs with the conditions set.
    pub(crate) fn conditions(&self, knobs: &Knobs) -> Knobs {
        Knobs {
            pacing: self.pacing,
            message_rate: self.message_rate,
            one_time_request_per_second: self.one_time_request_per_second,
            head_timestamp_cap: self.head_timestamp_cap,
            open_cap: self.open_cap,
            hold_client_id: Duration::from_secs(self.hold_client_id),
            ..knobs.clone()
        }
    }
}

fn read(path: &Path) -> Result<Vec<Rule>, FaultsFileError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| FaultsFileError { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.into()))?;
    read_rules(&text).map_err(|error| failed(error.into()))
}
