//! Slots of hosts: who waits, who has one. The decisions are `queue.rs`'s.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{
    host::Host,
    queue::{self, Place, Shares, Waiting},
};
use crate::host_service::Health;

/// How long a host that said it is busy is not asked again: somebody else's session runs there.
const BUSY: Duration = Duration::from_secs(5);

/// A handle; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Dispatch(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    hosts: Vec<Arc<Host>>,
    state: Mutex<State>,
    moved: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    turns: BTreeMap<String, watch::Sender<Turn>>,
    /// Slots taken, by host.
    taken: BTreeMap<String, usize>,
    shares: Shares,
    busy_until: BTreeMap<String, Instant>,
}

/// Where somebody who waits stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Turn {
    /// 1 is the next.
    Position(u32),
    /// Of that host.
    Slot(String),
}

/// A slot of a host; given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    dispatch: Dispatch,
    pub(super) host: Arc<Host>,
    strategy: String,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.dispatch.state();
        take_one(&mut state.taken, &self.host.name);
        state.shares.release(&self.strategy);
        self.dispatch.serve(&mut state);
    }
}

fn take_one(counts: &mut BTreeMap<String, usize>, key: &str) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// Who waits; leaves the queue when dropped.
#[derive(Debug)]
pub(super) struct Queued {
    dispatch: Dispatch,
    waiting: Waiting,
    turn: watch::Receiver<Turn>,
    /// Its slot is somebody's.
    served: bool,
}

impl Queued {
    /// Tells every change of the position, and gives the slot.
    pub(super) async fn slot(mut self, mut position: impl FnMut(u32)) -> Option<Slot> {
        loop {
            let turn = self.turn.borrow_and_update().clone();
            match turn {
                Turn::Slot(name) => {
                    let host = self.dispatch.0.hosts.iter().find(|host| host.name == name)?.clone();
                    self.served = true;
                    return Some(Slot {
                        dispatch: self.dispatch.clone(),
                        host,
                        strategy: self.waiting.strategy.clone(),
                    });
                }
                Turn::Position(place) => position(place),
            }
            self.turn.changed().await.ok()?;
        }
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        let mut state = self.dispatch.state();
        state.waiting.retain(|one| one.id != self.waiting.id);
        let turn = state.turns.remove(&self.waiting.id).map(|turn| turn.borrow().clone());
        // a slot that was given and never taken
        if let (false, Some(Turn::Slot(host))) = (self.served, turn) {
            take_one(&mut state.taken, &host);
            state.shares.release(&self.waiting.strategy);
        }
        self.dispatch.serve(&mut state);
    }
}

impl Dispatch {
    pub(super) fn new(hosts: Vec<Arc<Host>>) -> Self {
        Self(Arc::new(Inner { hosts, state: Mutex::default(), moved: Notify::new() }))
    }

    /// Gets in line.
    pub(super) fn enter(&self, waiting: Waiting) -> Queued {
        let mut state = self.state();
        let (sender, turn) = watch::channel(Turn::Position(0));
        state.turns.insert(waiting.id.clone(), sender);
        state.waiting.push(waiting.clone());
        self.serve(&mut state);
        drop(state);
        self.0.moved.notify_one();
        Queued { dispatch: self.clone(), waiting, turn, served: false }
    }

    /// A session that runs already takes its slot, also one too many: it is a fact.
    pub(super) fn occupy(&self, host: &Arc<Host>, strategy: &str) -> Slot {
        let mut state = self.state();
        *state.taken.entry(host.name.clone()).or_default() += 1;
        state.shares.serve(strategy);
        Slot { dispatch: self.clone(), host: host.clone(), strategy: strategy.to_owned() }
    }

    /// The host has no room, whatever we counted.
    pub(super) fn is_busy(&self, host: &str, retry_after: Option<Duration>) {
        let until = Instant::now() + retry_after.unwrap_or(BUSY).clamp(Duration::from_secs(1), Duration::from_mins(1));
        self.state().busy_until.insert(host.to_owned(), until);
        self.0.moved.notify_one();
    }

    /// Slots that are free, by host.
    pub(super) fn free(&self, host: &Host) -> usize {
        host.slots.saturating_sub(self.state().taken.get(&host.name).copied().unwrap_or(0))
    }

    /// Looks again while somebody waits: hosts come back, and others end their sessions; until `stop`.
    pub(super) async fn keep_moving(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if self.state().waiting.is_empty() {
                stop.run_until_cancelled(self.0.moved.notified()).await;
                continue;
            }
            let pause = self.next_look();
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
            for host in self.0.hosts.iter().filter(|host| !host.service.is_usable()) {
                // its health says what came of it
                drop(host.asked_anew_if_away().await);
            }
            let mut state = self.state();
            state.busy_until.retain(|_, until| *until > Instant::now());
            self.serve(&mut state);
        }
    }

    fn next_look(&self) -> Duration {
        let next = self.state().busy_until.values().map(|until| until.saturating_duration_since(Instant::now())).min();
        next.unwrap_or(BUSY).clamp(Duration::from_millis(100), BUSY)
    }

    /// Gives what is free to whose turn it is, and tells the others where they stand.
    fn serve(&self, state: &mut State) {
        while let Some((id, host)) = queue::next(&state.waiting, &self.places(state), &state.shares) {
            let Some(at) = state.waiting.iter().position(|one| one.id == id) else { break };
            let one = state.waiting.swap_remove(at);
            *state.taken.entry(host.clone()).or_default() += 1;
            state.shares.serve(&one.strategy);
            if let Some(turn) = state.turns.get(&id) {
                turn.send_replace(Turn::Slot(host));
            }
        }
        for (place, one) in (1..).zip(queue::order(&state.waiting, &state.shares)) {
            if let Some(turn) = state.turns.get(&one.id) {
                turn.send_if_modified(|turn| std::mem::replace(turn, Turn::Position(place)) != Turn::Position(place));
            }
        }
    }

    fn places(&self, state: &State) -> Vec<Place> {
        let now = Instant::now();
        let place = |host: &Arc<Host>| Place {
            name: host.name.clone(),
            labels: host.labels.clone(),
            slots: host.slots,
            taken: state.taken.get(&host.name).copied().unwrap_or(0),
            slow: host.service.health() == Health::Slow,
            usable: host.service.is_usable() && state.busy_until.get(&host.name).is_none_or(|until| *until <= now),
        };
        self.0.hosts.iter().map(place).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
