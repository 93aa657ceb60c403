//! Half-open ranges of instants.

use super::Nanos;

/// `start <= t < end`, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeRange {
    start: Nanos,
    end: Nanos,
}

/// The end is not after the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the end of the range is not after its start")]
pub struct InvalidRange;

impl TimeRange {
    /// Every instant that has a name.
    pub const ALL: Self = Self { start: Nanos::MIN, end: Nanos::MAX };

    /// Fails when `end` is not after `start`.
    pub fn new(start: Nanos, end: Nanos) -> Result<Self, InvalidRange> {
        if start < end { Ok(Self { start, end }) } else { Err(InvalidRange) }
    }

    /// First instant.
    pub fn start(&self) -> Nanos {
        self.start
    }

    /// First instant after the range.
    pub fn end(&self) -> Nanos {
        self.end
    }

    /// Whether `instant` lies inside.
    pub fn contains(&self, instant: Nanos) -> bool {
        self.start <= instant && instant < self.end
    }

    /// What is left when `other` is taken out: nothing, the part before it, the part after it, or both.
    pub fn without(&self, other: &Self) -> impl Iterator<Item = Self> + use<> {
        let before = Self::new(self.start, self.end.min(other.start));
        let after = Self::new(self.start.max(other.end), self.end);
        [before, after].into_iter().flatten()
    }

    /// What both have in common.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end)).ok()
    }
}
