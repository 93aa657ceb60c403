//! Many clients at once, and bad ones: those that say nothing, read slowly, talk nonsense or never end. Whatever they do, others
//! are served, the daemon's memory stays bounded, and it comes to rest when they are gone.

mod bystander;
mod clients;
mod hostile;
mod silent;
mod slow;
mod uploads;

use std::{
    fmt::Write as _,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    time::Duration,
};

use anyhow::Result;
use ktrdr_proto::v1::{QueryRequest, SeriesId, Timeframe};
use tonic::Status;
use tonic_types::StatusExt as _;

use super::{
    Outcome,
    vitals::{self, Vitals},
};
use crate::{daemon::TestDaemon, home::Home, wait};
use bystander::{Bystander, OTHER_USER};

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Well-behaved clients at once, and the calls of each.
    pub clients: usize,
    /// See `clients`.
    pub calls: usize,
    /// Connections that say nothing.
    pub silent: usize,
    /// Clients that read a byte a second.
    pub slow: usize,
    /// For so long.
    pub slow_for: Duration,
    /// Of each bad client.
    pub copies: usize,
    /// What bad clients repeat, so often.
    pub times: u32,
    /// Uploads that do not end, each of so many MiB.
    pub uploads: usize,
    /// See `uploads`.
    pub upload_mib: usize,
    /// Bars that are stored.
    pub bars: usize,
    /// Each bad client by itself, for a figure of each.
    pub apart: bool,
}

impl Size {
    /// As the promise has it.
    pub const WHOLE: Self = Self {
        clients: 1_000,
        calls: 20,
        silent: 10_000,
        slow: 100,
        slow_for: Duration::from_secs(30),
        copies: 20,
        times: 2_000,
        uploads: 24,
        upload_mib: 64,
        bars: 1_000_000,
        apart: true,
    };
    /// For a test.
    pub const SMALL: Self = Self {
        clients: 100,
        calls: 10,
        silent: 500,
        slow: 10,
        slow_for: Duration::from_secs(3),
        copies: 2,
        times: 200,
        uploads: 2,
        upload_mib: 4,
        bars: 200_000,
        apart: false,
    };
}

/// Memory that a daemon may take for any of it, beside what it has at rest: a quarter of what its unit allows.
const GROWTH_MAX: u64 = 1 << 30;
/// What the daemon takes of all uploads together.
const UPLOADS_MIB_MAX: usize = 256;
/// Between two looks at what is open.
const LOOK: Duration = Duration::from_millis(100);

/// The daemon that is besieged.
struct Besieged {
    socket: PathBuf,
    pid: u32,
    /// At rest, with nobody connected.
    descriptors: u64,
}

/// What all bars are asked with.
fn all_bars() -> QueryRequest {
    let series = SeriesId { symbol: SYMBOL.to_owned(), timeframe: Timeframe::Minutes1.into() };
    QueryRequest { series: Some(series), ..QueryRequest::default() }
}

/// Why a call was refused; empty when it is not the daemon that says so.
fn reason_of(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

const SYMBOL: &str = "MILL";

/// Minute after minute; neighbouring prices differ.
fn minutes(count: usize) -> Result<String> {
    let mut text = String::with_capacity(count * 64);
    text.push_str("timestamp,open,high,low,close,volume\n");
    let first = "2022-01-01T00:00:00Z".parse::<jiff::Timestamp>()?;
    for number in 0..count {
        let at = first + jiff::SignedDuration::from_mins(i64::try_from(number)?);
        let cents = 10_000 + (number * 7_919) % 10_007;
        let (whole, rest) = (cents / 100, cents % 100);
        writeln!(text, "{at},{whole}.{rest:02},{whole}.99,{whole}.0,{whole}.5,{}", number % 9_973)?;
    }
    Ok(text)
}

/// Runs all of it; `tell` hears what comes.
pub fn run(size: Size, tell: impl FnMut(&str)) -> Result<Outcome> {
    let allowed = vitals::raise_descriptors();
    let mut daemon = TestDaemon::start_in(home_for_all()?)?;
    let_all_in(&daemon)?;
    daemon.file(&format!("{SYMBOL}_1m.csv"), minutes(size.bars)?)?;
    daemon.ktrdr(&format!("data import {SYMBOL}_1m.csv"))?.ok()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let pid = daemon.process().id();
    let besieged = Besieged { socket: daemon.socket(), pid, descriptors: Vitals::of(pid)?.descriptors };
    let mut outcome = Outcome::new("Many clients, and bad ones", "cargo siege crowd");
    runtime.block_on(besieged.run(size, allowed, &mut outcome, tell))?;
    drop(runtime);
    let status = daemon.status()?;
    outcome.bytes("memory_at_the_end", "Memory at the end", status.memory_bytes);
    let log = fs::read_to_string(daemon.daemon_log())?;
    let panics: Vec<String> = log.lines().filter(|line| line.contains("panicked")).map(str::to_owned).collect();
    outcome.none("panics", "Panics", &panics);
    daemon.terminate()?;
    Ok(outcome)
}

/// A home whose daemon serves the bystander, too.
fn home_for_all() -> Result<Home> {
    let home = Home::new()?.quiet();
    let folder = home.path().join("config/ktrdr");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("config.toml"), format!("[access]\nread = [\"{OTHER_USER}\"]\n"))?;
    Ok(home)
}

fn let_all_in(home: &Home) -> Result<()> {
    for folder in [home.path(), &home.path().join("run"), &home.path().join("run/ktrdr")] {
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    }
    Ok(fs::set_permissions(home.socket(), Permissions::from_mode(0o666))?)
}

