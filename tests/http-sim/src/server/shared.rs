//! What all connections share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::faults::Rules;
use crate::report::Tally;
use crate::service::Service;
use crate::simulator::Frame;

/// A service, and what is known of its requests.
#[derive(Debug)]
pub struct Shared<S> {
    pub service: S,
    pub(super) keep_alive: Duration,
    rules: Mutex<Rules>,
    tally: Mutex<Tally>,
    /// Until when the port only accepts.
    silent_until: Mutex<Instant>,
    /// Restarts so far; a change ends connections.
    lives: watch::Sender<u64>,
}

/// A request that weighs something, in work.
#[derive(Debug)]
pub(super) struct Open<S: Service>(Arc<Shared<S>>);

impl<S: Service> Drop for Open<S> {
    fn drop(&mut self) {
        self.0.count(|tally| tally.open_now = tally.open_now.saturating_sub(1));
    }
}

/// A poisoned lock is used as it is: each change of what is behind them is complete in itself.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: Service> Shared<S> {
    pub(crate) fn new(service: S, frame: Frame) -> Self {
        Self {
            service,
            keep_alive: frame.keep_alive,
            rules: Mutex::new(Rules::new(frame.rules)),
            tally: Mutex::default(),
            silent_until: Mutex::new(Instant::now()),
            lives: watch::Sender::new(0),
        }
    }

    pub(crate) fn with_rules<T>(&self, change: impl FnOnce(&mut Rules) -> T) -> T {
        change(&mut lock(&self.rules))
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut lock(&self.tally));
    }

    /// Counts a request until the end of what it returns.
    pub(super) fn open(self: &Arc<Self>) -> Open<S> {
        self.count(|tally| {
            tally.open_now += 1;
            tally.most_open = tally.most_open.max(tally.open_now);
        });
        Open(Arc::clone(self))
    }

    pub(super) fn lives(&self) -> watch::Receiver<u64> {
        self.lives.subscribe()
    }

    pub(super) fn life(&self) -> u64 {
        *self.lives.borrow()
    }

    /// Ends and begins again: the service forgets what it does, connections close, and for some time the port accepts
    /// and does nothing.
    pub fn restart(&self, silence: Duration) {
        *lock(&self.silent_until) = Instant::now() + silence;
        self.service.restarted();
        self.lives.send_modify(|lives| *lives += 1);
    }

    pub(super) async fn end_of_silence(&self) {
        let until = *lock(&self.silent_until);
        tokio::time::sleep_until(until).await;
    }

    pub(crate) fn report(&self) -> S::Report {
        self.service.report(&lock(&self.tally))
    }
}
