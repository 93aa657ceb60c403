//! Volumes of two units in one series (pure): a stretch in lots of a hundred beside one in shares.

use super::{findings::Findings, rules::VOLUME_IN_LOTS};
use crate::model::{Bar, Nanos};

/// Shorter stretches are chance.
const STRETCH: u64 = 250;

/// Hundreds without a remainder. By way of an integer: a remainder, and even cutting off a fraction, is a call of a library.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "what does not fit is no volume")]
fn are_lots(volume: f64) -> bool {
    let lots = volume / 100.0;
    (lots as i64 as f64).total_cmp(&lots).is_eq()
}

#[derive(Debug, Default)]
pub(super) struct Volumes {
    /// Start of the first and of the last, and how many there are in a row.
    stretch: Option<(Nanos, Nanos, u64)>,
    longest: Option<(Nanos, Nanos, u64)>,
    odd: u64,
}

impl Volumes {
    pub(super) fn bar(&mut self, bar: &Bar) {
        let Some(volume) = bar.volume.filter(|volume| *volume > 0.0) else { return };
        if are_lots(volume) {
            let (first, _, bars) = self.stretch.unwrap_or((bar.start, bar.start, 0));
            self.stretch = Some((first, bar.start, bars + 1));
        } else {
            self.odd += 1;
            self.ends();
        }
    }

    /// A stretch has come to its end.
    fn ends(&mut self) {
        let bars = |stretch: Option<(Nanos, Nanos, u64)>| stretch.map_or(0, |(_, _, bars)| bars);
        let stretch = self.stretch.take();
        if bars(stretch) > bars(self.longest) {
            self.longest = stretch;
        }
    }

    pub(super) fn finish(&mut self, findings: &mut Findings) {
        self.ends();
        if let Some((first, last, bars)) = self.longest.filter(|(_, _, bars)| *bars >= STRETCH && self.odd >= STRETCH) {
            findings.note_many(&VOLUME_IN_LOTS, first, last, bars);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lots_are_hundreds() {
        for volume in [100.0, 12_300.0, 9.0e15] {
            assert!(are_lots(volume), "{volume}");
        }
        for volume in [1.0, 99.0, 101.0, 150.5, f64::MAX, f64::INFINITY, f64::NAN] {
            assert!(!are_lots(volume), "{volume}");
        }
    }
}
