//! What is told about the daemon itself.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use crate::model::Nanos;

/// Fixed at the start.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When it started.
    pub started_at: Nanos,
    /// Where it listens.
    pub socket: PathBuf,
    /// The data folder.
    pub data_dir: PathBuf,
    /// Configuration that was read.
    pub config_files: Vec<PathBuf>,
    /// The unit of systemd whose journal has the log.
    pub unit: Option<Unit>,
}

/// A unit of systemd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Such as `ktrdrd.service`.
    pub name: String,
    /// Of a user's manager, not the system's.
    pub of_user: bool,
}

/// So long the resident set is taken for what it was: to read it takes as long as the rest of an answer, and readers wait for each other.
const RESIDENT_MS: u64 = 100;

/// The resident set, a tenth of a second ago at most; 0 where the system does not tell.
pub fn resident_bytes() -> u64 {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    static READ_AT: AtomicU64 = AtomicU64::new(0);
    static BYTES: AtomicU64 = AtomicU64::new(0);
    // in milliseconds, and never 0, which is before the first
    let now = u64::try_from(BEGUN.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1);
    let read_at = READ_AT.load(Ordering::Acquire);
    if read_at == 0 || now.saturating_sub(read_at) > RESIDENT_MS {
        BYTES.store(read_resident_bytes(), Ordering::Relaxed);
        READ_AT.store(now, Ordering::Release);
    }
    BYTES.load(Ordering::Relaxed)
}

fn read_resident_bytes() -> u64 {
    // kept open: to open it takes ten times as long as to read it, and every `daemon status` does
    static STATM: LazyLock<Option<File>> = LazyLock::new(|| File::open("/proc/self/statm").ok());
    let mut text = [0; 128];
    let read = STATM.as_ref().and_then(|file| file.read_at(&mut text, 0).ok()).unwrap_or(0);
    let pages = std::str::from_utf8(&text[..read]).ok().and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

/// What the process holds and has taken; 0 where the system does not tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct Process {
    /// Its own and the kernel's.
    pub cpu_seconds: f64,
    /// Files and connections.
    pub open_files: u64,
    /// As many may be open.
    pub most_files: u64,
}

/// Of this process.
pub fn process() -> Process {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // after the name, which may hold anything: state is field 3, user and system time are 14 and 15 (proc(5))
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace()).into_iter().flatten();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "a hundred, as a rule")]
    let per_second = rustix::param::clock_ticks_per_second() as f64;
    Process { cpu_seconds: ticks / per_second, open_files: open as u64, most_files: most }
}

/// Free space, and all space, of the file system that a folder is on; bytes.
pub fn space(folder: &Path) -> (u64, u64) {
    rustix::fs::statvfs(folder).map_or((0, 0), |fs| (fs.f_bavail * fs.f_frsize, fs.f_blocks * fs.f_frsize))
}
