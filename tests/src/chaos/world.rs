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

use super::{
    Glance,
    market::{Market, Piece},
    watchers::Told,
};

/// Shared by all clients.
#[derive(Debug)]
pub(super) struct World {
    pub(super) socket: PathBuf,
    pub(super) market: Market,
    pub(super) seed: u64,
    /// Live bars.
    pub(super) told: Told,
    work: Mutex<VecDeque<Piece>>,
    total: usize,
    tally: Mutex<Tally>,
    /// Deaths and births of the daemon; odd while it is dead.
    daemon: AtomicU64,
    over: AtomicBool,
}

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Loads that were acknowledged as complete.
    pub(super) done: Vec<Piece>,
    pub(super) calls: u64,
    /// Errors by reason.
    pub(super) errors: BTreeMap<String, u64>,
    /// What no client should ever see.
    pub(super) surprises: Vec<String>,
    /// What was asked and never ended.
    pub(super) without_end: Vec<String>,
    pub(super) cancelled: u64,
    pub(super) retried: u64,
    /// When the daemon was killed, nanoseconds since the epoch.
    pub(super) killed: Vec<i64>,
    /// The connection's states as they were told: since when (nanoseconds since the epoch), and which.
    pub(super) states: Vec<(i64, i32)>,
}

impl World {
    pub(super) fn new(socket: PathBuf, market: Market, seed: u64) -> Self {
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
    pub(super) fn take(&self) -> Option<Piece> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(super) fn put_back(&self, piece: Piece) {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).push_back(piece);
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All work is done: nothing is under way either.
    pub(super) fn is_done(&self) -> bool {
        self.tally().done.len() == self.total
    }

    pub(super) fn pieces(&self) -> usize {
        self.total
    }

    /// The daemon is killed.
    pub(super) fn daemon_dies(&self) {
        let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
        self.tally().killed.push(now);
        self.daemon_changes();
    }

    /// The daemon is killed or back. Equal numbers before and after a call: it lived all the time.
    pub(super) fn daemon_changes(&self) {
        self.daemon.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn daemon_number(&self) -> u64 {
        self.daemon.load(Ordering::SeqCst)
    }

    pub(super) fn kills(&self) -> u64 {
        self.daemon_number().div_ceil(2)
    }

    pub(super) fn finish(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    pub(super) fn glance(&self, faults: u64) -> Glance {
        Glance { done: self.tally().done.len(), total: self.total, faults, kills: self.kills() }
    }
}
