//! Writes to one connection, in the way that faults allow.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::connection::watched;
use super::line::{Line, Strike};
use crate::faults::FaultKind;
use crate::protocol::dialect::Dialect;
use crate::protocol::frame::{self, broken};

/// Bytes are not written one by one more often than this.
const SHORTEST_DRIP: Duration = Duration::from_millis(2);
/// Behind a length that cannot be one.
const GARBAGE: [u8; 64] = [0x5a; 64];

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
        if self.line.was_cut() {
            return Ok(());
        }
        watched(&self.shared, self.line.number, self.writer.write_all(bytes)).await
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
    frame::whole(&[body]).unwrap_or_default()
}
