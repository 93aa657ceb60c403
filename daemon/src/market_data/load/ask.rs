//! One step of a load as a request, with the contract looked up again where the gateway has forgotten it.

use std::sync::Arc;

use super::Load;
use crate::{
    gateway::{BarsAnswer, BarsAsk, Contract, GatewayError},
    market_data::{MarketDataError, fetch::fetch, plan::Step},
};

impl Load {
    /// One step. A contract that the gateway does not know any more is looked up again, once a load: conIds change.
    pub(super) async fn ask(
        &mut self,
        step: &Step,
        contract: &mut Arc<Contract>,
        looked_up_again: &mut bool,
        under_way: bool,
    ) -> Result<BarsAnswer, GatewayError> {
        loop {
            let ask = BarsAsk {
                contract: contract.clone(),
                timeframe: self.request.key.timeframe,
                basis: self.request.basis,
                end: step.end,
                duration: step.duration,
            };
            let requests = &mut self.document.requests_made;
            match fetch(&self.reference.gateway, &ask, under_way, requests).await {
                Err(error) if error.is_unknown_contract() && !*looked_up_again => {
                    *looked_up_again = true;
                    match self.reference.resolve(&self.request.key.symbol, requests).await {
                        Ok(known) => *contract = known.contract,
                        Err(MarketDataError::Gateway(of_lookup)) => return Err(of_lookup),
                        // what the ledger could not keep does not change the gateway's answer
                        Err(_) => return Err(error),
                    }
                }
                answer => return answer,
            }
        }
    }
}
