//! Live bars into the store: one more watcher, which writes what closes, in batches.
//!
//! A partition is written as a whole, so a batch waits half a minute; what is not written when the daemon dies is asked of
//! history by the next load. The unfinished bar is never stored.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    claim::Run,
    feed::{LiveEvent, Place},
};
use crate::{
    clock,
    market_data::{
        MarketDataError,
        keep::{Delivery, Keeper},
        occupancy::{Occupancy, Writer},
    },
    model::{Bars, Basis, SeriesKey, Source, TimeRange},
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
    pub(super) place: Place,
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
    pub(super) async fn run(mut self, left: CancellationToken) {
        let (mut run, mut pieces) = (Run::default(), Vec::new());
        loop {
            // collecting may be broken off at any point, writing may not
            let ends = left.run_until_cancelled(self.collect(&mut pieces)).await.is_none_or(|more| !more);
            if ends {
                while let Some(Ok(event)) = self.place.event() {
                    self.take(event, &mut pieces);
                }
            }
            for piece in std::mem::take(&mut pieces) {
                self.write(&mut run, piece).await;
            }
            if ends {
                return;
            }
        }
    }

    /// A batch's time of bars, from the first on; whether there is more to come.
    async fn collect(&mut self, pieces: &mut Vec<Piece>) -> bool {
        let mut until = None;
        loop {
            let event = tokio::select! {
                event = self.place.next() => event,
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
                tracing::warn!(series = %self.key, bars, "live bars were not kept: the store was busy for too long");
                pieces.push(Piece { bars: Bars::default(), gap_before: true });
            }
            LiveEvent::State(_) | LiveEvent::Running(_) => {}
        }
    }

    async fn write(&self, run: &mut Run, piece: Piece) {
        if piece.gap_before {
            run.leave_gap();
        }
        let count = piece.bars.len();
        match self.store(run, piece.bars).await {
            Ok(()) => tracing::debug!(series = %self.key, bars = count, "live bars kept"),
            Err(error) => {
                run.leave_gap();
                let told = crate::error::chain(&error).join(": ");
                tracing::warn!(series = %self.key, error = told, bars = count, "live bars were not kept");
            }
        }
    }

    /// Waits for whoever writes the series, then merges.
    async fn store(&self, run: &mut Run, bars: Bars) -> Result<(), MarketDataError> {
        let (Some(&first), Some(&last)) = (bars.start.first(), bars.start.last()) else { return Ok(()) };
        let range = TimeRange::new(first, last.saturating_add(1)).map_err(|_| MarketDataError::RangeInvalid)?;
        let occupied = self.occupancy.wait_and_occupy(&self.key, Writer::live(), |_| true).await;
        let occupied = occupied.map_err(|_| MarketDataError::Defect)?;
        let state = self.store.state(&self.key).filter(|state| state.bars() > 0);
        if let Some(stored) = state.as_ref().map(|state| state.basis).filter(|stored| *stored != self.basis) {
            return Err(MarketDataError::SessionMismatch { key: self.key.clone(), stored, asked: self.basis });
        }
        let known = state.map(|state| state.coverage.clone()).unwrap_or_default();
        let claimed = run.claim(&bars, self.place.next_start(last), self.key.timeframe, &known);
        let delivery = Delivery {
            basis: self.basis,
            source: Source::Gateway,
            assumed: false,
            bars,
            range,
            cover: claimed.map(|claimed| (claimed, CoverageKind::Bars)).into_iter().collect(),
            as_of: clock::now(),
            import: None,
        };
        let (store, key) = (self.store.clone(), self.key.clone());
        let kept = tokio::task::spawn_blocking(move || {
            let _occupied = occupied;
            let mut keeper = Keeper::new(store, key);
            keeper.keep(delivery)?;
            keeper.damage().map_or(Ok(()), Err)
        });
        Ok(kept.await.map_err(|_| MarketDataError::Defect)??)
    }
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
