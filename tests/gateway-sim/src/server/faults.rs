//! What is wrong with the gateway at the moment, and what is to go wrong.
//!
//! Holds the rules that wait for their occasion and says what strikes; `play` makes it happen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::answer::query;
use super::conditions::Conditions;
use super::line::Line;
use super::outlet::{Outlet, WeakOutlet};
use super::weather::Weather;
use super::{Shared, play};
use crate::config::Knobs;
use crate::faults::{Armed, Fault, FaultKind, Occasion, Rule, Stage, is_costly};
use crate::protocol::messages::Contract;
use crate::protocol::request::Request;

/// No client waits longer for an answer to its handshake.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the port does with those who knock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Port {
    #[default]
    Open,
    Closed,
    /// Nobody accepts.
    Wedged,
    /// Accepted and closed.
    Rejecting,
    /// Accepted and not answered.
    Silent,
}

#[derive(Debug)]
pub(crate) struct Faults {
    rules: Mutex<Vec<Armed>>,
    clients: Mutex<BTreeMap<u64, Client>>,
    pub(super) port: watch::Sender<Port>,
    pub(super) weather: Weather,
    pub(super) conditions: Conditions,
    /// Ends everything that is going on.
    cleared: Mutex<CancellationToken>,
}

#[derive(Debug)]
struct Client {
    line: Arc<Line>,
    /// Once it has started.
    outlet: Option<WeakOutlet>,
}

impl Faults {
    pub(crate) fn new(knobs: &Knobs) -> Self {
        Self {
            rules: Mutex::default(),
            clients: Mutex::default(),
            port: watch::Sender::new(Port::Open),
            weather: Weather::default(),
            conditions: Conditions::new(knobs),
            cleared: Mutex::default(),
        }
    }

    pub(crate) fn arm(&self, rule: Rule) {
        lock(&self.rules).push(Armed::new(rule));
    }

    /// Makes room: rules that never strike again go, and so do the oldest with an end of a stage beyond so many.
    pub(crate) fn thin_out(&self, at: Duration, stage: Stage, most: usize) {
        let mut rules = lock(&self.rules);
        rules.retain(|rule| !rule.is_spent(at));
        let meant = |rule: &Armed| rule.stage() == stage && rule.has_end();
        let mut surplus = rules.iter().filter(|rule| meant(rule)).count().saturating_sub(most);
        rules.retain(|rule| {
            let goes = surplus > 0 && meant(rule);
            surplus -= usize::from(goes);
            !goes
        });
    }

    /// Forgets all rules and ends all that is going on.
    pub(crate) fn clear(&self) {
        lock(&self.rules).clear();
        std::mem::take(&mut *lock(&self.cleared)).cancel();
        self.lines().iter().for_each(|line| line.read_again());
        self.conditions.restore_all();
    }

    pub(crate) fn cleared(&self) -> CancellationToken {
        lock(&self.cleared).clone()
    }

    pub(crate) fn connected(&self, line: &Arc<Line>) {
        lock(&self.clients).insert(line.number, Client { line: Arc::clone(line), outlet: None });
    }

    pub(crate) fn started(&self, outlet: &Outlet) {
        if let Some(client) = lock(&self.clients).get_mut(&outlet.line().number) {
            client.outlet = Some(outlet.downgrade());
        }
    }

    pub(crate) fn disconnected(&self, connection: u64) {
        lock(&self.clients).remove(&connection);
    }

    pub(crate) fn lines(&self) -> Vec<Arc<Line>> {
        lock(&self.clients).values().map(|client| Arc::clone(&client.line)).collect()
    }

    /// Of everyone who has started.
    pub(crate) fn outlets(&self) -> Vec<Outlet> {
        lock(&self.clients).values().filter_map(|client| client.outlet.as_ref()?.upgrade()).collect()
    }

    /// What hits a connection that opens.
    pub(crate) fn at_opening(&self, shared: &Arc<Shared>, line: &Arc<Line>) -> Option<Fault> {
        let silent = || Fault::new(FaultKind::SilentAfterAccept);
        match *self.port.borrow() {
            Port::Rejecting => return Some(Fault::new(FaultKind::AcceptThenClose)),
            Port::Silent => return Some(silent()),
            _ => {}
        }
        let occasion = Occasion { at: shared.clock.elapsed(), connection: line.number, kind: None, symbols: &[] };
        let fault = self.strike(shared, line, &occasion)?;
        shared.ledger.played(fault.kind());
        if is_costly(fault.kind()) {
            shared.ledger.outage(&shared.clock, fault.kind(), fault.lasts().min(PATIENCE));
        }
        Some(fault)
    }

    /// What hits the answer to a request. Everything else that it sets off happens here.
    pub(crate) fn at_request(&self, shared: &Arc<Shared>, line: &Arc<Line>, request: &Request) -> Option<Fault> {
        let at = shared.clock.elapsed();
        let symbols = request.contract().map_or_else(Vec::new, |contract| self.symbols(shared, contract));
        let occasion = Occasion { at, connection: line.number, kind: Some(request.kind()), symbols: &symbols };
        let by_rule = self.strike(shared, line, &occasion);
        if let Some(fault) = &by_rule {
            shared.ledger.played(fault.kind());
        }
        by_rule
            .or_else(|| self.conditions.at_request(shared, at, request.kind()))
            .or_else(|| self.weather.at_request(shared, request.kind()))
    }

    /// Plays what this is the occasion for, but for the one fault that is for the connection or answer at hand.
    fn strike(&self, shared: &Arc<Shared>, line: &Arc<Line>, occasion: &Occasion<'_>) -> Option<Fault> {
        let (mut at_hand, mut others) = (None, Vec::new());
        {
            let mut rules = lock(&self.rules);
            for rule in rules.iter_mut() {
                let is_at_hand = matches!(rule.stage(), Stage::Opening | Stage::Answer(_));
                if is_at_hand && at_hand.is_some() {
                    continue;
                }
                match rule.meets(occasion) {
                    Some(fault) if is_at_hand => at_hand = Some(fault),
                    Some(fault) => others.push(fault),
                    None => {}
                }
            }
            rules.retain(|rule| !rule.is_spent(occasion.at));
        }
        for fault in others {
            if fault.kind().entry().stage == Stage::Wire {
                shared.ledger.played(fault.kind());
                line.strike(shared, &fault, self.cleared());
            } else {
                play::play(shared, &fault);
            }
        }
        at_hand
    }

    /// The names of what is asked for, without dots. Clients may say no more than an id.
    fn symbols(&self, shared: &Shared, contract: &Contract) -> Vec<String> {
        if lock(&self.rules).is_empty() {
            return Vec::new();
        }
        let described = query(Some(contract));
        let found = shared.market.find(&described, shared.clock.now());
        let of_found = found.iter().flat_map(|found| {
            [found.symbol.clone(), found.local_symbol.clone(), format!("{}{}", found.symbol, found.currency)]
        });
        [described.symbol, described.local_symbol]
            .into_iter()
            .chain(of_found)
            .map(|name| name.replace('.', ""))
            .collect()
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
