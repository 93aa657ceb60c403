//! Bars with the lines they came from, until order and duplicates are settled.

use super::findings::{Findings, kind};
use crate::model::{Bar, Bars, Nanos};

/// Bars in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Table {
    bars: Bars,
    /// The line of each bar.
    lines: Vec<u64>,
    /// Some bar starts before the one above it.
    unsorted: bool,
}

/// Sorted bars without duplicates.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) bars: Bars,
    /// Rows that equal one that was kept.
    pub(super) collapsed: u64,
}

impl Table {
    pub(super) fn push(&mut self, bar: Bar, line: u64, notes: &mut Findings) {
        if self.bars.start.last().is_some_and(|last| bar.start < *last) {
            self.unsorted = true;
            notes.add(kind::UNSORTED, line);
        }
        self.bars.push(bar);
        self.lines.push(line);
    }

    /// No row has given a bar.
    pub(super) fn is_empty(&self) -> bool {
        self.bars.is_empty()
    }

    /// Sorts; keeps one of equal rows; rejects all rows of a start whose values differ, because no row is better than
    /// another.
    pub(super) fn settle(self, rejected: &mut Findings, notes: &mut Findings) -> Settled {
        if self.bars.is_sorted() {
            return Settled { bars: self.bars, collapsed: 0 };
        }
        let start = |row: &usize| self.bars.start[*row];
        let mut order: Vec<usize> = (0..self.bars.len()).collect();
        if self.unsorted {
            // stable: rows of one start stay in the order of the file
            order.sort_by_key(start);
        }
        let mut bars = Bars::with_capacity(order.len());
        let mut collapsed = 0;
        for rows in order.chunk_by(|a, b| start(a) == start(b)) {
            let [first, repeats @ ..] = rows else { continue };
            let bar = self.bars.at(*first);
            if repeats.iter().all(|row| bits(&self.bars.at(*row)) == bits(&bar)) {
                bars.push(bar);
                collapsed += repeats.len() as u64;
                for row in repeats {
                    notes.add(kind::DUPLICATE_IDENTICAL, self.lines[*row]);
                }
            } else {
                for row in rows {
                    rejected.add(kind::DUPLICATE_CONFLICT, self.lines[*row]);
                }
            }
        }
        Settled { bars, collapsed }
    }
}

/// For comparisons in which every bit counts.
fn bits(bar: &Bar) -> (Nanos, [u64; 4], Option<u64>) {
    let prices = [bar.open, bar.high, bar.low, bar.close];
    (bar.start, prices.map(f64::to_bits), bar.volume.map(f64::to_bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn bar(start: Nanos, close: f64, volume: Option<f64>) -> Bar {
        Bar { start, open: 1.0, high: 1.0, low: 1.0, close, volume }
    }

    fn settle(rows: &[Bar]) -> (Settled, Findings, Findings) {
        let (mut table, mut rejected, mut notes) = (Table::default(), Findings::default(), Findings::default());
        for (row, line) in rows.iter().zip(2..) {
            table.push(*row, line, &mut notes);
        }
        let settled = table.settle(&mut rejected, &mut notes);
        (settled, rejected, notes)
    }

    #[test]
    fn zeros_of_different_sign_and_absent_volumes_are_different_values() {
        for (first, second) in [(bar(1, 0.0, None), bar(1, -0.0, None)), (bar(1, 0.0, None), bar(1, 0.0, Some(0.0)))] {
            assert!(settle(&[first, second]).0.bars.is_empty());
            assert_eq!(settle(&[second, second]).0.bars.len(), 1);
        }
    }

    proptest! {
            #[test]
            fn each_start_keeps_its_one_value_or_nothing(
                rows in prop::collection::vec((0_i64..8, 0_u8..2, prop::option::of(0_u8..2)), 0..24),
            ) {
                let rows: Vec<Bar> = rows
                    .into_iter()
                    .map(|(start, close, volume)| bar(start, close.into(), volume.map(f64::from)))
                    .collect();
                let mut model: BTreeMap<Nanos, Vec<Bar>> = BTreeMap::new();
                for row in &rows {
     model.entry(row.start).or_default().push(*row);
    }
                let agreed = |rows: &&Vec<Bar>| rows.iter().all(|row| *row == rows[0]);
                let expected: Bars = model.values().filter(agreed).map(|rows| rows[0]).collect();
                let conflicts: usize = model.values().filter(|rows| !agreed(rows)).map(Vec::len).sum();

                let (settled, rejected, _) = settle(&rows);
                let rejected: u64 = rejected.into_vec().iter().map(|finding| finding.count).sum();
                prop_assert_eq!(rejected, conflicts as u64);
                prop_assert_eq!(settled.collapsed, (rows.len() - expected.len() - conflicts) as u64);
                prop_assert_eq!(settled.bars, expected);
            }
        }
}
