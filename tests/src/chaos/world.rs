//! What all clients share: the work that is left, what became of it, and what went wrong.

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use fastrand::Rng;
use ktrdr_proto::v1::OperationState;

use super::{
    Glance,
    market::{Market, Piece},
    watchers::Told,
};

/// Shared by all clients.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) socket: PathBuf,
    pub(crate) market: Market,
    pub(crate) seed: u64,
    /// Live bars.
    pub(crate) told: Told,
    work: Mutex<VecDeque<Piece>>,
    total: usize,
    tally: Mutex<Tally>,
    /// Deaths and births of the daemon; odd while it is dead.
    daemon: AtomicU64,
    over: AtomicBool,
}

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Loads that were acknowledged as complete.
    pub(crate) done: Vec<Piece>,
    /// Operations that were acknowledged, and the end that was told of them.
    pub(crate) operations: BTreeMap<String, Option<OperationState>>,
    pub(crate) calls: u64,
    /// Errors by reason.
    pub(crate) errors: BTreeMap<String, u64>,
    /// What no client should ever see.
    pub(crate) surprises: Vec<String>,
    /// What was asked and never ended.
    pub(crate) without_end: Vec<String>,
    pub(crate) cancelled: u64,
    pub(crate) retried: u64,
    /// When the daemon was killed, nanoseconds since the epoch.
    pub(crate) killed: Vec<i64>,
    /// The connection's states as they were told: since when (nanoseconds since the epoch), and which.
    pub(crate) states: Vec<(i64, i32)>,
}

impl World {
    pub(crate) fn new(socket: PathBuf, market: Market, seed: u64) -> Self {
        let work: VecDeque<Piece> = market.pieces(&mut Rng::with_seed(seed ^ 1)).into();
        let total = work.len();
        Self {
            socket,
            market,
            seed,
            told: Told::default(),
            work: Mutex::new(work),
            total,
            tally: Mutex::default(),
            daemon: AtomicU64::new(0),
            over: AtomicBool::new(false),
        }
    }

    /// The next piece of work; the same one comes again when it is put back.
    pub(crate) fn take(&self) -> Option<Piece> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(crate) fn put_back(&self, piece: Piece) {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).push_back(piece);
    }

    /// The daemon has acknowledged an operation, and may have told its end.
    pub(crate) fn acknowledged(&self, id: &str, end: Option<OperationState>) {
        let mut tally = self.tally();
        let known = tally.operations.entry(id.to_owned()).or_default();
        *known = end.or(*known);
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All work is done: nothing is under way either.
    pub(crate) fn is_done(&self) -> bool {
        self.tally().done.len() == self.total
    }

    pub(crate) fn pieces(&self) -> usize {
        self.total
    }

    /// The daemon is killed.
    pub(crate) fn daemon_dies(&self) {
        self.daemon_dies_at_birth();
        self.daemon_changes();
    }

    /// One is killed that nobody has known yet.
    pub(crate) fn daemon_dies_at_birth(&self) {
        let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
        self.tally().killed.push(now);
    }

    /// The daemon is killed or back. Equal numbers before and after a call: it lived all the time.
    pub(crate) fn daemon_changes(&self) {
        self.daemon.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn daemon_number(&self) -> u64 {
        self.daemon.load(Ordering::SeqCst)
    }

    pub(crate) fn kills(&self) -> u64 {
        self.daemon_number().div_ceil(2)
    }

    pub(crate) fn finish(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    pub(crate) fn glance(&self, faults: u64) -> Glance {
        Glance { done: self.tally().done.len(), total: self.total, faults, kills: self.kills() }
    }
}
