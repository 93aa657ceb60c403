//! Two series of one market held against each other (pure): longer bars made of shorter ones, and those that are stored.

use super::{
    Checker,
    rules::{PARTIAL_BAR_SUSPECTED, RECONCILE_MISMATCH, SPLIT_SUSPECTED},
};
use crate::{
    market_data::scale::{Scale, compare},
    model::{Bar, Bars, Timeframe},
};

/// Prices that differ by less are rounded.
const PRICE: f64 = 1e-6;
/// A bar with less than this share of the volume was stored before it was over: in real files, 94 % of it.
const PARTIAL: f64 = 0.999;

impl Checker {
    /// `made`: bars of this size, made of stored ones of another.
    pub(in crate::market_data) fn reconcile(&mut self, stored: &Bars, made: &Bars, of: Timeframe) {
        if let Scale::Split { new, old, bars } = compare(stored, made) {
            let ends =
                (made.start.first().copied().unwrap_or_default(), made.start.last().copied().unwrap_or_default());
            self.findings.note_many(&SPLIT_SUSPECTED, ends.0, ends.1, bars as u64);
            self.findings.explain(&SPLIT_SUSPECTED, format!("{new}-for-{old}, held against {of}"));
            return;
        }
        let mut stored = stored.iter().peekable();
        for made in made.iter() {
            while stored.next_if(|bar| bar.start < made.start).is_some() {}
            let Some(stored) = stored.next_if(|bar| bar.start == made.start) else { continue };
            if is_partial(&stored, &made) {
                self.findings.note(&PARTIAL_BAR_SUSPECTED, stored.start);
                self.findings.explain(&PARTIAL_BAR_SUSPECTED, format!("held against {of}"));
            } else if differs(&stored, &made) {
                self.findings.note(&RECONCILE_MISMATCH, stored.start);
                let shorter = if exceeds(&stored, &made) { format!("{of} is short") } else { format!("{of} has more") };
                self.findings.explain(&RECONCILE_MISMATCH, shorter);
            }
        }
    }
}

fn off(one: f64, other: f64) -> bool {
    (one - other).abs() > PRICE * one.abs().max(other.abs())
}

fn differs(stored: &Bar, made: &Bar) -> bool {
    off(stored.high, made.high) || off(stored.low, made.low) || off(stored.close, made.close)
}

/// The stored one reaches further.
fn exceeds(stored: &Bar, made: &Bar) -> bool {
    stored.high > made.high || stored.low < made.low
}

/// The stored one ends early: less was traded in it than in its parts, and it reaches no further.
fn is_partial(stored: &Bar, made: &Bar) -> bool {
    let less = stored.volume.zip(made.volume).is_some_and(|(stored, made)| stored < PARTIAL * made);
    less && !exceeds(stored, made)
}
