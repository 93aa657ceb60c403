//! Stored bars and new ones (pure).

use crate::model::{Bar, Bars, TimeRange};

/// What happened to the new bars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// Not stored before.
    pub(super) added: u64,
    /// Stored with other values; the new ones are kept, because sources correct late trades.
    pub(super) revised: u64,
    /// Stored already.
    pub(super) unchanged: u64,
    /// Outside the range that was asked for.
    pub(super) ignored: u64,
    /// Stored bars inside the range that the source did not send; kept: one bad answer must not erase history.
    pub(super) vanished: u64,
}

impl std::ops::Add for Report {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            added: self.added + other.added,
            revised: self.revised + other.revised,
            unchanged: self.unchanged + other.unchanged,
            ignored: self.ignored + other.ignored,
            vanished: self.vanished + other.vanished,
        }
    }
}

/// Merges sorted bars. Outside `range` nothing changes. On one start the new bar wins, except that a known volume
/// outlives an absent one, and that a traded bar is not replaced by a filler.
pub(super) fn merge(stored: &Bars, new: &Bars, range: &TimeRange) -> (Bars, Report) {
    let mut report = Report::default();
    let mut merged = Bars::with_capacity(stored.len() + new.len());
    let mut old = stored.iter().peekable();
    for bar in new.iter() {
        if !range.contains(bar.start) {
            report.ignored += 1;
            continue;
        }
        while let Some(before) = old.next_if(|old| old.start < bar.start) {
            report.vanished += u64::from(range.contains(before.start));
            merged.push(before);
        }
        match old.next_if(|old| old.start == bar.start) {
            None => {
                report.added += 1;
                merged.push(bar);
            }
            Some(before) => {
                let kept = winner(before, bar);
                if same(&kept, &before) {
                    report.unchanged += 1;
                } else {
                    report.revised += 1;
                }
                merged.push(kept);
            }
        }
    }
    for rest in old {
        report.vanished += u64::from(range.contains(rest.start));
        merged.push(rest);
    }
    (merged, report)
}

fn winner(stored: Bar, new: Bar) -> Bar {
    let is_filler = |bar: &Bar| bar.volume == Some(0.0) && bar.high.to_bits() == bar.low.to_bits();
    if is_filler(&new) && !is_filler(&stored) && stored.volume.is_some_and(|volume| volume > 0.0) {
        return stored;
    }
    Bar { volume: new.volume.or(stored.volume), ..new }
}

/// To the last bit.
fn same(a: &Bar, b: &Bar) -> bool {
    let prices = |bar: &Bar| [bar.open, bar.high, bar.low, bar.close].map(f64::to_bits);
    prices(a) == prices(b) && a.volume.map(f64::to_bits) == b.volume.map(f64::to_bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_bars() -> impl Strategy<Value = Bars> {
        prop::collection::btree_map(0_i64..60, (1_u32..4, prop::option::of(0_u32..3)), 0..40).prop_map(|rows| {
            let bar = |(start, (price, volume)): (i64, (u32, Option<u32>))| {
                let price = f64::from(price);
                Bar { start, open: price, high: price + 1.0, low: price, close: price, volume: volume.map(f64::from) }
            };
            rows.into_iter().map(bar).collect()
        })
    }

    fn any_range() -> impl Strategy<Value = TimeRange> {
        (0_i64..50, 1_i64..30).prop_map(|(start, length)| TimeRange::new(start, start + length).unwrap())
    }

    proptest! {
        #[test]
        fn the_laws_of_merging(stored in any_bars(), new in any_bars(), range in any_range()) {
            let (merged, report) = merge(&stored, &new, &range);
            prop_assert!(merged.is_sorted());
            prop_assert_eq!(report.added + report.revised + report.unchanged + report.ignored, new.len() as u64);
            prop_assert_eq!(merged.len() as u64, stored.len() as u64 + report.added);
            // outside the range nothing changes
            let outside = |bars: &Bars| bars.iter().filter(|bar| !range.contains(bar.start)).collect::<Vec<_>>();
            prop_assert_eq!(outside(&merged), outside(&stored));
            // the same answer again changes nothing
            let (again, second) = merge(&merged, &new, &range);
            prop_assert_eq!(&again, &merged);
            prop_assert_eq!((second.added, second.revised), (0, 0));
            // and neither does a merge with itself
            prop_assert_eq!(merge(&stored, &stored, &range).0, stored);
        }

        #[test]
        fn disjoint_answers_may_come_in_any_order(stored in any_bars(), new in any_bars(), cut in 1_i64..59) {
            let (low, high) = (TimeRange::new(0, cut).unwrap(), TimeRange::new(cut, 60).unwrap());
            let one = merge(&merge(&stored, &new, &low).0, &new, &high).0;
            let other = merge(&merge(&stored, &new, &high).0, &new, &low).0;
            prop_assert_eq!(one, other);
        }
    }

    #[test]
    fn a_known_volume_and_a_traded_bar_outlive_poorer_answers() {
        let range = TimeRange::new(0, 10).unwrap();
        let bar = |close: f64, volume| Bar { start: 1, open: close, high: close, low: close, close, volume };
        let merged = |stored, new| merge(&[stored].into_iter().collect(), &[new].into_iter().collect(), &range).0.at(0);
        assert_eq!(merged(bar(1.0, Some(5.0)), bar(2.0, None)), bar(2.0, Some(5.0)));
        assert_eq!(merged(bar(1.0, Some(5.0)), bar(2.0, Some(0.0))), bar(1.0, Some(5.0)));
        assert_eq!(merged(bar(1.0, Some(0.0)), bar(2.0, Some(7.0))), bar(2.0, Some(7.0)));
    }
}
