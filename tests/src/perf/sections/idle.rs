//! What the daemon takes when nobody wants anything: processor, memory, and an idle connection's share.

use std::time::{Duration, Instant};

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
/// What stays when all are closed, a while later.
const KEPT_MAX: f64 = 8.0;
/// Of all connections once more after that, and once more: what the first two made of memory is there for the third.
const GROWTH_MAX: f64 = 1.0;
const CROWDS: usize = 3;

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

    let (mut peaks, mut left) = (Vec::new(), Vec::new());
    for _ in 0..CROWDS {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let held = runtime.block_on(connections(&daemon))?;
        peaks.push(memory(pid, "VmRSS")?);
        drop(held);
        runtime.block_on(tokio::task::yield_now());
        drop(runtime);
        all_closed(&daemon, pid)?;
        left.push(settled(pid)?);
    }
    let [first, second, third]: [f64; CROWDS] = peaks.try_into().ok().context("three crowds")?;
    let kept = left[0] - resident;
    let each = (first - resident) / f64::from(CONNECTIONS) / 1024.0;
    let again = (third - second).max(0.0) / MIB;
    Ok(vec![
        Row::counted("processor, over ten seconds", busy, "%").at_most(PROCESSOR_MAX),
        Row::counted("resident set, empty store", resident / MIB, "MiB").at_most(RESIDENT_MAX),
        Row::counted("an idle connection that made a call, of 1,000", each, "KiB").at_most(CONNECTION_MAX),
        Row::counted("kept when all are closed", kept / MIB, "MiB").at_most(KEPT_MAX),
        Row::counted("growth when they are made for the third time", again, "MiB").at_most(GROWTH_MAX),
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

/// The resident set when it has not changed for a while: what is free goes back a second or two later.
fn settled(pid: u32) -> Result<f64> {
    const QUIET: Duration = Duration::from_secs(3);
    let mut last = (memory(pid, "VmRSS")?, Instant::now());
    wait::until("memory that does not change", wait::LIMIT, || {
        let now = memory(pid, "VmRSS")?;
        if (now - last.0).abs() > MIB / 4.0 {
            last = (now, Instant::now());
        }
        Ok((last.1.elapsed() > QUIET).then_some(now))
    })
}

fn all_closed(_daemon: &TestDaemon, pid: u32) -> Result<()> {
    wait::until_true("the end of all connections", wait::LIMIT, || {
        Ok(std::fs::read_dir(format!("/proc/{pid}/fd"))?.count() < usize::try_from(CONNECTIONS)? / 10)
    })
}