impl Besieged {
    async fn run(&self, size: Size, allowed: u64, outcome: &mut Outcome, mut tell: impl FnMut(&str)) -> Result<()> {
        outcome.bytes("memory_at_rest", "Memory at rest", Vitals::of(self.pid)?.resident);
        tell("many clients");
        let name = format!("{} clients at once, {} calls each", size.clients, size.calls);
        let met = self.under(outcome, "clients", &name, clients::run(&self.socket, size.clients, size.calls)).await?;
        outcome.times("clients_times", "each call", &met.times);
        outcome.number("clients_calls", "calls answered", met.times.len() as u64);
        outcome.none("clients_errors", "calls not answered", &met.errors);

        tell("silent connections");
        // some are needed for others
        let silent = size.silent.min(usize::try_from(allowed.saturating_sub(500))?);
        let name = format!("{silent} connections that say nothing");
        let left = self.under(outcome, "silent", &name, silent::run(&self.socket, silent)).await?;
        outcome.time("silent_opened_in", "all opened in", left.opened);
        outcome.time("silent_closed_in", "the last one closed by the daemon after", left.closed);
        outcome.none("silent_left_open", "never closed by the daemon", &left.open);

        tell("slow readers");
        let name = format!("{} clients that read a byte a second", size.slow);
        let slow = slow::run(&self.socket, size.slow, size.slow_for);
        let errors = self.under(outcome, "slow", &name, slow).await?;
        outcome.none("slow_errors", "not served at all", &errors);

        tell("uploads without an end");
        let name = format!("{} uploads without an end, {} MiB each", size.uploads, size.upload_mib);
        let uploads = uploads::run(&self.socket, size.uploads, size.upload_mib);
        let taken = self.within(outcome, ("uploads", &name), GROWTH_MAX, uploads).await?;
        outcome.bytes("uploads_taken", "taken", taken.bytes);
        outcome.number("uploads_refused", "refused: TOO_MANY_UPLOADS", taken.refused);
        outcome.must(taken.refused > 0 || size.uploads * size.upload_mib <= UPLOADS_MIB_MAX, || {
            format!("{} MiB of uploads, and none was refused", taken.bytes >> 20)
        });
        outcome.none("uploads_errors", "refused otherwise", &taken.errors);

        let acts = hostile::acts();
        if size.apart {
            for (number, act) in acts.iter().enumerate() {
                tell(act.name);
                let name = format!("{} × {}", size.copies, act.name);
                let key = format!("hostile_{number}");
                let bad = hostile::run(&self.socket, std::slice::from_ref(act), size.copies, size.times);
                let ended = self.under(outcome, &key, &name, bad).await?;
                outcome.number(&format!("{key}_ended"), "ended by the daemon", ended);
            }
        } else {
            tell("bad clients");
            let name = format!("{} × {} kinds of bad clients", size.copies, acts.len());
            let bad = hostile::run(&self.socket, &acts, size.copies, size.times);
            let ended = self.under(outcome, "hostile", &name, bad).await?;
            outcome.number("hostile_ended", "ended by the daemon", ended);
        }
        Ok(())
    }

    /// Lets something happen, while somebody else wants to be served; then looks what it cost, and that it is over.
    async fn under<T>(
        &self,
        outcome: &mut Outcome,
        key: &str,
        name: &str,
        attack: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.within(outcome, (key, name), GROWTH_MAX, attack).await
    }

    async fn within<T>(
        &self,
        outcome: &mut Outcome,
        (key, name): (&str, &str),
        growth_max: u64,
        attack: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let key = |of: &str| format!("{key}_{of}");
        vitals::forget_peak(self.pid)?;
        let before = Vitals::of(self.pid)?;
        let bystander = Bystander::begin(self.socket.clone());
        let (attacked, descriptors) = self.looked_at(attack).await?;
        let met = bystander.end()?;
        let growth = vitals::peak(self.pid)?.saturating_sub(before.resident);
        let rest = vitals::rests(self.pid).await?;
        wait::until_true("the descriptors to be given back", wait::LIMIT, || {
            Ok(Vitals::of(self.pid)?.descriptors <= self.descriptors + 1)
        })?;
        let after = Vitals::of(self.pid)?;
        outcome.part(name);
        outcome.times(&key("others"), "calls of others meanwhile", &met.times);
        outcome.none(&key("others_errors"), "calls of others that failed", &met.errors);
        if met.refused > 0 {
            outcome.number(&key("others_refused"), "refused: the crowd is the same user", met.refused);
        }
        outcome.bytes(&key("growth"), "memory, at most beside that before", growth);
        outcome.must(growth <= growth_max, || format!("{name}: the daemon grew by {growth} bytes"));
        outcome.bytes(&key("left"), "memory, left afterwards", after.resident.saturating_sub(before.resident));
        outcome.number(&key("descriptors"), "descriptors, at most", descriptors);
        match rest {
            Some(time) => outcome.time(&key("rest"), "at rest after", time),
            None => outcome.must(false, || format!("{name}: the daemon does not come to rest")),
        }
        attacked
    }

    /// What came of it, and the most that was open meanwhile.
    async fn looked_at<T>(&self, attack: impl Future<Output = T>) -> Result<(T, u64)> {
        let (mut attack, mut most) = (std::pin::pin!(attack), 0);
        loop {
            tokio::select! {
                attacked = &mut attack => return Ok((attacked, most)),
                () = tokio::time::sleep(LOOK) => most = most.max(Vitals::of(self.pid)?.descriptors),
            }
        }
    }
}
