//! One step of a load as a request, with the contract looked up again where the gateway has forgotten it, and in shorter
//! requests where the gateway closes the connection over it.

use std::sync::Arc;

use super::Load;
use crate::{
    clock,
    gateway::{BarsAnswer, BarsAsk, Contract, GatewayError},
    market_data::{
        MarketDataError,
        fetch::{Fetched, Patience, fetch},
        plan::{Step, shorter},
    },
};

/// The one who asks for a load.
pub(super) struct Asker {
    pub(super) contract: Arc<Contract>,
    looked_up_again: bool,
    patience: Patience,
}

/// What came of a step.
pub(super) enum Asked {
    Answer(BarsAnswer),
    /// Better ask for less at a time.
    Shorter(Vec<Step>),
}

impl Asker {
    pub(super) fn new(contract: Arc<Contract>) -> Self {
        Self { contract, looked_up_again: false, patience: Patience::default() }
    }
}

impl Load {
    /// One step. A contract that the gateway does not know any more is looked up again, once a load: conIds change.
    pub(super) async fn ask(&mut self, step: &Step, asker: &mut Asker) -> Result<Asked, GatewayError> {
        loop {
            let ask = BarsAsk {
                contract: asker.contract.clone(),
                timeframe: self.request.key.timeframe,
                basis: self.request.basis,
                end: step.end,
                duration: step.duration,
                from: step.range.start(),
            };
            let requests = &mut self.document.requests_made;
            match fetch(&self.reference.gateway, &ask, &mut asker.patience, requests).await {
                Err(error) if error.is_unknown_contract() && !asker.looked_up_again => {
                    asker.looked_up_again = true;
                    match self.reference.resolve(&self.request.key.symbol, requests).await {
                        Ok(known) => asker.contract = known.contract,
                        Err(MarketDataError::Gateway(of_lookup)) => return Err(of_lookup),
                        // what the ledger could not keep does not change the gateway's answer
                        Err(_) => return Err(error),
                    }
                }
                Err(error) => return Err(error),
                Ok(Fetched::Answer(answer)) => return Ok(Asked::Answer(answer)),
                Ok(Fetched::TooMuch) => {
                    let timeframe = self.request.key.timeframe;
                    if let Some(steps) = shorter(step, timeframe, self.request.order(), clock::now()) {
                        tracing::info!(
                            steps = steps.len(),
                            "the connection was closed over a request: asking for less"
                        );
                        return Ok(Asked::Shorter(steps));
                    }
                }
            }
        }
    }
}
