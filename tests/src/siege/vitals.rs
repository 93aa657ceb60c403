//! What a process costs at a moment, as the kernel tells it.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};

/// So much in a second is nothing: one tick of the kernel's clock.
const NOTHING: Duration = Duration::from_millis(10);
/// A process that was busy has come to rest within this.
const REST_MAX: Duration = Duration::from_mins(1);

/// One look.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Vitals {
    /// Resident memory, bytes.
    pub(super) resident: u64,
    /// Open file descriptors.
    pub(super) descriptors: u64,
    pub(super) threads: u64,
    /// Processor time since its start.
    pub(super) cpu: Duration,
}

impl Vitals {
    pub(super) fn of(pid: u32) -> Result<Self> {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).context("its descriptors")?.count();
        Ok(Self {
            resident: figure(pid, "VmRSS")? << 10,
            descriptors: descriptors as u64,
            threads: figure(pid, "Threads")?,
            cpu: cpu(pid)?,
        })
    }
}

/// A figure of `/proc/<pid>/status`.
fn figure(pid: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).with_context(|| format!("no {name}"))
}

/// User and system time: the 14th and the 15th word of `/proc/<pid>/stat`, of which the second may hold anything.
fn cpu(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let words = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    let ticks: u64 = words.filter_map(|word| word.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second().max(1)))
}

/// The most memory since the last [`forget_peak`], bytes.
pub(super) fn peak(pid: u32) -> Result<u64> {
    Ok(figure(pid, "VmHWM")? << 10)
}

/// The highest point is the present one from now on.
pub(super) fn forget_peak(pid: u32) -> Result<()> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").context("cannot reset the peak of its memory")
}

/// Waits until it does nothing for a second; how long that took. `None`: it never rests.
pub(super) async fn rests(pid: u32) -> Result<Option<Duration>> {
    let began = tokio::time::Instant::now();
    let mut before = Vitals::of(pid)?.cpu;
    while began.elapsed() < REST_MAX {
        let so_far = began.elapsed();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = Vitals::of(pid)?.cpu;
        if now.saturating_sub(before) <= NOTHING {
            return Ok(Some(so_far));
        }
        before = now;
    }
    Ok(None)
}

/// This program's own limit of descriptors, as high as it may be.
pub(super) fn raise_descriptors() -> u64 {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // as many as there are will do
    setrlimit(Resource::Nofile, limit).unwrap_or_default();
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
