//! Contracts and the beginnings of their histories: asked once, remembered in the ledger.

use std::sync::Arc;

use super::MarketDataError;
use crate::{
    clock,
    gateway::{Contract, Gateway, GatewayError},
    model::{Basis, Nanos, SECOND, Symbol},
    store::{ContractRow, HeadRow, Store},
};

/// No history begins before 1900.
const HEAD_MIN: Nanos = -2_208_988_800 * SECOND;

/// Ledger first, gateway second. Counts what it asks the gateway.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) store: Store,
    pub(super) gateway: Gateway,
}

impl Reference {
    /// What the ledger remembers of a symbol; an entry that cannot be read is as good as none.
    pub(super) async fn known(&self, symbol: &Symbol) -> Result<Option<Arc<Contract>>, MarketDataError> {
        let row = self.store.contract(symbol.to_string()).await?;
        Ok(row.and_then(|row| serde_json::from_str(&row.body).ok()).map(Arc::new))
    }

    /// Asks the gateway which contract a symbol means, and remembers it.
    pub(super) async fn resolve(&self, symbol: &Symbol, requests: &mut u64) -> Result<Arc<Contract>, MarketDataError> {
        let answer = self.gateway.contract(symbol.clone()).await;
        *requests += u64::from(answer.as_ref().err().is_none_or(GatewayError::was_sent));
        let contract = answer?;
        let body = serde_json::to_string(&contract).map_err(|_| MarketDataError::Defect)?;
        self.store.put_contract(ContractRow { symbol: symbol.to_string(), body, as_of: clock::now() }).await?;
        Ok(Arc::new(contract))
    }

    /// The earliest bar there is; `None` when the gateway cannot tell, which is no reason to fail.
    pub(super) async fn head(
        &self,
        contract: &Arc<Contract>,
        basis: Basis,
        requests: &mut u64,
    ) -> Result<Option<Nanos>, MarketDataError> {
        if let Some(head) = self.store.head(contract.id, basis.what.name()).await? {
            return Ok(head);
        }
        let answer = self.gateway.head(contract.clone(), basis.what, basis.session).await;
        *requests += u64::from(answer.as_ref().err().is_none_or(GatewayError::was_sent));
        match answer {
            // a date that no exchange has seen is no answer
            Ok(Some(head)) if !(HEAD_MIN..clock::now()).contains(&head) => Ok(None),
            Ok(head) => {
                let row = HeadRow { contract_id: contract.id, what: basis.what.name(), head, as_of: clock::now() };
                self.store.put_head(row).await?;
                Ok(head)
            }
            Err(
                GatewayError::TimedOut { .. }
                | GatewayError::Refused { .. }
                | GatewayError::Protocol(_)
                | GatewayError::Busy,
            ) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
