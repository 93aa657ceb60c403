//! The handle that the rest of the daemon holds.

use std::sync::Arc;

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{
    BarsAnswer, BarsAsk, ClockAnswer, Contract, GatewayConfig, GatewayError, State, Status,
    command::{Command, Reply},
    session::Session as SessionTask,
};
use crate::model::{Nanos, Session, Symbol, WhatToShow};

/// Requests that may wait here: a few operations with a few requests each, and some people. Beyond that somebody asks
/// in a loop.
const COMMANDS_MAX: usize = 256;

/// Sends requests to the session task and awaits the answers; cheap to clone. Dropping a call's future withdraws the
/// request, at the gateway too.
#[derive(Debug, Clone)]
pub struct Gateway {
    commands: mpsc::Sender<Command>,
    status: watch::Receiver<Status>,
}

impl Gateway {
    /// Starts the session task; it ends when `stop` fires, after a polite goodbye.
    pub fn start(config: GatewayConfig, stop: CancellationToken) -> (Self, JoinHandle<()>) {
        let (commands, queue) = mpsc::channel(COMMANDS_MAX);
        let (session, status) = SessionTask::new(config);
        (Self { commands, status }, tokio::spawn(session.run(queue, stop)))
    }

    /// The connection now.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Changes of its state.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// No farm of historical data is known to be away.
    pub fn history_is_up(&self) -> bool {
        let status = self.status.borrow();
        status.state == State::Ready && status.farms.iter().all(|(name, up)| *up || !name.contains("hmds"))
    }

    /// Bars, once pacing allows it.
    pub async fn bars(&self, ask: BarsAsk) -> Result<BarsAnswer, GatewayError> {
        self.call(|reply| Command::Bars(ask, reply)).await
    }

    /// The one contract that a symbol means.
    pub async fn contract(&self, symbol: Symbol) -> Result<Contract, GatewayError> {
        self.call(|reply| Command::Contract(symbol, reply)).await
    }

    /// The earliest bar of any size; `None` when there is no history. IB answers this about fifty times a session, so
    /// callers remember the answer.
    pub async fn head(
        &self,
        contract: Arc<Contract>,
        what: WhatToShow,
        session: Session,
    ) -> Result<Option<Nanos>, GatewayError> {
        self.call(|reply| Command::Head(contract, what, session, reply)).await
    }

    /// The gateway's clock: the cheapest request there is.
    pub async fn clock(&self) -> Result<ClockAnswer, GatewayError> {
        self.call(|reply| Command::Clock(vec![reply])).await
    }

    /// Ends the session politely; the next attempt follows after the shortest pause.
    pub async fn reconnect(&self) -> Result<(), GatewayError> {
        self.call(Command::Reconnect).await
    }

    async fn call<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, GatewayError> {
        let (reply, answer) = oneshot::channel();
        self.commands.try_send(command(reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => GatewayError::Busy,
            mpsc::error::TrySendError::Closed(_) => GatewayError::Stopped,
        })?;
        let gone = || {
            if self.commands.is_closed() { GatewayError::Stopped } else { GatewayError::Lost }
        };
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}
