//! The one way out of a connection: replies go in as values, frames of the client's dialect come out.

use std::ops::ControlFlow;
use std::sync::{Arc, Weak};

use tokio::sync::mpsc;

use super::Shared;
use super::answer::{NO_REQUEST, Refusal};
use super::line::Line;
use crate::protocol::dialect::Dialect;
use crate::protocol::frame::broken;
use crate::protocol::reply::Reply;
use crate::protocol::request::Kind;
use crate::referee::{Event, Telling};

/// Whether to go on.
pub(crate) type Flow = ControlFlow<()>;

/// What a reply answers. `None` instead of one: said unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) kind: Kind,
    /// `None` for a kind of request that has no ids.
    pub(crate) id: Option<i32>,
}

/// Cheap to clone: every task that answers has one. The writer ends when the last is gone.
#[derive(Clone, Debug)]
pub(crate) struct Outlet {
    dialect: Dialect,
    wire: mpsc::Sender<Vec<u8>>,
    line: Arc<Line>,
    shared: Weak<Shared>,
}

/// An outlet that does not keep its writer alive.
#[derive(Clone, Debug)]
pub(crate) struct WeakOutlet {
    dialect: Dialect,
    wire: mpsc::WeakSender<Vec<u8>>,
    line: Arc<Line>,
    shared: Weak<Shared>,
}

impl Outlet {
    pub(crate) fn new(dialect: Dialect, wire: mpsc::Sender<Vec<u8>>, line: Arc<Line>, shared: &Arc<Shared>) -> Self {
        Self { dialect, wire, line, shared: Arc::downgrade(shared) }
    }

    pub(crate) fn line(&self) -> &Arc<Line> {
        &self.line
    }

    pub(crate) fn downgrade(&self) -> WeakOutlet {
        let (line, shared) = (Arc::clone(&self.line), Weak::clone(&self.shared));
        WeakOutlet { dialect: self.dialect, wire: self.wire.downgrade(), line, shared }
    }

    /// Says one thing. Breaks when the client is gone.
    pub(crate) async fn say(&self, answered: Option<Answered>, reply: Reply) -> Flow {
        self.say_all(answered, [reply]).await
    }

    /// Says several things that belong together, in order. What fits no frame is refused, and ends it.
    pub(crate) async fn say_all(&self, answered: Option<Answered>, replies: impl IntoIterator<Item = Reply>) -> Flow {
        for reply in replies {
            let Some(frame) = self.dialect.encode(&reply) else {
                let id = answered.and_then(|answered| answered.id).unwrap_or(NO_REQUEST);
                let refusal = self.dialect.encode(&Refusal::too_long().reply(id));
                return self.put(refusal.unwrap_or_default()).await;
            };
            self.tell_referee(&reply);
            self.put(frame).await?;
        }
        Flow::Continue(())
    }

    /// Says something by the way. If too much waits already, it is said later.
    pub(crate) fn mention(&self, reply: Reply) {
        let Some(frame) = self.dialect.encode(&reply).filter(|frame| !frame.is_empty()) else {
            return;
        };
        self.tell_referee(&reply);
        if let Err(mpsc::error::TrySendError::Full(_)) = self.wire.try_send(frame) {
            let outlet = self.clone();
            tokio::spawn(async move { outlet.say(None, reply).await.is_break() });
        }
    }

    /// It is to know what the client knows.
    fn tell_referee(&self, reply: &Reply) {
        if let (Some(telling), Some(shared)) = (telling(reply), self.shared.upgrade()) {
            shared.ledger.observe(&shared.clock, Event::Told { connection: self.line.number, telling });
        }
    }

    /// Orders that nobody placed. Text has no such frames here.
    pub(crate) async fn say_orders(&self, count: u32) -> Flow {
        for _ in 0..if self.dialect == Dialect::Protobuf { count } else { 0 } {
            self.put(broken::open_order(1)).await?;
        }
        Flow::Continue(())
    }

    /// Empty is nothing.
    async fn put(&self, frame: Vec<u8>) -> Flow {
        if frame.is_empty() || self.wire.send(frame).await.is_ok() { Flow::Continue(()) } else { Flow::Break(()) }
    }
}

impl WeakOutlet {
    pub(crate) fn upgrade(&self) -> Option<Outlet> {
        let wire = self.wire.upgrade()?;
        let (line, shared) = (Arc::clone(&self.line), Weak::clone(&self.shared));
        Some(Outlet { dialect: self.dialect, wire, line, shared })
    }
}

/// What of a reply changes what the client may do next. A farm that is up has its servers.
fn telling(reply: &Reply) -> Option<Telling> {
    Some(match reply {
        Reply::NextValidId(_) => Telling::NextValidId,
        Reply::ManagedAccounts(_) => Telling::ManagedAccounts,
        Reply::CurrentTime(_) | Reply::CurrentTimeInMillis(_) => Telling::CurrentTime,
        Reply::Error(error) => match error.code.unwrap_or(0) {
            1100 | 2110 => Telling::UpstreamLost,
            1101 | 1102 | 2104 | 2106 | 2158 => Telling::UpstreamBack,
            _ => return None,
        },
        _ => return None,
    })
}
