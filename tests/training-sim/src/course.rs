//! What becomes of a session as work is done on it: a pure function.

use crate::pace::EPOCH;

/// How long data is looked for before a session without any fails.
const SEARCH: u64 = EPOCH / 4;
/// How long a pipeline loads, and then builds its model, before the first epoch.
const PIPELINE: u64 = EPOCH / 2;

/// When a session fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failing {
    BeforeTraining,
    AtEpoch(u32),
}

/// All that decides how a session runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Course {
    /// Epochs it trains, whatever it reports.
    pub(crate) epochs: u32,
    /// Batches really run in an epoch.
    pub(crate) batches: u32,
    /// The first epoch; not 0 after a resume.
    pub(crate) first: u32,
    /// Loads data and builds a model first.
    pub(crate) pipeline: bool,
    pub(crate) failing: Option<Failing>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Loading,
    Building,
    Training,
    Completed,
    Failed,
}

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) phase: Phase,
    /// The running one, counted from 0; one more at its end.
    pub(crate) epoch: u32,
    /// From 1 on in each epoch.
    pub(crate) batch: u32,
    /// The epoch is over and its successor has not begun: `batch` is the last one of the epoch before `epoch`.
    pub(crate) at_end: bool,
}

impl Course {
    /// Each epoch has as many slots as batches, and one for its end.
    pub(crate) fn at(&self, work: u64) -> Point {
        let before = self.before_training();
        if self.failing == Some(Failing::BeforeTraining) {
            let phase = if work < SEARCH { Phase::Loading } else { Phase::Failed };
            return Point { phase, epoch: self.first, batch: 0, at_end: false };
        }
        if work < before {
            let phase = if work < before / 2 { Phase::Loading } else { Phase::Building };
            return Point { phase, epoch: self.first, batch: 0, at_end: false };
        }
        if work >= self.work() {
            return self.last();
        }
        let trained = work - before;
        let epoch = self.first.saturating_add(u32::try_from(trained / EPOCH).unwrap_or(u32::MAX));
        let slot = u32::try_from(trained % EPOCH * (u64::from(self.batches) + 1) / EPOCH).unwrap_or(self.batches);
        if slot < self.batches {
            Point { phase: Phase::Training, epoch, batch: slot + 1, at_end: false }
        } else {
            self.end_of(epoch, Phase::Training)
        }
    }

    /// Work until it ends by itself.
    pub(crate) fn work(&self) -> u64 {
        match self.failing {
            Some(Failing::BeforeTraining) => SEARCH,
            _ => self.before_training() + u64::from(self.last_epoch() - self.first) * EPOCH,
        }
    }

    fn before_training(&self) -> u64 {
        if self.pipeline { PIPELINE } else { 0 }
    }

    fn last_epoch(&self) -> u32 {
        let planned = self.epochs.max(self.first);
        match self.failing {
            Some(Failing::AtEpoch(epoch)) => epoch.clamp(self.first, planned),
            _ => planned,
        }
    }

    fn last(&self) -> Point {
        let fails = matches!(self.failing, Some(Failing::AtEpoch(epoch)) if epoch < self.epochs);
        let phase = if fails { Phase::Failed } else { Phase::Completed };
        match self.last_epoch().checked_sub(1) {
            Some(epoch) if epoch >= self.first => self.end_of(epoch, phase),
            _ => Point { phase, epoch: self.first, batch: 0, at_end: false },
        }
    }

    fn end_of(&self, epoch: u32, phase: Phase) -> Point {
        Point { phase, epoch: epoch + 1, batch: self.batches, at_end: true }
    }
}

impl Point {
    /// Epochs that are over.
    pub(crate) fn epochs_done(&self) -> u32 {
        self.epoch
    }

    /// Batches of the running epoch that are over.
    pub(crate) fn batches_of_epoch(&self) -> u32 {
        if self.at_end { 0 } else { self.batch }
    }
}

#[cfg(test)]
mod tests {
    use super::{Course, Failing, Phase, Point};
    use crate::pace::EPOCH;

    const PLAIN: Course = Course { epochs: 3, batches: 33, first: 0, pipeline: false, failing: None };

    fn point(phase: Phase, epoch: u32, batch: u32, at_end: bool) -> Point {
        Point { phase, epoch, batch, at_end }
    }

    #[test]
    fn an_epoch_counts_its_batches_and_then_jumps() {
        assert_eq!(PLAIN.at(0), point(Phase::Training, 0, 1, false));
        assert_eq!(PLAIN.at(EPOCH / 2), point(Phase::Training, 0, 18, false));
        assert_eq!(PLAIN.at(EPOCH - 1), point(Phase::Training, 1, 33, true));
        assert_eq!(PLAIN.at(EPOCH), point(Phase::Training, 1, 1, false));
        assert_eq!(PLAIN.at(3 * EPOCH), point(Phase::Completed, 3, 33, true));
        assert_eq!(PLAIN.work(), 3 * EPOCH);
    }

    #[test]
    fn nothing_ever_goes_back() {
        let course = Course { pipeline: true, ..PLAIN };
        let points = (0..400).map(|step| course.at(step * EPOCH / 100));
        let order: Vec<_> = points.map(|at| (at.epochs_done(), at.batches_of_epoch())).collect();
        assert!(order.is_sorted(), "{order:?}");
    }

    #[test]
    fn no_epochs_are_over_at_once() {
        assert_eq!(Course { epochs: 0, ..PLAIN }.at(0), point(Phase::Completed, 0, 0, false));
    }

    #[test]
    fn failures_have_their_time() {
        let without_data = Course { failing: Some(Failing::BeforeTraining), ..PLAIN };
        assert_eq!(without_data.at(0), point(Phase::Loading, 0, 0, false));
        assert_eq!(without_data.at(EPOCH), point(Phase::Failed, 0, 0, false));
        let halfway = Course { failing: Some(Failing::AtEpoch(2)), ..PLAIN };
        assert_eq!(halfway.at(2 * EPOCH), point(Phase::Failed, 2, 33, true));
        let never = Course { failing: Some(Failing::AtEpoch(9)), ..PLAIN };
        assert_eq!(never.at(3 * EPOCH).phase, Phase::Completed);
    }

    #[test]
    fn a_pipeline_loads_and_builds_first_and_a_resume_goes_on() {
        let resumed = Course { epochs: 5, first: 3, pipeline: true, ..PLAIN };
        assert_eq!(resumed.at(0), point(Phase::Loading, 3, 0, false));
        assert_eq!(resumed.at(EPOCH * 2 / 5), point(Phase::Building, 3, 0, false));
        assert_eq!(resumed.at(EPOCH / 2), point(Phase::Training, 3, 1, false));
        assert_eq!(resumed.at(EPOCH * 5 / 2), point(Phase::Completed, 5, 33, true));
    }
}
