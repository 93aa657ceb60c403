//! What a symbol means, and how far back its history goes.

use super::{MarketData, MarketDataError, hours::sessions, reference::Known, zones::by_name};
use crate::{
    clock,
    gateway::Contract,
    model::{Basis, Nanos, Session, Symbol, TimeRange, WhatToShow},
};

/// Where a history begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// The earliest bar.
    At(Nanos),
    /// The gateway has none.
    NoHistory,
    /// It could not be asked, or did not say.
    Unknown,
}

/// What is known of a symbol.
#[derive(Debug, Clone)]
pub struct Validated {
    /// In its one spelling.
    pub symbol: Symbol,
    /// The contract it means.
    pub contract: std::sync::Arc<Contract>,
    /// When the gateway told of it.
    pub as_of: Nanos,
    /// It was not asked now.
    pub cached: bool,
    /// The gateway's name of the zone is known; otherwise the hours are unknown.
    pub zone_known: bool,
    /// All sessions that are not over, ascending.
    pub trading_hours: Vec<TimeRange>,
    /// Regular sessions that are not over, ascending.
    pub regular_hours: Vec<TimeRange>,
    /// Prices and hours that the history's beginning is told for.
    pub basis: Basis,
    /// Where the history begins.
    pub head: Head,
}

impl MarketData {
    /// Looks a symbol up, in the ledger while what it says is fresh. `refresh`: at the gateway, whatever the ledger says.
    pub async fn validate(
        &self,
        symbol: Symbol,
        what: Option<WhatToShow>,
        session: Option<Session>,
        refresh: bool,
    ) -> Result<Validated, MarketDataError> {
        let basis =
            Basis { session: session.unwrap_or(Session::AllHours), what: what.unwrap_or(WhatToShow::usual(&symbol)) };
        if !basis.what.exists_for(&symbol) {
            return Err(MarketDataError::Prices { symbol, what: basis.what });
        }
        let began = clock::now();
        let mut requests = 0;
        let known = if refresh {
            self.reference.resolve(&symbol, &mut requests).await?
        } else {
            let remembered = self.reference.known(&symbol).await?;
            self.reference.current(&symbol, remembered, &mut requests).await?
        };
        let head = match self.reference.head_or_unknown(&known.contract, basis, &mut requests).await {
            Ok(head) => head,
            // what is known of the contract is worth telling without it
            Err(MarketDataError::Gateway(_)) => Head::Unknown,
            Err(error) => return Err(error),
        };
        Ok(Validated { basis, head, ..told(symbol, known, began) })
    }
}

/// What a remembered contract tells; nothing of its history.
pub(super) fn told(symbol: Symbol, known: Known, began: Nanos) -> Validated {
    let zone = by_name(&known.contract.time_zone);
    let coming = |parts: &[String]| {
        let all = zone.as_ref().map(|zone| sessions(parts, zone)).unwrap_or_default();
        all.into_iter().filter(|range| range.end() > began).collect()
    };
    Validated {
        trading_hours: coming(&known.contract.trading_hours),
        regular_hours: coming(&known.contract.liquid_hours),
        zone_known: zone.is_some(),
        basis: Basis { session: Session::AllHours, what: WhatToShow::usual(&symbol) },
        symbol,
        cached: known.as_of < began,
        as_of: known.as_of,
        contract: known.contract,
        head: Head::Unknown,
    }
}
