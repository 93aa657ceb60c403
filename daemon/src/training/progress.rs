//! How far a session is (pure): never back, never whole before its end, with an estimate of what is left.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::report::Report;

/// Values of the loss that travel with the progress.
const CURVE_MAX: usize = 60;

/// What only trainings tell beside the common progress; kept as its `detail`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Detail {
    /// Empty while it waits for a slot.
    pub host: String,
    /// 1 is the next; 0 once it has a slot.
    pub queue_position: u32,
    /// Finished ones.
    pub epoch: u32,
    /// All of them.
    pub epochs: u32,
    /// Of the running epoch.
    pub batch: u32,
    /// Of the running epoch.
    pub batches: u32,
    /// The last of `train_loss`.
    pub loss: Option<f64>,
    /// 0 to 1.
    pub accuracy: Option<f64>,
    /// The last of `val_loss`.
    pub validation_loss: Option<f64>,
    /// 0 to 1.
    pub validation_accuracy: Option<f64>,
    /// An epoch a value, thinned.
    pub loss_curve: Vec<f64>,
    /// What the host says about itself.
    pub gpu: String,
    /// Used and in all.
    pub gpu_memory_mb: Option<(f64, f64)>,
    /// From the pace so far.
    pub seconds_left: Option<f64>,
    /// As the host spells it.
    pub host_state: String,
}

/// What has been seen of a session so far; reports may be stale, fall back or tell less than the one before.
#[derive(Debug, Clone, Default)]
pub(super) struct Track {
    asked: u32,
    /// 0 to 1.
    share: f64,
    epoch: u32,
    /// Seconds of the session when it was first seen at work, and how far it was.
    begun: Option<(f64, f64)>,
    curves: BTreeMap<String, Vec<f64>>,
}

impl Track {
    pub(super) fn new(epochs: u32) -> Self {
        Self { asked: epochs, ..Self::default() }
    }

    /// By name, one value an epoch.
    pub(super) fn curves(&self) -> &BTreeMap<String, Vec<f64>> {
        &self.curves
    }

    pub(super) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// What we asked for: while they load, and when they were told nothing, the services say 100.
    fn epochs(&self, report: &Report) -> u32 {
        if self.asked > 0 { self.asked } else { report.epochs }
    }

    /// Takes a report in, `now` seconds after some fixed instant; gives the share done, 0 to 1.
    pub(super) fn see(&mut self, report: &Report, now: f64) -> f64 {
        let epochs = self.epochs(report);
        // at an epoch's end the batch counter still stands at its full count
        let at_end = report.epoch > self.epoch || (report.batches > 0 && report.batch >= report.batches);
        let within =
            if at_end || report.batches == 0 { 0.0 } else { f64::from(report.batch) / f64::from(report.batches) };
        let counted = if epochs == 0 { 0.0 } else { (f64::from(report.epoch) + within.min(1.0)) / f64::from(epochs) };
        let share = report.share.unwrap_or(0.0).max(counted);
        self.epoch = self.epoch.max(report.epoch);
        self.share = self.share.max(share.clamp(0.0, 1.0));
        if self.share > 0.0 && self.begun.is_none() {
            self.begun = Some((now, self.share));
        }
        for (name, values) in &report.curves {
            let known = self.curves.entry(name.clone()).or_default();
            if values.len() >= known.len() {
                known.clone_from(values);
            }
        }
        self.share
    }

    /// Seconds; once two percent were seen to pass.
    pub(super) fn seconds_left(&self, now: f64) -> Option<f64> {
        let (since, from) = self.begun?;
        let (passed, took) = (self.share - from, now - since);
        (passed >= 0.02 && took > 0.0).then(|| took / passed * (1.0 - self.share))
    }

