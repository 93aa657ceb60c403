//! Bar sizes.

use std::fmt;

use super::Nanos;

/// One second in [`Nanos`].
pub const SECOND: Nanos = 1_000_000_000;
/// One minute in [`Nanos`].
pub const MINUTE: Nanos = 60 * SECOND;
/// One hour in [`Nanos`].
pub const HOUR: Nanos = 60 * MINUTE;
/// One day of 24 hours in [`Nanos`].
pub const DAY: Nanos = 24 * HOUR;

/// Length of a bar: the 22 sizes of an IB Gateway. It has no default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Timeframe {
    Seconds1,
    Seconds5,
    Seconds10,
    Seconds15,
    Seconds30,
    Minutes1,
    Minutes2,
    Minutes3,
    Minutes4,
    Minutes5,
    Minutes10,
    Minutes15,
    Minutes20,
    Minutes30,
    Hours1,
    Hours2,
    Hours3,
    Hours4,
    Hours8,
    Days1,
    Weeks1,
    Months1,
}

/// Each timeframe with its spelling and its nominal length.
const TABLE: [(Timeframe, &str, Nanos); 22] = [
    (Timeframe::Seconds1, "1s", SECOND),
    (Timeframe::Seconds5, "5s", 5 * SECOND),
    (Timeframe::Seconds10, "10s", 10 * SECOND),
    (Timeframe::Seconds15, "15s", 15 * SECOND),
    (Timeframe::Seconds30, "30s", 30 * SECOND),
    (Timeframe::Minutes1, "1m", MINUTE),
    (Timeframe::Minutes2, "2m", 2 * MINUTE),
    (Timeframe::Minutes3, "3m", 3 * MINUTE),
    (Timeframe::Minutes4, "4m", 4 * MINUTE),
    (Timeframe::Minutes5, "5m", 5 * MINUTE),
    (Timeframe::Minutes10, "10m", 10 * MINUTE),
    (Timeframe::Minutes15, "15m", 15 * MINUTE),
    (Timeframe::Minutes20, "20m", 20 * MINUTE),
    (Timeframe::Minutes30, "30m", 30 * MINUTE),
    (Timeframe::Hours1, "1h", HOUR),
    (Timeframe::Hours2, "2h", 2 * HOUR),
    (Timeframe::Hours3, "3h", 3 * HOUR),
    (Timeframe::Hours4, "4h", 4 * HOUR),
    (Timeframe::Hours8, "8h", 8 * HOUR),
    (Timeframe::Days1, "1d", DAY),
    (Timeframe::Weeks1, "1w", 7 * DAY),
    (Timeframe::Months1, "1M", 31 * DAY),
];

impl Timeframe {
    /// All of them, shortest first.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    fn row(self) -> &'static (Self, &'static str, Nanos) {
        &TABLE[self as usize]
    }

    /// As people write it: `1h`, `1M`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// As a folder spells it: a month is `1mo`, because folders must differ by more than case.
    pub fn folder(self) -> &'static str {
        if self == Self::Months1 { "1mo" } else { self.name() }
    }

    /// Reads [`name`](Self::name) and [`folder`](Self::folder). Case matters.
    pub fn parse(text: &str) -> Option<Self> {
        Self::all().find(|timeframe| timeframe.name() == text || timeframe.folder() == text)
    }

    /// From start to end of a bar; an upper bound for a month.
    pub fn step(self) -> Nanos {
        self.row().2
    }

    /// 30 s and less: IB's hard pacing rules bind requests for these, and it keeps them for six months only.
    pub fn is_small(self) -> bool {
        self.step() <= 30 * SECOND
    }

    /// Its bars carry instants; those of longer ones carry exchange dates.
    pub fn is_intraday(self) -> bool {
        self.step() < DAY
    }
}

impl fmt::Display for Timeframe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum_and_reads_back() {
        for timeframe in Timeframe::all() {
            assert_eq!(timeframe.row().0, timeframe);
            assert_eq!(Timeframe::parse(timeframe.name()), Some(timeframe));
            assert_eq!(Timeframe::parse(timeframe.folder()), Some(timeframe));
        }
        assert_eq!(Timeframe::all().count(), 22);
        assert_eq!(Timeframe::parse("1H"), None);
    }

    #[test]
    fn folders_differ_by_more_than_case() {
        let mut folders: Vec<_> = Timeframe::all().map(|t| t.folder().to_lowercase()).collect();
        folders.sort();
        folders.dedup();
        assert_eq!(folders.len(), 22);
    }
}
