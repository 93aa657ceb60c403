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
    /// Of those, bars in which something was traded: live bars come without trades as well, history does not.
    pub(super) vanished_traded: u64,
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
            vanished_traded: self.vanished_traded + other.vanished_traded,
        }
    }
}

/// How stored bars and new ones can disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// The newest stored bar: it was stored before its last trades were known. The new one is kept.
    RevisedLast,
    /// An older bar, corrected by the source. The new one is kept.
    Revised,
    /// The stored bar came from another source. The new one is kept.
    OtherSource,
    /// A bar without trades instead of one with some. The stored one is kept.
    FillerRefused,
    /// The answer lacks it. The stored one is kept.
    Vanished,
}

impl Case {
    /// As in the ledger and on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RevisedLast => "revised_last",
            Self::Revised => "revised",
            Self::OtherSource => "other_source",
            Self::FillerRefused => "filler_refused",
            Self::Vanished => "vanished",
        }
    }
}

/// One stored bar that an answer tells otherwise, or not at all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Disagreement {
    pub(super) case: Case,
    pub(super) stored: Bar,
    pub(super) told: Option<Bar>,
}

/// Merges sorted bars. Outside `range` nothing changes. On one start the new bar wins, except that a known volume
/// outlives an absent one, and that a traded bar is not replaced by a filler. Where they disagree is told to `note`.
pub(super) fn merge(
    stored: &Bars,
    new: &Bars,
    range: &TimeRange,
    mut note: impl FnMut(Disagreement),
) -> (Bars, Report) {
    let mut report = Report::default();
    let vanished = |stored: Bar, report: &mut Report| {
        if range.contains(stored.start) {
            report.vanished += 1;
            report.vanished_traded += u64::from(stored.volume != Some(0.0));
            return Some(Disagreement { case: Case::Vanished, stored, told: None });
        }
        None
    };
    let mut merged = Bars::with_capacity(stored.len() + new.len());
    let mut old = stored.iter().peekable();
    for bar in new.iter() {
        if !range.contains(bar.start) {
            report.ignored += 1;
            continue;
        }
        while let Some(before) = old.next_if(|old| old.start < bar.start) {
            vanished(before, &mut report).into_iter().for_each(&mut note);
            merged.push(before);
        }
        match old.next_if(|old| old.start == bar.start) {
            None => {
                report.added += 1;
                merged.push(bar);
            }
            Some(before) => {
                let kept = winner(before, bar);
                let told = Some(bar);
                if same(&kept, &before) {
                    report.unchanged += 1;
                    if refuses(before, bar) {
                        note(Disagreement { case: Case::FillerRefused, stored: before, told });
                    }
                } else {
                    report.revised += 1;
                    note(Disagreement { case: Case::Revised, stored: before, told });
                }
                merged.push(kept);
            }
        }
    }
    for rest in old {
        vanished(rest, &mut report).into_iter().for_each(&mut note);
        merged.push(rest);
    }
    (merged, report)
}

fn refuses(stored: Bar, new: Bar) -> bool {
    let is_filler = |bar: &Bar| bar.volume == Some(0.0) && bar.high.to_bits() == bar.low.to_bits();
    is_filler(&new) && !is_filler(&stored) && stored.volume.is_some_and(|volume| volume > 0.0)
}

fn winner(stored: Bar, new: Bar) -> Bar {
    if refuses(stored, new) {
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

    fn merge(stored: &Bars, new: &Bars, range: &TimeRange) -> (Bars, Report) {
        super::merge(stored, new, range, |_| {})
    }

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
            let mut cases = Vec::new();
            let (merged, report) = super::merge(&stored, &new, &range, |one| cases.push(one.case));
            let count = |case| cases.iter().filter(|one| **one == case).count() as u64;
            prop_assert_eq!((count(Case::Revised), count(Case::Vanished)), (report.revised, report.vanished));
            prop_assert!(count(Case::FillerRefused) <= report.unchanged);
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
