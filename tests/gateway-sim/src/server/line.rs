//! What the reader, the writer and the answers of one connection share: when it is read, and how it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::faults::{Fault, FaultKind};
use crate::referee::Event;

/// How often to look whether a client is gone that is not being read.
const GLANCE: Duration = Duration::from_millis(10);

/// What the reader, the writer and the answers of a connection share.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) number: u64,
    /// Ended from here: nothing more is read or written.
    cut: CancellationToken,
    /// Ended by a reset.
    reset: AtomicBool,
    /// The client has closed, or its session is over.
    gone: CancellationToken,
    not_read_until: watch::Sender<Option<Instant>>,
    strikes: mpsc::UnboundedSender<Strike>,
}

/// A fault on its way to the writer.
#[derive(Debug)]
pub(crate) struct Strike {
    pub(crate) fault: Fault,
    /// Ends it early.
    pub(crate) cleared: CancellationToken,
}

impl Line {
    /// With the end that the writer listens to.
    pub(crate) fn new(number: u64) -> (Arc<Self>, mpsc::UnboundedReceiver<Strike>) {
        let (strikes, struck) = mpsc::unbounded_channel();
        let line = Self {
            number,
            cut: CancellationToken::new(),
            reset: AtomicBool::new(false),
            gone: CancellationToken::new(),
            not_read_until: watch::Sender::new(None),
            strikes,
        };
        (Arc::new(line), struck)
    }

    /// Ends the connection.
    pub(crate) fn cut(&self) {
        self.cut.cancel();
    }

    pub(crate) async fn is_cut(&self) {
        self.cut.cancelled().await;
    }

    /// Leaves off when the connection is cut.
    pub(crate) async fn unless_cut(&self, work: impl Future<Output = std::io::Result<()>>) -> std::io::Result<()> {
        self.cut.run_until_cancelled(work).await.unwrap_or(Ok(()))
    }

    pub(crate) fn was_reset(&self) -> bool {
        self.reset.load(Ordering::Relaxed)
    }

    /// Whether the gateway ended it.
    pub(crate) fn was_cut(&self) -> bool {
        self.cut.is_cancelled()
    }

    pub(crate) fn client_is_gone(&self) {
        self.gone.cancel();
    }

    /// Ends with the connection's conversation.
    pub(crate) fn child_token(&self) -> CancellationToken {
        self.gone.child_token()
    }

    /// False if the connection ended first.
    pub(crate) async fn pause(&self, real: Duration) -> bool {
        tokio::select! {
            () = self.cut.cancelled() => false,
            () = self.gone.cancelled() => false,
            () = tokio::time::sleep(real) => true,
        }
    }

    /// Hits it with a fault of the wire.
    pub(crate) fn strike(&self, shared: &Shared, fault: &Fault, cleared: CancellationToken) {
        shared.ledger.observe(&shared.clock, Event::Disturbed { connection: self.number });
        match fault.kind() {
            FaultKind::Fin => return self.cut(),
            FaultKind::Rst => {
                self.reset.store(true, Ordering::Relaxed);
                return self.cut();
            }
            FaultKind::Freeze | FaultKind::StopReading => {
                let until = Instant::now() + shared.clock.real(fault.lasts());
                self.not_read_until.send_replace(Some(until));
            }
            _ => {}
        }
        // Fails only when the writer is gone, and the connection with it.
        drop(self.strikes.send(Strike { fault: fault.clone(), cleared }));
    }

    /// Ends what is not over yet.
    pub(crate) fn read_again(&self) {
        self.not_read_until.send_replace(None);
    }

    /// Waits until it may be read; false if the client left meanwhile, or the connection was cut.
    pub(crate) async fn may_be_read(&self, reader: &OwnedReadHalf) -> bool {
        loop {
            if self.cut.is_cancelled() {
                return false;
            }
            let until = *self.not_read_until.borrow();
            if until.is_none_or(|until| until <= Instant::now()) {
                return true;
            }
            let seen = tokio::time::timeout(GLANCE, reader.ready(Interest::READABLE)).await;
            match seen {
                Ok(Ok(ready)) if !ready.is_read_closed() => tokio::time::sleep(GLANCE).await,
                Ok(_) => {
                    self.client_is_gone();
                    return false;
                }
                Err(_) => {}
            }
        }
    }
}
