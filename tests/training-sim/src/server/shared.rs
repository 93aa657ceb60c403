//! What all connections share.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::api::Scene;
use crate::book::{Book, operation_status};
use crate::config::Config;
use crate::faults::Rules;
use crate::pace::Moment;
use crate::report::{Connections, Report, SessionRow};
use crate::stamps::Stamps;

/// Counts for the report.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) total: u64,
    pub(super) open: u64,
    pub(super) most_at_once: u64,
    pub(super) requests: BTreeMap<String, u64>,
    pub(super) faults: BTreeMap<String, u64>,
    pub(super) headers: BTreeMap<String, u64>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    origin: Instant,
    origin_time: Timestamp,
    book: Mutex<Book>,
    rules: Mutex<Rules>,
    tally: Mutex<Tally>,
    /// Until when the port only accepts.
    silent_until: Mutex<Instant>,
    /// Restarts so far; a change ends connections.
    lives: watch::Sender<u64>,
}

/// A poisoned lock is used as it is: each change of what is behind them is complete in itself.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(mut config: Config) -> Self {
        let invented = || format!("training-worker-{:08x}", fastrand::u32(..));
        config.worker_id = config.worker_id.or_else(|| Some(invented()));
        let origin = Instant::now();
        Self {
            book: Mutex::new(Book::new(&config)),
            rules: Mutex::new(Rules::new(config.rules.clone())),
            tally: Mutex::default(),
            silent_until: Mutex::new(origin),
            lives: watch::Sender::new(0),
            origin_time: Timestamp::now(),
            origin,
            config,
        }
    }

    pub(crate) fn now(&self) -> Moment {
        self.origin.elapsed()
    }

    pub(super) fn instant(&self, moment: Moment) -> Instant {
        self.origin + moment
    }

    pub(crate) fn with_rules<T>(&self, change: impl FnOnce(&mut Rules) -> T) -> T {
        change(&mut lock(&self.rules))
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut lock(&self.tally));
    }

    /// Lets something see and change the sessions at this moment.
    pub(crate) fn scene<T>(&self, skew: SignedDuration, play: impl FnOnce(&mut Scene) -> T) -> T {
        let stamps = Stamps::new(self.origin_time, skew, !self.config.generation.has_pipeline());
        let mut book = lock(&self.book);
        play(&mut Scene { book: &mut book, now: self.now(), stamps, config: &self.config })
    }

    pub(super) fn lives(&self) -> watch::Receiver<u64> {
        self.lives.subscribe()
    }

    pub(super) fn life(&self) -> u64 {
        *self.lives.borrow()
    }

    /// Ends and begins again: sessions are forgotten as the generation does, connections close, and for some time the
    /// port accepts and does nothing.
    pub(crate) fn restart(&self, silence: Duration) {
        *lock(&self.silent_until) = Instant::now() + silence;
        self.scene(SignedDuration::ZERO, |scene| scene.book.restart(scene.now));
        self.lives.send_modify(|lives| *lives += 1);
    }

    pub(super) async fn end_of_silence(&self) {
        let until = *lock(&self.silent_until);
        tokio::time::sleep_until(until).await;
    }

    pub(crate) fn report(&self) -> Report {
        let (starts, most_running, sessions) = self.scene(SignedDuration::ZERO, |scene| {
            let rows = scene.book.sessions.iter().map(|session| {
                let view = scene.book.view(session, scene.now);
                SessionRow {
                    id: session.id.clone(),
                    status: if session.in_memory { view.status.clone() } else { operation_status(session, &view) },
                    epoch: view.point.epoch,
                    started_times: scene.book.starts.get(&session.id).copied().unwrap_or(0),
                }
            });
            (scene.book.starts.clone(), scene.book.most_running, rows.collect())
        });
        let tally = lock(&self.tally);
        Report {
            connections: Connections { total: tally.total, most_at_once: tally.most_at_once },
            requests: tally.requests.clone(),
            starts,
            sessions,
            faults: tally.faults.clone(),
            request_headers: tally.headers.clone(),
            most_running,
        }
    }
}
