//! No descriptor left: connections that say nothing make way for those that do.

use std::{os::unix::net::UnixStream, path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::{Seen, as_it_must};
use crate::{
    daemon::{TestDaemon, status_of},
    home::Home,
    process::Process,
    programs::programs,
    siege::vitals::Vitals,
    steps::{import, stored_text},
    wait,
};

/// More than the limits below.
const SILENT: usize = 200;
const ROOM: u64 = 16;
const FEW: u64 = 64;
/// Longer than a silent connection is borne.
const ANSWER_MAX: Duration = Duration::from_secs(15);

fn limited(pid: u32, count: u64) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(pid)?).context("a pid")?;
    prlimit(Some(pid), Resource::Nofile, Rlimit { current: Some(count), maximum: Some(count) })?;
    Ok(())
}

fn silent(socket: &Path) -> Result<Vec<UnixStream>> {
    // a connection waits in the socket until the daemon takes it
    (0..SILENT).map(|_| Ok(UnixStream::connect(socket)?)).collect()
}

/// Looks at what is stored, and stores something: both need descriptors of their own.
fn is_served(home: &Home, before: &str) -> Result<()> {
    home.ktrdr("data list --timeout 15")?.ok().context("a list while silent connections hold everything")?;
    wait::until_true(
        "bars to be shown",
        ANSWER_MAX,
        || Ok(stored_text(home, "AAPL").is_ok_and(|bars| bars == before)),
    )?;
    wait::until_true("an import", ANSWER_MAX, || Ok(import(home, &["GOOGL_1d.csv"])?.status == 0))
}

pub(super) fn run_out() -> Result<Seen> {
    let mut daemon = TestDaemon::start_in(Home::new()?.quiet())?;
    import(&daemon, &["AAPL_1d.csv"])?.ok()?;
    let before = stored_text(&daemon, "AAPL")?;
    let pid = daemon.process().id();
    let open = Vitals::of(pid)?.descriptors;
    limited(pid, open + ROOM)?;
    let held = silent(&daemon.socket())?;
    is_served(&daemon, &before)?;
    drop(held);
    wait::until_true("the descriptors to be given back", wait::LIMIT, || Ok(Vitals::of(pid)?.descriptors <= open + 1))?;
    daemon.terminate()?;
    Ok(as_it_must(format!("{SILENT} silent connections, room for {ROOM}: others are served")))
}

/// As `LimitNOFILE=64` would have it.
pub(super) fn few() -> Result<Seen> {
    let home = Home::new()?.quiet();
    let log = std::fs::File::create(home.daemon_log())?;
    let mut command = home.command(Path::new("sh"));
    command.args(["-c", "ulimit -n \"$1\" && exec \"$0\""]).arg(&programs()?.ktrdrd).arg(FEW.to_string()).stderr(log);
    let mut daemon = Process::start(command)?;
    wait::until_true("the daemon", wait::LIMIT, || Ok(status_of(&home.socket()).is_ok()))?;
    import(&home, &["AAPL_1d.csv"])?.ok()?;
    let before = stored_text(&home, "AAPL")?;
    let held = silent(&home.socket())?;
    is_served(&home, &before)?;
    drop(held);
    home.ktrdr("data list")?.ok()?;
    daemon.signal(rustix::process::Signal::TERM)?;
    ensure!(daemon.ended_within(wait::LIMIT)?.success(), "it does not stop well");
    Ok(as_it_must(format!("{SILENT} silent connections: others are served")))
}
