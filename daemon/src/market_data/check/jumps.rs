//! Moves far beyond what the price usually does (pure). Worth a look, never evidence: prices of healthy companies halve.

use std::collections::VecDeque;

use super::{
    findings::Findings,
    rules::{JUMP_ACROSS_GAP, PRICE_JUMP},
};
use crate::model::Bar;

/// Moves that tell what is usual.
const WINDOW: usize = 250;
/// So many times the usual one.
const FACTOR: f64 = 8.0;
/// What is usual is found out again after so many moves.
const RENEWED: usize = 125;

/// Moves from close to close.
#[derive(Debug, Default)]
pub(super) struct Jumps {
    close: Option<f64>,
    moves: VecDeque<f64>,
    since: usize,
    usual: Option<f64>,
}

impl Jumps {
    /// `after_gap`: bars are absent before it.
    pub(super) fn bar(&mut self, bar: &Bar, after_gap: bool, findings: &mut Findings) {
        let before = self.close.replace(bar.close);
        let Some(moved) = before.map(|before| (bar.close / before).ln().abs()).filter(|moved| moved.is_finite()) else {
            return;
        };
        if self.usual.is_some_and(|usual| usual > 0.0 && moved > FACTOR * usual) {
            findings.note(if after_gap { &JUMP_ACROSS_GAP } else { &PRICE_JUMP }, bar.start);
        }
        if self.moves.len() == WINDOW {
            self.moves.pop_front();
        }
        self.moves.push_back(moved);
        self.since += 1;
        if self.moves.len() == WINDOW && self.since >= RENEWED {
            self.since = 0;
            self.usual = Some(median(&self.moves));
        }
    }
}

fn median(moves: &VecDeque<f64>) -> f64 {
    let mut sorted: Vec<f64> = moves.iter().copied().collect();
    let middle = sorted.len() / 2;
    *sorted.select_nth_unstable_by(middle, f64::total_cmp).1
}
