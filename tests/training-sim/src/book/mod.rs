//! The sessions of the service, and the rules for starting, stopping and forgetting them.

mod session;

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use session::{Cancelled, Forced, Session, View, is_terminal};

use crate::config::Config;
use crate::course::Course;
use crate::generation::Generation;
use crate::pace::{Moment, Pace};
use crate::plan::Plan;
use session::Halt;

/// A stop that takes longer is cut short by the service.
const LONGEST_STOP: Duration = Duration::from_secs(30);
/// A container worker keeps a checkpoint every so many epochs.
const CHECKPOINT_EVERY: u32 = 10;

/// Why a start was refused. The limit is looked at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Busy,
    /// The id is that of a session.
    Known,
    /// The id is in the database only.
    Stored,
}

/// Why a session was not stopped, deleted or cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    Unknown,
    /// With its status.
    NotNow(String),
}

#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) pace: Pace,
    pub(crate) sessions: Vec<Session>,
    /// Sessions really created, by id; restarts do not touch it.
    pub(crate) starts: BTreeMap<String, u64>,
    pub(crate) most_running: u64,
    generation: Generation,
    pub(crate) slots: Option<u64>,
    batches: u32,
    stop: Duration,
}

impl Book {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            pace: Pace::new(config.epoch_ms),
            sessions: Vec::new(),
            starts: BTreeMap::new(),
            most_running: 0,
            generation: config.generation,
            slots: config.slots(),
            batches: config.batches.max(1),
            stop: config.stop.min(LONGEST_STOP),
        }
    }

    /// Batches in progress reports. One more is really run, except in pipelines and when there is only one.
    pub(crate) fn batches_reported(&self) -> u32 {
        self.batches
    }

    fn batches_run(&self) -> u32 {
        let one_more = self.batches > 1 && !self.generation.has_pipeline();
        self.batches.saturating_add(u32::from(one_more))
    }

    /// A session the service knows.
    pub(crate) fn session(&self, id: &str) -> Option<&Session> {
        self.sessions.iter().find(|session| session.in_memory && session.id == id)
    }

    /// An operation, in memory or in the database. Asking for one brings it into memory.
    pub(crate) fn operation(&mut self, id: &str) -> Option<&Session> {
        let found = self.stored(id)?;
        found.seen = true;
        Some(found)
    }

    pub(crate) fn stored(&mut self, id: &str) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.id == id)
    }

    pub(crate) fn view(&self, session: &Session, now: Moment) -> View {
        session.view(&self.pace, now)
    }

    /// How many sessions train.
    pub(crate) fn running(&self, now: Moment) -> u64 {
        let live = self.sessions.iter().filter(|session| session.in_memory && self.view(session, now).live);
        u64::try_from(live.count()).unwrap_or(u64::MAX)
    }

    /// Creates a session, which trains at once. A container worker says the same to a duplicate, and does nothing.
    pub(crate) fn start(&mut self, id: &str, plan: Plan, now: Moment) -> Result<(), Refusal> {
        if self.slots.is_some_and(|slots| self.running(now) >= slots) {
            return Err(Refusal::Busy);
        }
        match self.sessions.iter().find(|session| session.id == id) {
            Some(session) if session.in_memory => return Err(Refusal::Known),
            Some(_) => return Err(Refusal::Stored),
            None => {}
        }
        let course = Course {
            epochs: plan.epochs,
            batches: self.batches_run(),
            first: 0,
            pipeline: self.generation.has_pipeline(),
            failing: plan.failing.as_ref().map(|failing| failing.0),
        };
        self.sessions.push(Session {
            id: id.to_owned(),
            plan,
            course,
            created: now,
            started: now,
            started_work: self.pace.work_at(now),
            halt: None,
            cancelled: None,
            lost: None,
            in_memory: true,
            seen: true,
            forced: Forced::default(),
        });
        *self.starts.entry(id.to_owned()).or_default() += 1;
        self.most_running = self.most_running.max(self.running(now));
        Ok(())
    }

    /// Asks a session to stop. The moment at which it will have.
    pub(crate) fn stop(&mut self, id: &str, now: Moment) -> Result<Moment, Denial> {
        let view = self.session(id).map(|session| self.view(session, now)).ok_or(Denial::Unknown)?;
        if view.status != "running" {
            return Err(Denial::NotNow(view.status));
        }
        let due = now.saturating_add(self.stop);
        let pace = self.pace.clone();
        let session = self.stored(id).ok_or(Denial::Unknown)?;
        session.forced.status = None;
        // The second of two stops waits for the first one.
        let halt = session.halt.unwrap_or(Halt { due, word: "stopped" });
        session.halt = Some(halt);
        Ok(session.end(&pace))
    }

    /// Forgets a session that does not run; its row stays.
    pub(crate) fn delete(&mut self, id: &str, now: Moment) -> Result<(), Denial> {
        let view = self.session(id).map(|session| self.view(session, now)).ok_or(Denial::Unknown)?;
        if view.live {
            return Err(Denial::NotNow(view.status));
        }
        self.forget(id);
        Ok(())
    }

    fn forget(&mut self, id: &str) {
        if self.generation.has_database() {
            self.stored(id).into_iter().for_each(|session| session.in_memory = false);
        } else {
            self.vanish(id);
        }
    }

    /// As if it had never been.
    pub(crate) fn vanish(&mut self, id: &str) {
        self.sessions.retain(|session| session.id != id);
    }

    /// Cancels an operation. Only a container worker then stops to train.
    pub(crate) fn cancel(&mut self, id: &str, reason: Option<String>, now: Moment) -> Result<Cancelled, Denial> {
        let stops = self.generation == Generation::Worker;
        let pace = self.pace.clone();
        let session = self.stored(id).ok_or(Denial::Unknown)?;
        let status = operation_status(session, &session.view(&pace, now));
        if is_terminal(&status) {
            return Err(Denial::NotNow(status));
        }
        let cancelled = Cancelled { at: now, reason };
        session.cancelled = Some(cancelled.clone());
        session.halt = stops.then_some(Halt { due: now, word: "cancelled" }).or(session.halt);
        Ok(cancelled)
    }

    /// The last epoch of the checkpoint a container worker has of an operation that is over or lost.
    pub(crate) fn checkpoint(&self, id: &str, now: Moment) -> Option<u32> {
        let session = self.sessions.iter().find(|session| session.id == id)?;
        let view = self.view(session, now);
        let done = view.point.epochs_done();
        match view.status.as_str() {
            "cancelled" | "failed" => done.checked_sub(1),
            _ if session.lost.is_some() => (done / CHECKPOINT_EVERY * CHECKPOINT_EVERY).checked_sub(1),
            _ => None,
        }
    }

    /// Goes on after a checkpoint. The epoch of that.
    pub(crate) fn resume(&mut self, id: &str, now: Moment) -> Option<u32> {
        let epoch = self.checkpoint(id, now)?;
        let work = self.pace.work_at(now);
        let session = self.stored(id)?;
        session.course.first = epoch + 1;
        session.course.failing = None;
        session.started = now;
        session.started_work = work;
        session.halt = None;
        session.lost = None;
        session.in_memory = true;
        session.forced = Forced::default();
        self.most_running = self.most_running.max(self.running(now));
        Some(epoch)
    }

    /// The service ends and begins again: only rows in a database remain.
    pub(crate) fn restart(&mut self, now: Moment) {
        if !self.generation.has_database() {
            return self.sessions.clear();
        }
        let pace = self.pace.clone();
        for session in &mut self.sessions {
            let ran = session.in_memory && session.view(&pace, now).live;
            session.lost = session.lost.or(ran.then_some(now));
            session.in_memory = false;
            session.seen = false;
        }
    }
}

/// The status of the operation behind a session.
pub(crate) fn operation_status(session: &Session, view: &View) -> String {
    let resumed = |cancelled: &Cancelled| session.started > cancelled.at;
    match &session.cancelled {
        Some(cancelled) if !resumed(cancelled) && (view.live || session.lost.is_some()) => "cancelled".to_owned(),
        _ if session.lost.is_some() => "pending".to_owned(),
        _ if view.status == "stopped" => "cancelled".to_owned(),
        _ => view.status.clone(),
    }
}
