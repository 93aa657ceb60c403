//! Where and when a run was made, and in which class of the scheduler.

use std::{env, fs, process::Command};

use anyhow::{Context as _, Result};

/// Processor, cores, memory, kernel.
pub(super) fn machine() -> String {
    let line = |file: &str, name: &str| {
        let text = fs::read_to_string(file).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':'))?.1;
        Some(line.trim().to_owned())
    };
    let processor = line("/proc/cpuinfo", "model name").unwrap_or_else(|| env::consts::ARCH.to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = line("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    let memory = memory.map_or_else(String::new, |kib| format!(", {} GiB", (kib >> 20) + 1));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = kernel.trim().split('-').next().unwrap_or_default().to_owned();
    let class = if is_realtime() { "real-time class" } else { "ordinary class" };
    format!("{processor}, {cores} cores{memory}, Linux {kernel}, {class}")
}

pub(super) fn date() -> String {
    jiff::Timestamp::now().to_string().chars().take_while(|c| *c != 'T').collect()
}

/// Of the checkout; `+` with changes that are not committed.
pub(super) fn commit() -> String {
    let git = |words: &[&str]| {
        let output = Command::new("git").args(words).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short", "HEAD"]) else { return "unknown".to_owned() };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|list| !list.is_empty());
    if changed { commit + "+" } else { commit }
}

/// In the real-time class the other programs of a machine hardly count: a median of a busy machine is as good as one of an idle
/// one. It takes root, and everything that is measured must be in it, servers too: so a whole process is, and what it starts.
pub(super) fn realtime(program: &std::path::Path) -> Option<Command> {
    const PRIORITY: &str = "10";
    let chrt = |rest: &std::path::Path| {
        let mut command = Command::new("chrt");
        command.args(["--rr", PRIORITY]).arg(rest);
        command
    };
    let may = chrt(std::path::Path::new("true")).output().is_ok_and(|output| output.status.success());
    may.then(|| chrt(program))
}

fn is_realtime() -> bool {
    // field 41 of its stat; the name before them may hold spaces
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    fields
        .split(' ')
        .nth(38)
        .and_then(|policy| policy.parse::<u32>().ok())
        .is_some_and(|policy| policy == 1 || policy == 2)
}

/// A figure of `/proc/<pid>/status`, bytes.
pub(super) fn memory(pid: u32, name: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib: u32 =
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).with_context(|| format!("no {name}"))?;
    Ok(f64::from(kib) * 1024.0)
}

/// Forgets the peak of a process, so that the next one is of what comes now.
pub(super) fn forget_peak(pid: u32) -> Result<()> {
    Ok(fs::write(format!("/proc/{pid}/clear_refs"), "5")?)
}

/// Time that all threads of a process have spent on a processor, in nanoseconds.
pub(super) fn time_on_processor(pid: u32) -> Result<f64> {
    let mut sum = 0.0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let spent: f64 = text.split(' ').next().unwrap_or_default().parse().context("no schedstat")?;
        sum += spent;
    }
    Ok(sum)
}

pub(super) const MIB: f64 = 1_048_576.0;
