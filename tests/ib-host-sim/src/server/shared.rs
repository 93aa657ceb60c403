//! What all connections share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ktrdr_gateway_sim::Feed;

use crate::config::Config;
use crate::faults::Rules;
use crate::report::{Connections, Report};

/// Counts for the report.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) total: u64,
    pub(super) open: u64,
    pub(super) most_at_once: u64,
    pub(super) requests: BTreeMap<String, u64>,
    pub(super) faults: BTreeMap<String, u64>,
    /// Requests for data in work.
    data_open: u64,
    most_open: u64,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) feed: Feed,
    gateway_down: AtomicBool,
    rules: Mutex<Rules>,
    tally: Mutex<Tally>,
}

/// A request for data in work.
#[derive(Debug)]
pub(super) struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.count(|tally| tally.data_open = tally.data_open.saturating_sub(1));
    }
}

/// A poisoned lock is used as it is: each change of what is behind them is complete in itself.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(config: Config, feed: Feed) -> Self {
        Self {
            gateway_down: AtomicBool::new(config.gateway_down),
            rules: Mutex::new(Rules::new(config.rules.clone())),
            tally: Mutex::default(),
            feed,
            config,
        }
    }

    pub(crate) fn gateway_is_down(&self) -> bool {
        self.gateway_down.load(Ordering::SeqCst)
    }

    pub(crate) fn set_gateway_down(&self, down: bool) {
        self.gateway_down.store(down, Ordering::SeqCst);
    }

    pub(crate) fn with_rules<T>(&self, change: impl FnOnce(&mut Rules) -> T) -> T {
        change(&mut lock(&self.rules))
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut lock(&self.tally));
    }

    /// Counts a request for data until the end of what it returns.
    pub(super) fn open(self: &Arc<Self>) -> Open {
        self.count(|tally| {
            tally.data_open += 1;
            tally.most_open = tally.most_open.max(tally.data_open);
        });
        Open(Arc::clone(self))
    }

    pub(crate) fn report(&self) -> Report {
        let tally = lock(&self.tally);
        Report {
            connections: Connections { total: tally.total, most_at_once: tally.most_at_once },
            requests: tally.requests.clone(),
            faults: tally.faults.clone(),
            most_open: tally.most_open,
        }
    }
}
