//! Which instants of a series are known complete: an algebra of disjoint intervals.

use super::TimeRange;

/// Disjoint, ascending, never touching intervals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage(Vec<TimeRange>);

impl Coverage {
    /// Adds `range`, joining what it touches.
    pub fn insert(&mut self, range: TimeRange) {
        let from = self.0.partition_point(|covered| covered.end() < range.start());
        let to = self.0.partition_point(|covered| covered.start() <= range.end());
        let mut joined = range;
        for covered in &self.0[from..to] {
            let (start, end) = (joined.start().min(covered.start()), joined.end().max(covered.end()));
            joined = TimeRange::new(start, end).unwrap_or(joined);
        }
        self.0.splice(from..to, [joined]);
    }

    /// The parts of `wanted` that are not covered, ascending.
    pub fn missing(&self, wanted: &TimeRange) -> Vec<TimeRange> {
        let mut missing = Vec::new();
        let mut at = wanted.start();
        let from = self.0.partition_point(|covered| covered.end() <= wanted.start());
        for covered in self.0[from..].iter().take_while(|covered| covered.start() < wanted.end()) {
            missing.extend(TimeRange::new(at, covered.start()).ok());
            at = at.max(covered.end());
        }
        missing.extend(TimeRange::new(at, wanted.end()).ok());
        missing
    }

    /// Whether this instant is covered.
    pub fn contains(&self, at: super::Nanos) -> bool {
        let after = self.0.partition_point(|covered| covered.end() <= at);
        self.0.get(after).is_some_and(|covered| covered.contains(at))
    }

    /// Takes `range` out.
    pub fn remove(&mut self, range: &TimeRange) {
        self.0 = self.0.iter().flat_map(|covered| covered.without(range)).collect();
    }

    /// The intervals, ascending.
    pub fn intervals(&self) -> &[TimeRange] {
        &self.0
    }

    /// The end of the last interval.
    pub fn end(&self) -> Option<super::Nanos> {
        self.0.last().map(TimeRange::end)
    }
}

impl FromIterator<TimeRange> for Coverage {
    fn from_iter<I: IntoIterator<Item = TimeRange>>(ranges: I) -> Self {
        let mut coverage = Self::default();
        ranges.into_iter().for_each(|range| coverage.insert(range));
        coverage
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(limit: i64) -> impl Strategy<Value = TimeRange> {
        (0..limit, 1..limit).prop_map(|(start, length)| TimeRange::new(start, start + length).unwrap())
    }

    /// The naive model: one bool an instant.
    fn painted(ranges: &[TimeRange]) -> Vec<bool> {
        (0..130).map(|instant| ranges.iter().any(|range| range.contains(instant))).collect()
    }

    proptest! {
        #[test]
        fn insertion_is_union(ranges in prop::collection::vec(range(60), 0..12)) {
            let coverage: Coverage = ranges.iter().copied().collect();
            prop_assert_eq!(painted(coverage.intervals()), painted(&ranges));
            prop_assert!(coverage.intervals().windows(2).all(|pair| pair[0].end() < pair[1].start()));
        }

        #[test]
        fn removal_is_difference(ranges in prop::collection::vec(range(60), 0..12), removed in range(60)) {
            let mut coverage: Coverage = ranges.iter().copied().collect();
            coverage.remove(&removed);
            let expected: Vec<bool> =
                painted(&ranges).iter().zip(painted(&[removed])).map(|(covered, removed)| *covered && !removed).collect();
            prop_assert_eq!(painted(coverage.intervals()), expected);
        }

        #[test]
        fn missing_is_what_is_wanted_and_not_covered(
            ranges in prop::collection::vec(range(60), 0..12), wanted in range(60),
        ) {
            let coverage: Coverage = ranges.iter().copied().collect();
            let missing = coverage.missing(&wanted);
            let expected: Vec<bool> = painted(&ranges).iter().zip(painted(&[wanted])).map(|(covered, wanted)| wanted && !covered).collect();
            prop_assert_eq!(painted(&missing), expected);

            let mut filled = coverage;
            for part in missing {
                filled.insert(part);
            }
            prop_assert!(filled.missing(&wanted).is_empty());
        }
    }
}
