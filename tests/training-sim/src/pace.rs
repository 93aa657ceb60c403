//! How much training a moment is worth: the time of an epoch, and how it was changed on the way.

use std::time::Duration;

/// Since the simulator began.
pub(crate) type Moment = Duration;

/// Work of one epoch. Work is counted in millionths of an epoch, so that everything stays whole numbers.
pub(crate) const EPOCH: u64 = 1_000_000;

#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: Moment,
    /// Done when it began.
    work: u64,
    epoch_ms: u64,
}

/// From moments to work and back, over all changes of speed.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    first: Stretch,
    later: Vec<Stretch>,
}

impl Pace {
    pub(crate) fn new(epoch_ms: u64) -> Self {
        Self { first: Stretch { from: Moment::ZERO, work: 0, epoch_ms: epoch_ms.max(1) }, later: Vec::new() }
    }

    pub(crate) fn change(&mut self, now: Moment, epoch_ms: u64) {
        self.later.push(Stretch { from: now, work: self.work_at(now), epoch_ms: epoch_ms.max(1) });
    }

    pub(crate) fn epoch_ms(&self) -> u64 {
        self.later.last().unwrap_or(&self.first).epoch_ms
    }

    pub(crate) fn work_at(&self, moment: Moment) -> u64 {
        let stretch = self.later.iter().rev().find(|stretch| stretch.from <= moment).unwrap_or(&self.first);
        let micros = moment.saturating_sub(stretch.from).as_micros();
        let done = micros.saturating_mul(1_000) / u128::from(stretch.epoch_ms);
        stretch.work.saturating_add(u64::try_from(done).unwrap_or(u64::MAX))
    }

    /// The first moment at which so much is done.
    pub(crate) fn moment_of(&self, work: u64) -> Moment {
        let stretch = self.later.iter().rev().find(|stretch| stretch.work <= work).unwrap_or(&self.first);
        let micros = u128::from(work - stretch.work) * u128::from(stretch.epoch_ms);
        stretch.from.saturating_add(Duration::from_micros(u64::try_from(micros.div_ceil(1_000)).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{EPOCH, Pace};

    #[test]
    fn work_is_time_over_the_length_of_an_epoch() {
        let mut pace = Pace::new(200);
        assert_eq!(pace.work_at(Duration::from_millis(300)), EPOCH * 3 / 2);
        assert_eq!(pace.moment_of(EPOCH * 3 / 2), Duration::from_millis(300));
        pace.change(Duration::from_millis(400), 10);
        assert_eq!(pace.work_at(Duration::from_millis(300)), EPOCH * 3 / 2);
        assert_eq!(pace.work_at(Duration::from_millis(420)), EPOCH * 4);
        assert_eq!(pace.moment_of(EPOCH * 4), Duration::from_millis(420));
        assert_eq!(pace.moment_of(EPOCH), Duration::from_millis(200));
    }

    #[test]
    fn back_and_forth_never_falls_short() {
        let pace = Pace::new(7);
        for work in [0, 1, 13, 999_999, EPOCH, 7 * EPOCH + 3] {
            assert!(pace.work_at(pace.moment_of(work)) >= work, "{work}");
        }
    }
}