    /// What is told.
    pub(super) fn detail(&self, report: &Report, now: f64) -> Detail {
        let last = |name: &str| self.curves.get(name)?.iter().rev().find(|value| value.is_finite()).copied();
        let loss = self.curves.get("train_loss").map(|values| thinned(values, CURVE_MAX)).unwrap_or_default();
        Detail {
            epoch: self.epoch,
            epochs: self.epochs(report),
            batch: if report.batches > 0 { report.batch.min(report.batches) } else { report.batch },
            batches: report.batches,
            loss: last("train_loss"),
            accuracy: last("train_accuracy"),
            validation_loss: last("val_loss"),
            validation_accuracy: last("val_accuracy"),
            // JSON has no NaN
            loss_curve: loss.into_iter().filter(|value| value.is_finite()).collect(),
            gpu_memory_mb: report.gpu_memory,
            seconds_left: self.seconds_left(now),
            host_state: report.word.clone(),
            ..Detail::default()
        }
    }
}

/// At most `most` values, evenly spread, the first and the last among them.
pub(super) fn thinned(values: &[f64], most: usize) -> Vec<f64> {
    if values.len() <= most || most < 2 {
        return values.iter().copied().take(most.max(1)).collect();
    }
    (0..most).map(|at| values[at * (values.len() - 1) / (most - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::report::Phase;

    fn at(epoch: u32, epochs: u32, batch: u32, batches: u32) -> Report {
        Report {
            id: "x".into(),
            word: "running".into(),
            phase: Phase::Running,
            known: true,
            epoch,
            epochs,
            batch,
            batches,
            share: None,
            error: None,
            curves: BTreeMap::new(),
            gpu_memory: None,
            summary: None,
        }
    }

    #[test]
    fn it_moves_within_the_first_epoch_and_does_not_jump_at_its_end() {
        let mut track = Track::new(4);
        let shares: Vec<f64> = [at(0, 4, 8, 32), at(0, 4, 16, 32), at(1, 4, 32, 32), at(1, 4, 33, 32), at(1, 4, 8, 32)]
            .iter()
            .map(|report| track.see(report, 0.0))
            .collect();
        assert_eq!(shares, [0.0625, 0.125, 0.25, 0.25, 0.3125]);
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_it_never_goes_back_and_never_beyond(
            reports in proptest::collection::vec((0u32..9, 0u32..6, 0u32..40, 0u32..33), 1..50),
        ) {
            let mut track = Track::new(5);
            let mut last = 0.0;
            for (number, (epoch, epochs, batch, batches)) in (0u32..).zip(reports) {
                let report = at(epoch, epochs, batch, batches);
                let share = track.see(&report, f64::from(number));
                proptest::prop_assert!((last..=1.0).contains(&share));
                let detail = track.detail(&report, f64::from(number));
                proptest::prop_assert!(detail.seconds_left.is_none_or(|left| left.is_finite() && left >= 0.0));
                last = share;
            }
        }
    }

    #[test]
    fn the_estimate_follows_the_pace() {
        let mut track = Track::new(10);
        track.see(&at(0, 10, 1, 10), 100.0);
        assert_eq!(track.seconds_left(100.0), None);
        track.see(&at(5, 10, 1, 10), 149.0);
        let left = track.seconds_left(149.0).unwrap();
        assert!((left - 49.0 / 0.49 * 0.5).abs() < 1e-9, "{left}");
    }

    #[test]
    fn curves_are_kept_when_a_later_look_tells_less() {
        let mut track = Track::new(4);
        let mut report = at(2, 4, 0, 0);
        report.curves.insert("train_loss".into(), vec![2.0, f64::NAN]);
        track.see(&report, 0.0);
        track.see(&at(3, 4, 0, 0), 1.0);
        let detail = track.detail(&at(3, 4, 0, 0), 1.0);
        assert_eq!((detail.loss, detail.loss_curve), (Some(2.0), vec![2.0]));
        let many: Vec<f64> = (0..1_000).map(f64::from).collect();
        let few = thinned(&many, 60);
        assert_eq!((few.len(), few[0], few[59]), (60, 0.0, 999.0));
    }
}
