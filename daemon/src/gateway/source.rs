//! Where bars come from: the gateway itself, or the IB host service of the old system in front of it.
//!
//! One trait, two implementations (`direct.rs`, `hosted.rs`). Queue, pacing, states and sharing are the session's, whatever
//! the source is.

use futures_util::future::BoxFuture;

use super::{
    BarsAnswer, BarsAsk, ClockAnswer, Contract, GatewayError, LiveAsk, LiveStream,
    command::{End, Reply},
};
use crate::model::{Nanos, Session, Symbol, WhatToShow};

/// Answers requests. A future that is dropped withdraws its request.
pub(super) trait Source: Send + Sync {
    /// Bars that end where the ask says.
    fn bars<'a>(&'a self, ask: &'a BarsAsk) -> BoxFuture<'a, Result<BarsAnswer, GatewayError>>;

    /// The one contract that a symbol means.
    fn contract<'a>(&'a self, symbol: &'a Symbol) -> BoxFuture<'a, Result<Contract, GatewayError>>;

    /// The earliest bar; `None` when there is no history.
    fn head<'a>(
        &'a self,
        contract: &'a Contract,
        what: WhatToShow,
        session: Session,
    ) -> BoxFuture<'a, Result<Option<Nanos>, GatewayError>>;

    /// Its clock: the cheapest question there is.
    fn clock(&self) -> BoxFuture<'_, Result<ClockAnswer, GatewayError>>;

    /// Bars as they come, until either side ends it.
    fn live(&self, ask: LiveAsk, reply: Reply<LiveStream>) -> BoxFuture<'_, End>;
}
