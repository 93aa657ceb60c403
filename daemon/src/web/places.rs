//! So many connections at once. When all places are taken, the connection that has been at its own leisure longest makes room: one that
//! asks nothing, or does not take what it asked for. One whose answer is being made never does.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

/// From an answer to the next request: for taking it, and for silence.
const LEISURE: Duration = Duration::from_mins(5);

/// All of them; cheap to clone.
#[derive(Clone)]
pub(super) struct Places(Arc<Inner>);

struct Inner {
    most: usize,
    taken: Mutex<Taken>,
    freed: Notify,
}

#[derive(Default)]
struct Taken {
    came: u64,
    places: HashMap<u64, State>,
}

struct State {
    /// Since when it has had its leisure; none while an answer is made.
    leisure: Option<Instant>,
    close: CancellationToken,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Inner { most, taken: Mutex::default(), freed: Notify::new() }))
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits only while an answer is being made at each of them.
    pub(super) async fn take(&self) -> Place {
        loop {
            let freed = self.0.freed.notified();
            if let Some(place) = self.try_take() {
                return place;
            }
            freed.await;
        }
    }

    fn try_take(&self) -> Option<Place> {
        let mut taken = self.taken();
        if taken.places.len() >= self.0.most {
            let idle = taken.places.iter().filter_map(|(id, state)| Some((state.leisure?, *id)));
            let (_, longest) = idle.min()?;
            taken.places.remove(&longest)?.close.cancel();
        }
        taken.came += 1;
        let (id, close) = (taken.came, CancellationToken::new());
        taken.places.insert(id, State { leisure: Some(Instant::now()), close: close.clone() });
        Some(Place { id, close, places: self.clone() })
    }
}

/// The right to be connected, for as long as it lives.
pub(super) struct Place {
    id: u64,
    close: CancellationToken,
    places: Places,
}

impl Place {
    fn set(&self, leisure: Option<Instant>) {
        if let Some(state) = self.places.taken().places.get_mut(&self.id) {
            state.leisure = leisure;
        }
        // who waits may have one that has its leisure now
        self.places.0.freed.notify_one();
    }

    /// Makes an answer; it is not disturbed meanwhile.
    pub(super) async fn at_work<T>(&self, work: impl Future<Output = T>) -> T {
        self.set(None);
        let done = work.await;
        self.goes_on();
        done
    }

    /// Its leisure begins anew: an answer is made, or a part of one was taken.
    pub(super) fn goes_on(&self) {
        self.set(Some(Instant::now()));
    }

    /// When it has to go.
    pub(super) async fn has_to_go(&self) {
        let overstayed = async {
            loop {
                let leisure = self.places.taken().places.get(&self.id).and_then(|state| state.leisure);
                let until = leisure.unwrap_or_else(Instant::now) + LEISURE;
                if leisure.is_some() && until <= Instant::now() {
                    return;
                }
                tokio::time::sleep_until(until).await;
            }
        };
        self.close.run_until_cancelled(overstayed).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().places.remove(&self.id);
        self.places.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn goes(place: &Place) -> bool {
        place.has_to_go().now_or_never().is_some()
    }

    #[tokio::test]
    async fn the_longest_at_leisure_makes_room_and_one_that_is_answered_never_does() {
        let places = Places::new(2);
        let (first, second) = (places.take().await, places.take().await);
        let third = first.at_work(places.take()).await;
        assert_eq!([&first, &second, &third].map(goes), [false, true, false]);
        let mut waiting = Box::pin(places.take());
        let none = first.at_work(third.at_work(async { (&mut waiting).now_or_never().is_none() })).await;
        assert!(none, "both are at work");
        drop(third);
        waiting.await;
        assert!(!goes(&first), "there was a free one");
    }

    #[tokio::test]
    async fn one_that_does_not_take_its_answer_goes_in_the_end() {
        let place = Places::new(2).take().await;
        assert!(!goes(&place));
        place.set(Some(Instant::now() - LEISURE));
        assert!(goes(&place));
        assert!(!place.at_work(async { goes(&place) }).await);
    }
}
