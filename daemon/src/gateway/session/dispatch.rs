//! Which waiting request leaves next, and when.

use std::time::{Duration, Instant};

use super::{FAR, Moment, Progress, Session};
use crate::gateway::{
    GatewayError,
    command::{Command, Kind},
    machine::Phase,
    outages::Gate,
    pacing::Footprint,
};

/// Historical requests open at once. IB allows 50; answers get slower long before, and a lost connection loses them all.
const HISTORY_OPEN_MAX: usize = 3;
/// Lookups of contracts and head timestamps open at once.
const LOOKUPS_OPEN_MAX: usize = 2;
/// After about fifty of these, answers stop until the next session.
const HEADS_MAX: u32 = 30;
/// Subscriptions open at once: they count among IB's 50 open requests, and some are left for history.
const STREAMS_MAX: usize = 40;
/// A second question for the gateway's clock within a second is never answered.
const CLOCK_SPACING: Duration = Duration::from_secs(2);

/// What is open at the gateway.
#[derive(Debug)]
pub(super) struct Open {
    history: usize,
    lookups: usize,
    streams: usize,
    clock: bool,
    /// Head timestamps asked for in this session.
    heads: u32,
    history_max: usize,
    last_clock: Option<Instant>,
}

impl Default for Open {
    fn default() -> Self {
        Self {
            history: 0,
            lookups: 0,
            streams: 0,
            clock: false,
            heads: 0,
            history_max: HISTORY_OPEN_MAX,
            last_clock: None,
        }
    }
}

impl Open {
    pub(super) fn new_session(&mut self) {
        // making it ready took a question for the clock
        *self = Self { last_clock: Some(Instant::now()), ..Self::default() };
    }

    pub(super) fn clear(&mut self) {
        (self.history, self.lookups, self.streams, self.clock) = (0, 0, 0, false);
    }

    /// IB says that too many are open: other programs have the rest.
    pub(super) fn one_at_a_time(&mut self) {
        self.history_max = 1;
    }

    fn begins(&mut self, kind: Kind, now: Instant) {
        match kind {
            Kind::Bars => self.history += 1,
            Kind::Contract => self.lookups += 1,
            Kind::Head => (self.lookups, self.heads) = (self.lookups + 1, self.heads + 1),
            Kind::Clock => (self.clock, self.last_clock) = (true, Some(now)),
            Kind::Live => self.streams += 1,
        }
    }

    pub(super) fn ends(&mut self, kind: Kind) {
        match kind {
            Kind::Bars => self.history = self.history.saturating_sub(1),
            Kind::Contract | Kind::Head => self.lookups = self.lookups.saturating_sub(1),
            Kind::Clock => self.clock = false,
            Kind::Live => self.streams = self.streams.saturating_sub(1),
        }
    }

    /// The first moment at which one more of `kind` may be open; `None`: when another one has ended.
    fn room(&self, kind: Kind, now: Instant, spacing: Duration) -> Option<Instant> {
        match kind {
            Kind::Bars if self.history >= self.history_max => None,
            Kind::Contract | Kind::Head if self.lookups >= LOOKUPS_OPEN_MAX => None,
            Kind::Clock if self.clock => None,
            Kind::Clock => Some(self.last_clock.map_or(now, |last| last + spacing)),
            _ => Some(now),
        }
    }
}

impl Session {
    /// Sends what may be sent; returns when to look again.
    pub(super) fn dispatch(&mut self, now: Moment) -> Instant {
        self.queue.retain(|command| !command.is_withdrawn());
        let mut timer = now.instant + FAR;
        if self.link.is_some() {
            while let Some(at) = self.next_departure(now, &mut timer) {
                self.leave(at, now);
            }
            timer = timer.min(self.pulse.due(&self.config));
        }
        let machine = self.machine.wakes_at(now);
        machine.map_or(timer, |at| at.min(timer))
    }

    /// The waiting request that leaves now. Otherwise `timer` is brought forward to when one may.
    fn next_departure(&self, now: Moment, timer: &mut Instant) -> Option<usize> {
        for at in self.queue.in_turn() {
            let Some(waiting) = self.queue.get(at) else { continue };
            match self.departure(&waiting.request, now) {
                Some(departure) if departure <= now.instant => return Some(at),
                Some(departure) => *timer = (*timer).min(departure),
                None => {}
            }
        }
        None
    }

    /// The first moment a request may leave; `None`: when something else has happened.
    fn departure(&self, command: &Command, now: Moment) -> Option<Instant> {
        let Phase::Serving(outages) = &self.machine.phase else { return None };
        let kind = command.kind();
        let gate = match outages.gate(kind, now.instant, |duration| self.config.scaled(duration)) {
            Gate::Open => now.instant,
            Gate::Until(until) => until,
            Gate::Shut => return None,
        };
        if matches!(kind, Kind::Bars | Kind::Live) && self.machine.is_winding_down(now) {
            return None;
        }
        let room = self.open.room(kind, now.instant, self.config.scaled(CLOCK_SPACING).max(CLOCK_SPACING / 8))?;
        let paced = command.footprint().map(|footprint| self.pacer.earliest(&footprint, now.instant));
        Some(gate.max(room).max(paced.unwrap_or(now.instant)))
    }

    fn leave(&mut self, at: usize, now: Moment) {
        let Some(waiting) = self.queue.take(at) else { return };
        let (origin, command) = (waiting.origin, waiting.request);
        if command.kind() == Kind::Head && self.open.heads >= HEADS_MAX {
            return command.refuse(GatewayError::Busy);
        }
        if command.kind() == Kind::Live && self.open.streams >= STREAMS_MAX {
            return command.refuse(GatewayError::Subscriptions { max: STREAMS_MAX });
        }
        self.open.begins(command.kind(), now.instant);
        if let Some(footprint) = command.footprint() {
            self.pacer.record(footprint.clone(), origin.clone(), now.instant);
            self.in_flight.push(Box::pin(self.departures.record(command, footprint, &origin, now)));
        } else {
            let command = self.with_all_who_ask_the_time(command);
            self.send(command);
        }
    }

    /// The departure is on record, so it leaves; counted from now.
    pub(super) fn on_recorded(&mut self, command: Command, footprint: &Footprint) {
        self.pacer.delayed(footprint, Instant::now());
        self.send(command);
    }

    fn send(&mut self, command: Command) {
        if let Some(link) = &self.link {
            let request = command.perform(link.source());
            self.in_flight.push(Box::pin(async move { Progress::Done(request.await) }));
        }
    }

    /// Whoever else asks for the gateway's time shares the answer.
    fn with_all_who_ask_the_time(&mut self, mut command: Command) -> Command {
        if command.kind() == Kind::Clock {
            for other in self.queue.drain(|other| other.kind() == Kind::Clock) {
                command.shared_with(other);
            }
        }
        command
    }

    /// By the rules alone, when each waiting request for bars may leave if nothing else comes, in turn.
    pub(super) fn forecast(&self, now: Instant) -> Vec<(usize, Instant)> {
        let paced = |at: usize| Some((at, self.queue.get(at)?.request.footprint()?));
        let (turns, footprints): (Vec<usize>, Vec<Footprint>) =
            self.queue.in_turn().into_iter().filter_map(paced).unzip();
        turns.into_iter().zip(self.pacer.forecast(footprints.iter(), now)).collect()
    }
}
