//! What was found in the rows, counted by kind.

/// Lines that are told of each kind: enough to find the place in the file.
const LINES_MAX: usize = 5;

/// Names of the kinds.
pub mod kind {
    /// No stamp, or none of the forms that are read, or outside the years 1677 to 2262.
    pub const TIMESTAMP_UNPARSABLE: &str = "TIMESTAMP_UNPARSABLE";
    /// A wall time that happens twice or never, because the clocks change.
    pub const TIMEZONE_AMBIGUOUS: &str = "TIMEZONE_AMBIGUOUS";
    /// Empty, null, NaN or infinite price.
    pub const VALUE_MISSING: &str = "VALUE_MISSING";
    /// A price or volume that is no number.
    pub const VALUE_UNPARSABLE: &str = "VALUE_UNPARSABLE";
    /// Fewer fields than the header.
    pub const FIELDS_MISSING: &str = "FIELDS_MISSING";
    /// More fields than the header.
    pub const FIELDS_EXTRA: &str = "FIELDS_EXTRA";
    /// Rows of one start with different values: nobody can say which is right.
    pub const DUPLICATE_CONFLICT: &str = "DUPLICATE_CONFLICT";
    /// Note: rows that repeat an equal row.
    pub const DUPLICATE_IDENTICAL: &str = "DUPLICATE_IDENTICAL";
    /// Note: rows that start before the row above.
    pub const UNSORTED: &str = "UNSORTED";
    /// Note: no volume where there is a column for it; −1 is how IB says so.
    pub const VOLUME_NOT_REPORTED: &str = "VOLUME_NOT_REPORTED";
    /// Note: columns that are not stored; counts columns.
    pub const COLUMN_IGNORED: &str = "COLUMN_IGNORED";
}

/// One kind of finding in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// One of [`kind`].
    pub reason: &'static str,
    /// How many rows.
    pub count: u64,
    /// The first few lines, ascending; the first line of the file is 1.
    pub lines: Vec<u64>,
}

/// Findings in the order in which their kinds were met.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// Lines may come in any order; the smallest are kept.
    pub(super) fn add(&mut self, reason: &'static str, line: u64) {
        self.add_many(reason, 1, line);
    }

    /// `count` things on one line.
    pub(super) fn add_many(&mut self, reason: &'static str, count: u64, line: u64) {
        // a handful of kinds: a scan is faster than a map
        let at = self.0.iter().position(|finding| finding.reason == reason);
        let at = at.unwrap_or_else(|| {
            self.0.push(Finding { reason, count: 0, lines: Vec::new() });
            self.0.len() - 1
        });
        let finding = &mut self.0[at];
        finding.count += count;
        let place = finding.lines.partition_point(|known| *known < line);
        if place < LINES_MAX {
            finding.lines.insert(place, line);
            finding.lines.truncate(LINES_MAX);
        }
    }

    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_lines_are_kept_in_order() {
        let mut findings = Findings::default();
        for line in [9, 3, 8, 1, 7, 2, 6] {
            findings.add(kind::DUPLICATE_CONFLICT, line);
        }
        findings.add_many(kind::COLUMN_IGNORED, 3, 1);
        let found = findings.into_vec();
        assert_eq!((found[0].count, found[0].lines.as_slice()), (7, &[1, 2, 3, 6, 7][..]));
        assert_eq!((found[1].count, found[1].lines.as_slice()), (3, &[1][..]));
    }
}
