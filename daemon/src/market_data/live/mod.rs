//! Live bars: one subscription at the gateway for all who watch a series.
//!
//! `assembly` says which bars are over, `follow` asks the gateway, `fill` asks it for what was left out, `feed` tells the watchers, `keeping`
//! stores. Here: who watches what, and that the last one who leaves ends it.

mod assembly;
mod claim;
mod feed;
mod fill;
mod follow;
mod keeping;
mod request;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::sync::watch;
use tracing::Instrument;

use super::{MarketData, MarketDataError};
use crate::model::{Basis, SeriesKey};
use claim::Run;
use feed::{Feed, Place};
pub use feed::{LiveEvent, LivePhase, LiveState};
use follow::Follower;
use keeping::{Keeping, Kept};
pub use request::LiveRequest;

/// Closed bars to begin with, at most.
const HISTORY_MAX: u32 = 300;
/// A subscription that nobody watches any more goes on for so long: who comes back at once finds it, and IB counts the
/// same request within 15 s.
const LINGER: Duration = Duration::from_secs(5);

/// One who watches. Dropping it is leaving.
#[derive(Debug)]
pub struct LiveWatch {
    place: Place,
    _kept: Option<Arc<Kept>>,
}

impl LiveWatch {
    /// The next event; `None` after the error that ended the subscription. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<LiveEvent, Arc<MarketDataError>>> {
        self.place.next().await
    }
}

type Name = (SeriesKey, Basis);

/// One subscription.
#[derive(Debug)]
struct Entry {
    feed: watch::Sender<Feed>,
    kept: Weak<Kept>,
}

/// All subscriptions.
#[derive(Debug, Clone, Default)]
pub(super) struct Live(Arc<Mutex<HashMap<Name, Entry>>>);

impl Live {
    fn entries(&self) -> MutexGuard<'_, HashMap<Name, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns once nobody has watched for a while, and nobody can begin to any more.
    async fn is_left(&self, name: &Name, feed: &watch::Sender<Feed>) {
        loop {
            feed.closed().await;
            tokio::time::sleep(LINGER).await;
            let mut entries = self.entries();
            if feed.receiver_count() == 0 {
                entries.remove(name);
                return;
            }
        }
    }
}

/// Takes a subscription out of the list and tells its watchers, however its task ends.
struct Listed {
    live: Live,
    name: Name,
    feed: watch::Sender<Feed>,
}

impl Listed {
    fn ends(&self, error: MarketDataError) {
        let mut entries = self.live.entries();
        if entries.get(&self.name).is_some_and(|entry| entry.feed.same_channel(&self.feed)) {
            entries.remove(&self.name);
        }
        self.feed.send_modify(|feed| feed.ends(error));
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.ends(MarketDataError::Defect);
    }
}

impl MarketData {
    /// Watches a series as it is traded. What is wrong with the request is told at once, everything else by the events.
    pub fn watch(&self, request: LiveRequest) -> Result<LiveWatch, MarketDataError> {
        request.check(&self.reference.store)?;
        let LiveRequest { key, basis, keep, history } = request;
        let name = (key, basis);
        let mut entries = self.live.entries();
        let entry = entries.entry(name.clone()).or_insert_with(|| {
            let feed = watch::Sender::new(Feed::new());
            self.follow(name.clone(), feed.clone(), history > 0);
            Entry { feed, kept: Weak::new() }
        });
        let place = Place::new(entry.feed.subscribe(), history.into());
        let place = if keep { place.of_keeper() } else { place };
        let kept = keep.then(|| {
            entry.kept.upgrade().unwrap_or_else(|| {
                let kept = self.keep_live(name, &entry.feed);
                entry.kept = Arc::downgrade(&kept);
                kept
            })
        });
        Ok(LiveWatch { place, _kept: kept })
    }

    /// The task lasts for as long as somebody watches.
    fn follow(&self, name: Name, feed: watch::Sender<Feed>, wants_history: bool) {
        let (live, (key, basis)) = (self.live.clone(), name.clone());
        let mut follower = Follower::new(key, basis, self.reference.clone(), feed.clone(), wants_history);
        let follow = async move {
            let listed = Listed { live: live.clone(), name: name.clone(), feed: feed.clone() };
            tokio::select! {
                () = live.is_left(&name, &feed) => {}
                error = follower.run() => listed.ends(error),
            }
        };
        tokio::spawn(follow.in_current_span());
    }

    fn keep_live(&self, (key, basis): Name, feed: &watch::Sender<Feed>) -> Arc<Kept> {
        let (store, occupancy) = (self.reference.store.clone(), self.occupancy.clone());
        let (kept, left) = Kept::new();
        let place = Place::new(feed.subscribe(), HISTORY_MAX.into());
        let keeping = Keeping { key, basis, store, occupancy, feed: feed.clone(), run: Run::default() };
        tokio::spawn(keeping.run(place, left).in_current_span());
        kept
    }
}
