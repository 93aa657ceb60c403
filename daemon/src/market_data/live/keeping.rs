//! Live bars into the store: one more watcher, which writes what closes, in batches.
//!
//! A partition is written as a whole, so a batch waits half a minute; what is not written when the daemon dies is asked of
//! history by the next load. The unfinished bar is never stored.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    claim::Run,
    feed::{Feed, LiveEvent, Place},
};
use crate::{
    clock,
    error::Failure,
    market_data::{
        MarketDataError,
        keep::{Delivery, Keeper},
        occupancy::{Occupancy, Writer},
    },
    model::{Bars, Basis, Nanos, SeriesKey, Source, TimeRange},
    store::{CoverageKind, Store},
};

/// How long closed bars wait for others to be written with.
const BATCH_TIME: Duration = Duration::from_secs(30);

/// Writes one series while somebody wants it kept.
pub(super) struct Keeping {
    pub(super) key: SeriesKey,
    pub(super) basis: Basis,
    pub(super) store: Store,
    pub(super) occupancy: Occupancy,
    /// Where failures are told.
    pub(super) feed: watch::Sender<Feed>,
    pub(super) run: Run,
}

/// Closed bars in one piece.
#[derive(Debug, Default)]
struct Piece {
    bars: Bars,
    /// Bars may be missing before the first of them.
    gap_before: bool,
}

impl Keeping {
    /// To the end of the subscription, or until `left`; what has closed by then is written.
    pub(super) async fn run(mut self, mut place: Place, left: CancellationToken) {
        let mut pieces = Vec::new();
        // collecting may be broken off at any point, writing may not
        while left.run_until_cancelled(self.collect(&mut place, &mut pieces)).await == Some(true) {
            let next = next_start(&place, &pieces);
            self.write(std::mem::take(&mut pieces), next).await;
        }
        while let Some(Ok(event)) = place.event() {
            self.take(event, &mut pieces);
        }
        let next = next_start(&place, &pieces);
        // writing may have to wait for a load; the subscription need not
        drop(place);
        self.write(pieces, next).await;
    }

    /// A batch's time of bars, from the first on; whether there is more to come.
    async fn collect(&self, place: &mut Place, pieces: &mut Vec<Piece>) -> bool {
        let mut until = None;
        loop {
            let event = tokio::select! {
                event = place.next() => event,
                () = deadline(until) => return true,
            };
            let Some(Ok(event)) = event else { return false };
            self.take(event, pieces);
            if !pieces.is_empty() {
                until.get_or_insert(tokio::time::Instant::now() + BATCH_TIME);
            }
        }
    }

    fn take(&self, event: LiveEvent, pieces: &mut Vec<Piece>) {
        match event {
            LiveEvent::Closed { bars, gap_before, .. } => match pieces.last_mut() {
                Some(last) if !gap_before => bars.iter().for_each(|bar| last.bars.push(bar)),
                _ => pieces.push(Piece { bars, gap_before }),
            },
            LiveEvent::Missed(bars) => {
                self.tell(bars, Failure::from(&MarketDataError::Behind));
                pieces.push(Piece { bars: Bars::default(), gap_before: true });
            }
            LiveEvent::State(_) | LiveEvent::Running(_) | LiveEvent::NotKept { .. } => {}
        }
    }

    /// `next`: the start of the bar after the last of them.
    async fn write(&mut self, pieces: Vec<Piece>, next: Option<Nanos>) {
        let count = pieces.len();
        for (number, piece) in (1..).zip(pieces) {
            if piece.gap_before {
                self.run.leave_gap();
            }
            let bars = piece.bars.len() as u64;
            let next = next.filter(|_| number == count);
            match self.store(piece.bars, next).await {
                Ok(()) => tracing::debug!(series = %self.key, bars, "live bars kept"),
                Err(error) => {
                    self.run.leave_gap();
                    self.tell(bars, Failure::from(&error));
                }
            }
        }
    }

    fn tell(&self, bars: u64, why: Failure) {
        tracing::warn!(series = %self.key, bars, error = why.messages.join(": "), "live bars were not kept");
        self.feed.send_modify(|feed| feed.keeps_not(bars, Arc::new(why)));
    }

    /// Waits for whoever writes the series, then merges. What is known already came from history, which is better.
    async fn store(&mut self, bars: Bars, next: Option<Nanos>) -> Result<(), MarketDataError> {
        let (Some(&first), Some(&last)) = (bars.start.first(), bars.start.last()) else { return Ok(()) };
        let range = TimeRange::new(first, last.saturating_add(1)).map_err(|_| MarketDataError::RangeInvalid)?;
        let occupied = self.occupancy.wait_and_occupy(&self.key, Writer::brief(), |_| true).await;
        let occupied = occupied.map_err(|_| MarketDataError::Defect)?;
        let state = self.store.state(&self.key).filter(|state| state.bars() > 0);
        if let Some(stored) = state.as_ref().map(|state| state.basis).filter(|stored| *stored != self.basis) {
            return Err(MarketDataError::SessionMismatch { key: self.key.clone(), stored, asked: self.basis });
        }
        let known = state.map(|state| state.coverage.clone()).unwrap_or_default();
        let claimed = self.run.claim(&bars, next, self.key.timeframe, &known);
        let delivery = Delivery {
            operation: "live".into(),
            basis: self.basis,
            source: Source::Gateway,
            assumed: false,
            bars: bars.iter().filter(|bar| !known.contains(bar.start)).collect(),
            evidence: Some(bars),
            range,
            cover: claimed.map(|claimed| (claimed, CoverageKind::Bars)).into_iter().collect(),
            as_of: clock::now(),
            import: None,
            keep_old: None,
        };
        let (store, key) = (self.store.clone(), self.key.clone());
        let kept = tokio::task::spawn_blocking(move || {
            let _occupied = occupied;
            let mut keeper = Keeper::new(store, key);
            keeper.keep(delivery)?;
            keeper.damage().map_or(Ok(()), |damage| Err(damage.into()))
        });
        kept.await.map_err(|_| MarketDataError::Defect)?
    }
}

fn next_start(place: &Place, pieces: &[Piece]) -> Option<Nanos> {
    place.next_start(*pieces.last()?.bars.start.last()?)
}

/// For ever without one.
async fn deadline(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Held by each watcher that wants the bars kept; the last one ends it.
#[derive(Debug)]
pub(super) struct Kept(CancellationToken);

impl Kept {
    pub(super) fn new() -> (Arc<Self>, CancellationToken) {
        let left = CancellationToken::new();
        (Arc::new(Self(left.clone())), left)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
