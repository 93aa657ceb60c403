//! One connection's bytes, and what faults do to them: when it is read, how it is written, how it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::faults::{Fault, FaultKind};
use crate::protocol::dialect::Dialect;
use crate::protocol::frame::broken;

/// How often to look whether a client is gone that is not being read.
const GLANCE: Duration = Duration::from_millis(10);
/// Bytes are not written one by one more often than this.
const SHORTEST_DRIP: Duration = Duration::from_millis(2);
/// Behind a length that cannot be one.
const GARBAGE: [u8; 64] = [0x5a; 64];

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
    fault: Fault,
    /// Ends it early.
    cleared: CancellationToken,
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
    async fn unless_cut(&self, work: impl Future<Output = std::io::Result<()>>) -> std::io::Result<()> {
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

/// Writes what is to be said, in the way that faults allow.
pub(crate) struct Pen {
    shared: Arc<Shared>,
    line: Arc<Line>,
    dialect: Dialect,
    writer: OwnedWriteHalf,
    drip: Option<Drip>,
    /// What the next frame will suffer, unless it is cleared.
    next: Option<(FaultKind, CancellationToken)>,
}

/// So many bytes at a time.
struct Drip {
    pause: Duration,
    bytes: usize,
    until: Instant,
    cleared: CancellationToken,
}

impl Pen {
    pub(crate) fn new(shared: Arc<Shared>, line: Arc<Line>, dialect: Dialect, writer: OwnedWriteHalf) -> Self {
        Self { shared, line, dialect, writer, drip: None, next: None }
    }

    /// Until everything is said or the connection is cut.
    pub(crate) async fn write_all(
        mut self,
        mut waiting: mpsc::Receiver<Vec<u8>>,
        mut strikes: mpsc::UnboundedReceiver<Strike>,
    ) -> std::io::Result<OwnedWriteHalf> {
        let line = Arc::clone(&self.line);
        loop {
            tokio::select! {
                biased;
                () = line.is_cut() => break,
                Some(strike) = strikes.recv() => {
                    // A client that does not read must not keep the end from coming.
                    line.unless_cut(self.suffer(strike, &mut waiting)).await?;
                }
                frame = waiting.recv() => match frame {
                    Some(frame) => line.unless_cut(self.write(frame)).await?,
                    None => return Ok(self.writer),
                },
            }
        }
        // Whoever still has something to say is not kept waiting.
        while waiting.recv().await.is_some() {}
        Ok(self.writer)
    }

    async fn suffer(&mut self, strike: Strike, waiting: &mut mpsc::Receiver<Vec<u8>>) -> std::io::Result<()> {
        let Strike { fault, cleared } = strike;
        let lasts = self.shared.clock.real(fault.lasts());
        let number = |name: &str| u32::try_from(fault.number(name)).unwrap_or(u32::MAX);
        match fault.kind() {
            FaultKind::Freeze => {
                tokio::select! {
                    () = cleared.cancelled() => {}
                    _ = self.line.pause(lasts) => {}
                }
            }
            FaultKind::SlowDrip => {
                let second = self.shared.clock.real(Duration::from_secs(1));
                let pause = (second / number("bytes_per_second").max(1)).max(SHORTEST_DRIP);
                let each = pause.as_secs_f64() / second.as_secs_f64() * f64::from(number("bytes_per_second"));
                // At any speed that comes out of it there is one byte at least, and no more than there can be.
                let bytes = Duration::try_from_secs_f64(each.ceil()).map_or(1, |whole| whole.as_secs());
                let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).max(1);
                self.drip = Some(Drip { pause, bytes, until: Instant::now() + lasts, cleared });
            }
            FaultKind::CutMidFrame | FaultKind::BadProto => self.next = Some((fault.kind(), cleared)),
            FaultKind::GarbageLength | FaultKind::OversizedFrame => {
                self.writer.write_all(&number("length").to_be_bytes()).await?;
                self.writer.write_all(&GARBAGE).await?;
                self.say_nothing(lasts, &cleared, waiting).await;
            }
            FaultKind::UnknownId => self.write(self.unknown(number("id"))).await?,
            FaultKind::TextFrame => self.write(self.other_dialect()).await?,
            FaultKind::MinusTwo => {
                let last = match self.dialect {
                    Dialect::Protobuf => broken::shutdown(),
                    Dialect::Text { .. } => text(b"-2\0"),
                };
                self.write(last).await?;
                self.line.cut();
            }
            _ => {}
        }
        Ok(())
    }

    /// After something that no client can make sense of: until it leaves, or long enough.
    async fn say_nothing(&self, lasts: Duration, cleared: &CancellationToken, waiting: &mut mpsc::Receiver<Vec<u8>>) {
        let enough = tokio::time::sleep(lasts);
        tokio::pin!(enough);
        loop {
            tokio::select! {
                () = &mut enough => break,
                () = cleared.cancelled() => break,
                () = self.line.is_cut() => break,
                frame = waiting.recv() => if frame.is_none() { break },
            }
        }
        self.line.cut();
    }

    async fn write(&mut self, frame: Vec<u8>) -> std::io::Result<()> {
        let next = self.next.take().filter(|(_, cleared)| !cleared.is_cancelled());
        match next.map(|(kind, _)| kind) {
            Some(FaultKind::CutMidFrame) => {
                self.writer.write_all(&frame[..frame.len() / 2]).await?;
                self.line.cut();
                Ok(())
            }
            Some(FaultKind::BadProto) => {
                let spoilt = match self.dialect {
                    Dialect::Protobuf => broken::unreadable(&frame),
                    Dialect::Text { .. } => text(b"17\0no number\0"),
                };
                self.drip(&spoilt).await
            }
            _ => self.drip(&frame).await,
        }
    }

    async fn drip(&mut self, mut bytes: &[u8]) -> std::io::Result<()> {
        while let Some(drip) = self.drip.as_ref().filter(|drip| drip.until > Instant::now()) {
            let (now, later) = bytes.split_at(drip.bytes.min(bytes.len()));
            self.writer.write_all(now).await?;
            bytes = later;
            if bytes.is_empty() {
                return Ok(());
            }
            let on = tokio::select! {
                () = drip.cleared.cancelled() => false,
                on = self.line.pause(drip.pause) => on,
            };
            if !on {
                break;
            }
        }
        self.drip = None;
        if self.line.was_cut() { Ok(()) } else { self.writer.write_all(bytes).await }
    }

    fn unknown(&self, id: u32) -> Vec<u8> {
        match self.dialect {
            Dialect::Protobuf => broken::unknown(id),
            Dialect::Text { .. } => text(format!("{id}\0\x31\0").as_bytes()),
        }
    }

    fn other_dialect(&self) -> Vec<u8> {
        match self.dialect {
            Dialect::Protobuf => broken::text_notice(),
            Dialect::Text { .. } => broken::unknown(4),
        }
    }
}

fn text(body: &[u8]) -> Vec<u8> {
    crate::protocol::frame::whole(&[body]).unwrap_or_default()
}
