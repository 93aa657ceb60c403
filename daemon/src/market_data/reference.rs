//! Contracts and the beginnings of their histories: asked once, remembered in the ledger.

use std::sync::Arc;

use super::{Head, MarketDataError};
use crate::{
    clock,
    gateway::{Contract, Gateway, GatewayError, SecurityKind},
    model::{Basis, DAY, Nanos, SECOND, Symbol},
    store::{ContractRow, HeadRow, Store},
};

/// No history begins before 1900.
const HEAD_MIN: Nanos = -2_208_988_800 * SECOND;

/// Contracts change: they are renamed, move to another exchange, get other hours.
const FRESH: Nanos = 7 * DAY;

/// A contract, and when the gateway told of it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) contract: Arc<Contract>,
    pub(super) as_of: Nanos,
}

impl Known {
    /// A stamp of the future is no sign of freshness.
    pub(super) fn is_fresh(&self, now: Nanos) -> bool {
        (0..FRESH).contains(&now.saturating_sub(self.as_of))
    }
}

/// The gateway's answer is about the symbol, not about itself.
fn says_what_it_is(error: &GatewayError) -> bool {
    matches!(error, GatewayError::ContractNotFound { .. } | GatewayError::ContractAmbiguous { .. })
}

/// Ledger first, gateway second. Counts what it asks the gateway.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) store: Store,
    pub(super) gateway: Gateway,
}

impl Reference {
    /// What the ledger remembers of a symbol, of whatever age. An entry that cannot be read, or of another kind than the
    /// symbol means now, is as good as none.
    pub(super) async fn known(&self, symbol: &Symbol) -> Result<Option<Known>, MarketDataError> {
        let row = self.store.contract(symbol.to_string()).await?;
        Ok(row.and_then(|row| {
            let contract: Contract = serde_json::from_str(&row.body).ok()?;
            (contract.kind == SecurityKind::of(symbol))
                .then(|| Known { contract: Arc::new(contract), as_of: row.as_of })
        }))
    }

    /// The contract to ask with: the remembered one while it is fresh, else the gateway's. One that is old is better
    /// than none when the gateway cannot be asked.
    pub(super) async fn current(
        &self,
        symbol: &Symbol,
        known: Option<Known>,
        requests: &mut u64,
    ) -> Result<Known, MarketDataError> {
        match known {
            Some(known) if known.is_fresh(clock::now()) => Ok(known),
            None => self.resolve(symbol, requests).await,
            Some(known) => match self.resolve(symbol, requests).await {
                Err(MarketDataError::Gateway(error)) if !says_what_it_is(&error) => {
                    let told = crate::error::in_line(&error);
                    tracing::info!(
                        symbol = symbol.as_str(),
                        error = told,
                        "an old contract could not be looked up again"
                    );
                    Ok(known)
                }
                other => other,
            },
        }
    }

    /// Asks the gateway which contract a symbol means, and remembers it. That it knows none is never remembered.
    pub(super) async fn resolve(&self, symbol: &Symbol, requests: &mut u64) -> Result<Known, MarketDataError> {
        let answer = self.gateway.contract(symbol.clone()).await;
        *requests += u64::from(answer.as_ref().err().is_none_or(GatewayError::was_sent));
        let contract = answer?;
        let body = serde_json::to_string(&contract).map_err(|_| MarketDataError::Defect)?;
        let as_of = clock::now();
        self.store.put_contract(ContractRow { symbol: symbol.to_string(), body, as_of }).await?;
        Ok(Known { contract: Arc::new(contract), as_of })
    }

    /// The earliest bar there is; `None` when the gateway cannot tell, which is no reason to fail.
    pub(super) async fn head(
        &self,
        contract: &Arc<Contract>,
        basis: Basis,
        requests: &mut u64,
    ) -> Result<Option<Nanos>, MarketDataError> {
        match self.head_or_unknown(contract, basis, requests).await? {
            Head::At(head) => Ok(Some(head)),
            Head::NoHistory | Head::Unknown => Ok(None),
        }
    }

    /// The same, with the two absences apart.
    pub(super) async fn head_or_unknown(
        &self,
        contract: &Arc<Contract>,
        basis: Basis,
        requests: &mut u64,
    ) -> Result<Head, MarketDataError> {
        let told = |head: Option<Nanos>| head.map_or(Head::NoHistory, Head::At);
        if let Some(head) = self.store.head(contract.id, basis.what.name()).await? {
            return Ok(told(head));
        }
        let answer = self.gateway.head(contract.clone(), basis.what, basis.session).await;
        *requests += u64::from(answer.as_ref().err().is_none_or(GatewayError::was_sent));
        match answer {
            // a date that no exchange has seen is no answer
            Ok(Some(head)) if !(HEAD_MIN..clock::now()).contains(&head) => Ok(Head::Unknown),
            Ok(head) => {
                let row = HeadRow { contract_id: contract.id, what: basis.what.name(), head, as_of: clock::now() };
                self.store.put_head(row).await?;
                Ok(told(head))
            }
            Err(
                GatewayError::TimedOut { .. }
                | GatewayError::Refused { .. }
                | GatewayError::Protocol(_)
                | GatewayError::Busy,
            ) => Ok(Head::Unknown),
            Err(error) => Err(error.into()),
        }
    }
}
