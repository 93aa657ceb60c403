//! Moves far beyond what the price usually does (pure). Worth a look, never evidence: prices of healthy companies halve.

use std::collections::VecDeque;

use super::{
    findings::Findings,
    rules::{JUMP_ACROSS_GAP, PRICE_JUMP},
};
use crate::model::Bar;

/// Moves that tell what is usual.
const WINDOW: usize = 250;
/// So many times the usual one, on the scale of logarithms.
const FACTOR: i32 = 8;
/// What is usual is found out again after so many moves.
const RENEWED: usize = 125;

/// Moves from close to close, as the larger over the smaller: to the order of moves, logarithms would add nothing but their time.
#[derive(Debug, Default)]
pub(super) struct Jumps {
    close: Option<f64>,
    moves: VecDeque<f64>,
    since: usize,
    /// Beyond it a move is far more than usual.
    limit: Option<f64>,
    /// Where moves are put into order.
    ordered: Vec<f64>,
}

impl Jumps {
    /// `after_gap`: bars are absent before it.
    pub(super) fn bar(&mut self, bar: &Bar, after_gap: bool, findings: &mut Findings) {
        let before = self.close.replace(bar.close);
        let Some(moved) = before.and_then(|before| moved(before, bar.close)) else { return };
        if self.limit.is_some_and(|limit| moved > limit) {
            findings.note(if after_gap { &JUMP_ACROSS_GAP } else { &PRICE_JUMP }, bar.start);
        }
        if self.moves.len() == WINDOW {
            self.moves.pop_front();
        }
        self.moves.push_back(moved);
        self.since += 1;
        if self.moves.len() == WINDOW && self.since >= RENEWED {
            self.since = 0;
            let usual = self.median();
            // where prices hardly ever move, any move would be a jump
            self.limit = (usual > 1.0).then(|| usual.powi(FACTOR));
        }
    }

    fn median(&mut self) -> f64 {
        self.ordered.clear();
        self.ordered.extend(&self.moves);
        let middle = self.ordered.len() / 2;
        *self.ordered.select_nth_unstable_by(middle, f64::total_cmp).1
    }
}

/// One or more; none between prices of which one is none, or of which only one is below zero.
fn moved(before: f64, now: f64) -> Option<f64> {
    let ratio = now / before;
    let moved = if ratio < 1.0 { ratio.recip() } else { ratio };
    (ratio > 0.0 && moved.is_finite()).then_some(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_is_as_large_up_as_down_and_none_to_or_from_nothing() {
        assert_eq!([moved(2.0, 3.0), moved(3.0, 2.0), moved(2.0, 2.0)], [Some(1.5), Some(1.5), Some(1.0)]);
        assert_eq!(moved(-2.0, -3.0), Some(1.5));
        for (before, now) in [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (-1.0, 1.0), (f64::NAN, 1.0), (1.0, f64::INFINITY)] {
            assert_eq!(moved(before, now), None, "{before} to {now}");
        }
    }
}
