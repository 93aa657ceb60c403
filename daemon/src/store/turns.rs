//! Whose turn it is to decode, and how much of what was decoded is held for readers: a crowd of them must not need a crowd of
//! threads, nor the memory of as many years.

use std::{num::NonZero, sync::Arc, thread};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Store, cache::ROW_BYTES};

/// Decodes at once, for each processor: one that reads its file, and one that decodes.
const TURNS_A_PROCESSOR: usize = 2;
/// Of bars that are held for readers, all together, beside those of the cache.
const ROOM_KIB: u32 = 512 << 10;

#[derive(Debug)]
pub(super) struct Turns {
    decoding: Arc<Semaphore>,
    room: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let decoding = Arc::new(Semaphore::new(TURNS_A_PROCESSOR * processors));
        Self { decoding, room: Arc::new(Semaphore::new(ROOM_KIB as usize)) }
    }
}

/// The right to hold so many bars, until it is dropped.
#[derive(Debug)]
pub struct Room {
    _held: OwnedSemaphorePermit,
}

impl Store {
    /// Does what reads and decodes, when it is its turn, on a thread that may block. `None`: it met a defect. It must not wait for
    /// a client: others wait for the turn.
    pub async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let turn = self.turns.decoding.clone().acquire_owned().await.ok()?;
        let working = tokio::task::spawn_blocking(move || {
            let done = work();
            // not before, whoever has stopped waiting for it
            drop(turn);
            done
        });
        working.await.ok()
    }

    /// Room for so many bars, if there is any now. More than there is in all gets all of it.
    pub fn room_for(&self, bars: usize) -> Option<Room> {
        let bytes = u64::try_from(bars).unwrap_or(u64::MAX).saturating_mul(ROW_BYTES);
        let kib = u32::try_from(bytes >> 10).unwrap_or(u32::MAX).clamp(1, ROOM_KIB);
        let held = self.turns.room.clone().try_acquire_many_owned(kib).ok()?;
        Some(Room { _held: held })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Layout;

    #[tokio::test]
    async fn there_is_room_for_one_that_is_too_large_and_for_many_that_are_not_and_then_for_none() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Layout::new(folder.path().to_path_buf())).unwrap();
        let all = store.room_for(usize::MAX).unwrap();
        assert!(store.room_for(1).is_none());
        drop(all);
        let half = (ROOM_KIB as usize / 2) << 10;
        let rows = half / usize::try_from(ROW_BYTES).unwrap();
        let (one, two) = (store.room_for(rows), store.room_for(rows));
        assert!(one.is_some() && two.is_some() && store.room_for(rows).is_none());
        assert_eq!(store.in_turn(|| 1).await, Some(1));
    }
}
