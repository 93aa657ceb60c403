//! The handle that the rest of the daemon holds.

use std::sync::Arc;

use futures_util::FutureExt;
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{
    BarsAnswer, BarsAsk, ClockAnswer, Contract, GatewayConfig, GatewayError, LiveAsk, LiveStream, Origin, Status,
    command::{Question, Reply},
    queue::QUEUE_MAX,
    session::{Message, Session as SessionTask},
    sharing::UnderWay,
};
use crate::{
    model::{Nanos, Session, Symbol, WhatToShow},
    store::Store,
};

/// Sends requests to the session task and awaits the answers; cheap to clone. Dropping a call's future withdraws the
/// request, at the gateway too, unless another caller awaits the same.
#[derive(Debug, Clone)]
pub struct Gateway {
    messages: mpsc::Sender<Message>,
    status: watch::Receiver<Status>,
    changes: broadcast::WeakSender<Status>,
    origin: Origin,
    bars: UnderWay<BarsAnswer>,
    contracts: UnderWay<Contract>,
    heads: UnderWay<Option<Nanos>>,
}

impl Gateway {
    /// Starts the session task; it ends when `stop` fires, after a polite goodbye. Departures are remembered in `store`:
    /// IB counts on when the daemon restarts.
    pub async fn start(config: GatewayConfig, store: Store, stop: CancellationToken) -> (Self, JoinHandle<()>) {
        let (messages, inbox) = mpsc::channel(QUEUE_MAX);
        let (session, status, changes) = SessionTask::new(config, store, stop).await;
        let handle = Self {
            messages,
            status,
            changes,
            origin: Origin::Person,
            bars: UnderWay::default(),
            contracts: UnderWay::default(),
            heads: UnderWay::default(),
        };
        (handle, tokio::spawn(session.run(inbox)))
    }

    /// A handle whose requests belong to `origin`.
    #[must_use]
    pub fn of(&self, origin: Origin) -> Self {
        Self { origin, ..self.clone() }
    }

    /// Whose requests this handle sends.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The connection now.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// The status now and as it changes; who is slow sees the latest only.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Each change of state in turn; `None` when the session has ended.
    pub fn changes(&self) -> Option<broadcast::Receiver<Status>> {
        self.changes.upgrade().map(|changes| changes.subscribe())
    }

    /// Bars, once pacing allows it. "No data" while a farm of historical data is away is no fact, and an error.
    pub async fn bars(&self, ask: BarsAsk) -> Result<BarsAnswer, GatewayError> {
        let answer = self.bars.join_or(ask.name().into(), || {
            let gateway = self.clone();
            async move { gateway.call(|reply| Question::Bars(ask, reply)).await }.boxed()
        });
        match answer.await {
            Ok(BarsAnswer::NoData) if !self.status.borrow().history_up => Err(GatewayError::HistoryDown),
            answer => answer,
        }
    }

    /// The one contract that a symbol means.
    pub async fn contract(&self, symbol: Symbol) -> Result<Contract, GatewayError> {
        let answer = self.contracts.join_or(symbol.as_str().into(), || {
            let gateway = self.clone();
            async move { gateway.call(|reply| Question::Contract(symbol, reply)).await }.boxed()
        });
        answer.await
    }

    /// The earliest bar of any size; `None` when there is no history. IB answers this about fifty times a session, so
    /// callers remember the answer.
    pub async fn head(
        &self,
        contract: Arc<Contract>,
        what: WhatToShow,
        session: Session,
    ) -> Result<Option<Nanos>, GatewayError> {
        let name = format!("{} {} {}", contract.id, what.name(), session.name());
        let answer = self.heads.join_or(name.into(), || {
            let gateway = self.clone();
            async move { gateway.call(|reply| Question::Head(contract, what, session, reply)).await }.boxed()
        });
        answer.await
    }

    /// Bars as they come, once pacing allows to ask for them. One more subscription than IB allows is refused.
    pub async fn subscribe(&self, ask: LiveAsk) -> Result<LiveStream, GatewayError> {
        self.call(|reply| Question::Live(ask, reply)).await
    }

    /// The gateway's clock: the cheapest request there is.
    pub async fn clock(&self) -> Result<ClockAnswer, GatewayError> {
        self.call(|reply| Question::Clock(vec![reply])).await
    }

    /// Ends the session politely; the next attempt follows after the shortest pause.
    pub async fn reconnect(&self) -> Result<(), GatewayError> {
        self.send(Message::Reconnect).await
    }

    /// Whether the session's task turns, whatever the gateway does. One with a full queue does.
    pub async fn is_alive(&self) -> bool {
        matches!(self.send(Message::Alive).await, Ok(()) | Err(GatewayError::Busy))
    }

    async fn call<T>(&self, question: impl FnOnce(Reply<T>) -> Question) -> Result<T, GatewayError> {
        self.send(|reply| Message::Request(self.origin.clone(), question(reply).into())).await
    }

    async fn send<T>(&self, message: impl FnOnce(Reply<T>) -> Message) -> Result<T, GatewayError> {
        let (reply, answer) = oneshot::channel();
        self.messages.try_send(message(reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => GatewayError::Busy,
            mpsc::error::TrySendError::Closed(_) => GatewayError::Stopped,
        })?;
        let gone = || {
            if self.messages.is_closed() { GatewayError::Stopped } else { GatewayError::Lost }
        };
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}
