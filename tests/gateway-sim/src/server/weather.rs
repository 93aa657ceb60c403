//! What the gateway hears from its own servers, and what it answers meanwhile.

use std::sync::Mutex;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::faults::lock;
use super::{Shared, play};
use crate::faults::{Fault, FaultKind, Value};
use crate::protocol::request::Kind;

/// A server behind the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Farm {
    Market,
    History,
    Contracts,
}

impl Farm {
    pub(crate) const ALL: [Self; 3] = [Self::Market, Self::History, Self::Contracts];

    /// By the name that faults have for it.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "market" => Self::Market,
            "secdef" => Self::Contracts,
            _ => Self::History,
        }
    }

    /// Code and text, when it is well and when it is not.
    pub(crate) fn notice(self, broken: bool) -> (i32, &'static str) {
        match (self, broken) {
            (Self::Market, false) => (2104, "Market data farm connection is OK:usfarm"),
            (Self::Market, true) => (2103, "Market data farm connection is broken:usfarm"),
            (Self::History, false) => (2106, "HMDS data farm connection is OK:ushmds"),
            (Self::History, true) => (2105, "HMDS data farm connection is broken:ushmds"),
            (Self::Contracts, false) => (2158, "Sec-def data farm connection is OK:secdefnj"),
            (Self::Contracts, true) => (2157, "Sec-def data farm connection is broken:secdefnj"),
        }
    }
}

/// A gateway that connects while its servers are away says so instead of naming farms.
pub(crate) const NO_SERVERS: (i32, &str) =
    (2110, "Connectivity between Trader Workstation and server is broken. It will be restored automatically.");

/// Counts, so that troubles may overlap.
#[derive(Debug, Default)]
pub(crate) struct Weather {
    troubles: Mutex<Troubles>,
    /// Ends with the streams that a restored connection does not bring back.
    streams: Mutex<CancellationToken>,
}

#[derive(Debug, Default)]
struct Troubles {
    upstream: u32,
    competing: u32,
    farms: [u32; 3],
    /// How long the history farm takes to wake up.
    asleep: Option<Duration>,
}

/// A trouble that lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    Upstream,
    Competing,
    Broken(Farm),
}

impl Weather {
    pub(crate) fn begins(&self, trouble: Trouble) {
        *lock(&self.troubles).count(trouble) += 1;
    }

    pub(crate) fn ends(&self, trouble: Trouble) {
        let mut troubles = lock(&self.troubles);
        let count = troubles.count(trouble);
        *count = count.saturating_sub(1);
    }

    pub(crate) fn sleeps(&self, waking: Option<Duration>) {
        lock(&self.troubles).asleep = waking;
    }

    pub(crate) fn upstream_is_down(&self) -> bool {
        lock(&self.troubles).upstream > 0
    }

    pub(crate) fn is_broken(&self, farm: Farm) -> bool {
        *lock(&self.troubles).count(Trouble::Broken(farm)) > 0
    }

    /// What ends when streams are lost.
    pub(crate) fn streams(&self) -> CancellationToken {
        lock(&self.streams).clone()
    }

    pub(crate) fn loses_streams(&self) {
        std::mem::take(&mut *lock(&self.streams)).cancel();
    }

    /// What becomes of a request as things are.
    pub(crate) fn at_request(&self, shared: &Shared, kind: Kind) -> Option<Fault> {
        let history = matches!(kind, Kind::HistoricalData | Kind::HeadTimestamp);
        let contracts = matches!(kind, Kind::ContractDetails | Kind::MatchingSymbols);
        let live = matches!(kind, Kind::RealTimeBars | Kind::MarketData);
        let mut troubles = lock(&self.troubles);
        let broken = |farm: Farm| troubles.farms[farm as usize] > 0;
        if kind == Kind::ContractDetails && (troubles.upstream > 0 || broken(Farm::Contracts)) {
            return Some(refused(200, "No security definition has been found for the request"));
        }
        if (troubles.upstream > 0 && (history || contracts || live)) || (contracts && broken(Farm::Contracts)) {
            return Some(Fault::new(FaultKind::DropResponse));
        }
        if troubles.competing > 0 && live {
            return Some(refused(10197, "No market data during competing live session"));
        }
        if troubles.competing > 0 && history {
            let text = "Historical Market Data Service error message:Trading TWS session is connected from a different IP address";
            return Some(refused(162, text));
        }
        if history && broken(Farm::History) {
            return Some(refused(162, "Historical Market Data Service error message:HMDS server connection failed"));
        }
        if history && let Some(waking) = troubles.asleep.take() {
            let millis = i64::try_from(waking.as_millis()).unwrap_or(i64::MAX);
            play::say_to_all(shared, Farm::History.notice(false));
            return Fault::new(FaultKind::Delay).with("ms", millis).ok();
        }
        None
    }
}

impl Troubles {
    fn count(&mut self, trouble: Trouble) -> &mut u32 {
        match trouble {
            Trouble::Upstream => &mut self.upstream,
            Trouble::Competing => &mut self.competing,
            Trouble::Broken(farm) => &mut self.farms[farm as usize],
        }
    }
}

/// An error instead of the answer.
pub(super) fn refused(code: i64, text: &str) -> Fault {
    let error = Fault::new(FaultKind::Error);
    error.clone().with("code", code).and_then(|error| error.with("text", Value::from(text))).unwrap_or(error)
}
