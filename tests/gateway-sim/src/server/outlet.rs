//! The one way out of a connection: replies go in as values, frames of the client's dialect come out.

use std::ops::ControlFlow;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::Shared;
use super::answer::{NO_REQUEST, Refusal};
use crate::protocol::dialect::Dialect;
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
    shared: Arc<Shared>,
    connection: u64,
}

impl Outlet {
    pub(crate) fn new(dialect: Dialect, wire: mpsc::Sender<Vec<u8>>, shared: Arc<Shared>, connection: u64) -> Self {
        Self { dialect, wire, shared, connection }
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
            if let Some(telling) = telling(&reply) {
                let event = Event::Told { connection: self.connection, telling };
                self.shared.ledger.observe(&self.shared.clock, event);
            }
            self.put(frame).await?;
        }
        Flow::Continue(())
    }

    /// Empty is nothing.
    async fn put(&self, frame: Vec<u8>) -> Flow {
        if frame.is_empty() || self.wire.send(frame).await.is_ok() { Flow::Continue(()) } else { Flow::Break(()) }
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
