//! What the daemon takes when nobody wants anything: processor, memory, and an idle connection's share.

use std::time::Duration;

use anyhow::{Context as _, Result};
use ktrdr_proto::v1::{GetDaemonStatusRequest, daemon_client::DaemonClient};
use rustix::process::{Resource, getrlimit, setrlimit};
use tonic::transport::Channel;

use crate::{
    daemon::TestDaemon,
    home::Home,
    perf::{
        Run,
        machine::{MIB, memory, time_on_processor},
        report::Row,
    },
    wait,
};

const WINDOW: Duration = Duration::from_secs(10);
const CONNECTIONS: u32 = 1_000;
const RESIDENT_MAX: f64 = 25.0;
const CONNECTION_MAX: f64 = 40.0;
/// 0.0 % as it is printed.
const PROCESSOR_MAX: f64 = 0.05;
/// Of all connections once more, after all were closed: the allocator reuses what it kept.
const GROWTH_MAX: f64 = 1.0;

pub(super) fn measure(_run: &Run) -> Result<Vec<Row>> {
    more_files()?;
    let mut daemon = TestDaemon::start_in(Home::new()?.quiet())?;
    let pid = daemon.process().id();
    // what it does once after its start is done when the first look has been answered for a while
    std::thread::sleep(Duration::from_secs(2));
    let before = time_on_processor(pid)?;
    std::thread::sleep(WINDOW);
    let busy = (time_on_processor(pid)? - before) / 1e9 / WINDOW.as_secs_f64() * 100.0;
    let resident = memory(pid, "VmRSS")?;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let held = runtime.block_on(connections(&daemon))?;
    let first = memory(pid, "VmRSS")?;
    drop(held);
    runtime.block_on(tokio::task::yield_now());
    drop(runtime);
    all_closed(&daemon, pid)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _held = runtime.block_on(connections(&daemon))?;
    let second = memory(pid, "VmRSS")?;
    let each = (first - resident) / f64::from(CONNECTIONS) / 1024.0;
    let again = (second - first).max(0.0) / MIB;
    Ok(vec![
        Row::counted("processor, over ten seconds", busy, "%").at_most(PROCESSOR_MAX),
        Row::counted("resident set, empty store", resident / MIB, "MiB").at_most(RESIDENT_MAX),
        Row::counted("an idle connection that made a call, of 1,000", each, "KiB").at_most(CONNECTION_MAX),
        Row::counted("growth when all are closed and made again", again, "MiB").at_most(GROWTH_MAX),
    ])
}

/// A shell allows 1,024 of them; the daemon inherits what is set here.
fn more_files() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum.map_or(Some(65_536), |most| Some(most.min(65_536)));
    setrlimit(Resource::Nofile, limit).context("the limit of open files")
}

async fn connections(daemon: &TestDaemon) -> Result<Vec<DaemonClient<Channel>>> {
    let mut held = Vec::new();
    for number in 0..CONNECTIONS {
        let mut client = DaemonClient::new(daemon.channel()?);
        client.get_status(GetDaemonStatusRequest {}).await.with_context(|| format!("connection {number}"))?;
        held.push(client);
    }
    Ok(held)
}

fn all_closed(_daemon: &TestDaemon, pid: u32) -> Result<()> {
    wait::until_true("the end of all connections", wait::LIMIT, || {
        Ok(std::fs::read_dir(format!("/proc/{pid}/fd"))?.count() < usize::try_from(CONNECTIONS)? / 10)
    })
}
