//! Foreign bytes over real sockets: a gateway and hosts that are nearly right, and callers that are not. The daemon lives on, says
//! of each request how it ended, and works again as soon as the others do.

mod gateway;
mod hosts;
mod requests;

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use ktrdr_proto::reason;
use ktrdr_tests::{daemon::TestDaemon, home::Home};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Longer than any deadline of the daemon's, as they are shortened here.
const END_MAX: Duration = Duration::from_secs(45);
/// Of a daemon that is asked a little.
const MEMORY_MAX: u64 = 400 << 20;

/// How long to go on, unless the run is told otherwise.
struct Run {
    began: Instant,
    limit: Duration,
    seed: u64,
}

impl Run {
    fn new(seconds: u64) -> Self {
        let limit = ktrdr_foreign::seconds().unwrap_or(Duration::from_secs(seconds));
        Self { began: Instant::now(), limit, seed: ktrdr_foreign::seed() }
    }

    /// The programs may have been built before they were started.
    fn begins(&mut self) {
        self.began = Instant::now();
    }

    fn goes_on(&self) -> bool {
        self.began.elapsed() < self.limit
    }

    /// Also when the time is over, as long as what the run is about was not reached: on a busy machine little happens in it.
    fn goes_on_until(&self, reached: bool) -> bool {
        self.goes_on() || !reached && self.began.elapsed() < self.limit + END_MAX
    }

    #[expect(clippy::print_stderr, reason = "figures of a run, for who looks at them")]
    fn told(&self, text: &str) {
        eprintln!("{text}; seed {}, {:.1} s", self.seed, self.began.elapsed().as_secs_f64());
    }
}

/// An error that a person can do something with: a reason of the table, and nothing that a terminal would obey.
fn is_told(status: &Status) -> Result<()> {
    let info = status.get_details_error_info();
    let name = info.as_ref().map(|info| info.reason.as_str()).unwrap_or_default();
    ensure!(reason::find(name).is_some() && name != reason::INTERNAL.name, "{status:?}");
    // what the gateway said cannot be read is its defect, not ours
    ensure!(status.code() != Code::Internal || name == reason::PROTOCOL_ERROR.name, "{status:?}");
    ktrdr_foreign::fit_to_print(status.message());
    Ok(())
}

/// It answers, it has not panicked, and it holds no more than it should.
fn is_well(daemon: &TestDaemon) -> Result<()> {
    let status = daemon.status()?;
    ensure!(status.memory_bytes < MEMORY_MAX, "it holds {} bytes", status.memory_bytes);
    let panics = panics(daemon);
    ensure!(panics.is_empty(), "{}", panics.join("\n"));
    Ok(())
}

fn panics(home: &Home) -> Vec<String> {
    let log = fs::read(home.daemon_log()).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    log.lines().filter(|line| line.contains("panicked at") || line.contains("ended badly")).map(str::to_owned).collect()
}
