//! Rules of the gateway that can be in force: set at the start, or played for a while.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use super::Shared;
use super::faults::lock;
use super::weather::refused;
use crate::config::{Knobs, Pacing};
use crate::faults::{Fault, FaultKind};
use crate::protocol::request::Kind;

const SECOND: Duration = Duration::from_secs(1);
/// A client that breaks the message rate this often is closed.
const MOST_BREACHES: u32 = 3;

#[derive(Debug)]
pub(crate) struct Conditions {
    /// As at the start.
    usual: Rules,
    now: Mutex<State>,
}

#[derive(Clone, Debug)]
struct Rules {
    pacing: Pacing,
    message_rate: Option<u32>,
    one_time_request: bool,
    head_cap: Option<u32>,
    open_cap: Option<u32>,
    hold_client_id: Duration,
}

#[derive(Debug)]
struct State {
    rules: Rules,
    messages: VecDeque<Duration>,
    /// Seconds in which there were too many messages.
    breaches: u32,
    last_breach: Option<Duration>,
    last_time_request: Option<Duration>,
    heads: u32,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rate {
    Fine,
    /// Dropped, with an error.
    TooFast,
    /// Once too often.
    Kicked,
}

impl Conditions {
    pub(crate) fn new(knobs: &Knobs) -> Self {
        let usual = Rules {
            pacing: knobs.pacing,
            message_rate: knobs.message_rate,
            one_time_request: knobs.one_time_request_per_second,
            head_cap: knobs.head_timestamp_cap,
            open_cap: knobs.open_cap,
            hold_client_id: knobs.hold_client_id,
        };
        let now = State {
            rules: usual.clone(),
            messages: VecDeque::new(),
            breaches: 0,
            last_breach: None,
            last_time_request: None,
            heads: 0,
        };
        Self { usual, now: Mutex::new(now) }
    }

    /// Puts a rule in force.
    pub(crate) fn set(&self, fault: &Fault) {
        let limit = u32::try_from(fault.number("limit")).unwrap_or(u32::MAX);
        let mut now = lock(&self.now);
        match fault.kind() {
            FaultKind::Pacing => now.rules.pacing = Pacing::named(fault.text("mode")).unwrap_or_default(),
            FaultKind::MessageRate => now.rules.message_rate = Some(limit),
            FaultKind::OneTimeRequestPerSecond => now.rules.one_time_request = true,
            FaultKind::HeadTimestampCap => now.rules.head_cap = Some(limit),
            FaultKind::OpenCap => now.rules.open_cap = Some(limit),
            FaultKind::HoldClientId => now.rules.hold_client_id = fault.seconds("hold"),
            _ => {}
        }
    }

    /// As it was at the start.
    pub(crate) fn restore(&self, kind: FaultKind) {
        let (mut now, usual) = (lock(&self.now), self.usual.clone());
        match kind {
            FaultKind::Pacing => now.rules.pacing = usual.pacing,
            FaultKind::MessageRate => now.rules.message_rate = usual.message_rate,
            FaultKind::OneTimeRequestPerSecond => now.rules.one_time_request = usual.one_time_request,
            FaultKind::HeadTimestampCap => now.rules.head_cap = usual.head_cap,
            FaultKind::OpenCap => now.rules.open_cap = usual.open_cap,
            FaultKind::HoldClientId => now.rules.hold_client_id = usual.hold_client_id,
            _ => {}
        }
    }

    pub(crate) fn restore_all(&self) {
        lock(&self.now).rules = self.usual.clone();
    }

    pub(crate) fn pacing(&self) -> Pacing {
        lock(&self.now).rules.pacing
    }

    /// How long the id of a client that ended uncleanly stays taken, in simulated time.
    pub(crate) fn hold_client_id(&self) -> Duration {
        lock(&self.now).rules.hold_client_id
    }

    /// Counts a message.
    pub(crate) fn at_message(&self, shared: &Shared) -> Rate {
        let at = shared.clock.elapsed();
        let mut now = lock(&self.now);
        let Some(limit) = now.rules.message_rate else {
            return Rate::Fine;
        };
        now.messages.push_back(at);
        while now.messages.front().is_some_and(|first| at.saturating_sub(*first) >= SECOND) {
            now.messages.pop_front();
        }
        if u32::try_from(now.messages.len()).is_ok_and(|count| count <= limit) {
            return Rate::Fine;
        }
        if now.last_breach.is_none_or(|last| at.saturating_sub(last) >= SECOND) {
            now.last_breach = Some(at);
            now.breaches += 1;
        }
        let kicked = now.breaches >= MOST_BREACHES;
        if kicked {
            now.breaches = 0;
        }
        drop(now);
        shared.ledger.played(FaultKind::MessageRate);
        if kicked { Rate::Kicked } else { Rate::TooFast }
    }

    pub(crate) fn at_request(&self, shared: &Shared, at: Duration, kind: Kind) -> Option<Fault> {
        let mut now = lock(&self.now);
        let silence = || Fault::new(FaultKind::DropResponse);
        let (hit, fault) = match kind {
            Kind::CurrentTime if now.rules.one_time_request => {
                let last = now.last_time_request.replace(at);
                let too_soon = last.is_some_and(|last| at.saturating_sub(last) < SECOND);
                too_soon.then(|| (FaultKind::OneTimeRequestPerSecond, silence()))
            }
            Kind::HeadTimestamp => {
                now.heads += 1;
                let over = now.rules.head_cap.is_some_and(|cap| now.heads > cap);
                over.then(|| (FaultKind::HeadTimestampCap, silence()))
            }
            Kind::HistoricalData => {
                let over = now.rules.open_cap.filter(|cap| shared.ledger.open_requests() >= u64::from(*cap));
                over.map(|cap| {
                    let text = format!("Error processing request.-'bQ' : cause - Only {cap} simultaneous API historical data requests allowed.");
                    (FaultKind::OpenCap, refused(322, &text))
                })
            }
            _ => None,
        }?;
        drop(now);
        shared.ledger.played(hit);
        Some(fault)
    }
}
