//! The rules of `data check` (data): code, severity, what is wrong, what helps.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Something is incomplete or doubtful.
    Warning,
    /// A bar or a file is wrong.
    Error,
}

/// One rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it says, in a few words.
    pub says: &'static str,
    /// What helps; empty when nothing has to be done.
    pub helps: &'static str,
}

macro_rules! rules {
    ($($name:ident = $severity:ident, $says:literal, $helps:literal;)*) => {
        $(#[doc = $says] pub(super) const $name: Rule =
            Rule { code: stringify!($name), severity: Severity::$severity, says: $says, helps: $helps };)*
        /// All rules.
        #[cfg(test)]
        pub(super) const ALL: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    // the files
    CHECKSUM_MISMATCH = Error, "the file is not the one that was written", "load the range again";
    // one bar by itself
    VALUE_MISSING = Error, "a price is no number", "load the range again";
    HIGH_BELOW_LOW = Error, "the high is below the low", "load the range again";
    HIGH_BELOW_BODY = Error, "the high is below open or close", "load the range again";
    LOW_ABOVE_BODY = Error, "the low is above open or close", "load the range again";
    NON_POSITIVE_PRICE = Error, "a price is zero or less", "load the range again";
    PRICE_BELOW_ZERO = Warning, "a price is zero or less, which a future's may be", "";
    VOLUME_NEGATIVE = Error, "the volume is negative", "load the range again";
    VOLUME_NOT_REPORTED = Info, "no volume is known, as of currency pairs", "";
    ZERO_VOLUME_FILLER = Info, "nothing was traded: the last price repeated", "";
    ZERO_VOLUME_IN_SESSION = Warning, "nothing was traded in regular hours", "load the range again";
    FUTURE_BAR = Error, "it begins after now", "import it again with the right time zone";
    // where bars are
    OVERLAPPING_BARS = Error, "it begins before the one before it ends", "keep the two kinds of bars in two data folders";
    NON_SESSION_DATE = Error, "the exchange had no session on that date", "these are not bars of the exchange, or of another one";
    OUTSIDE_SESSION = Error, "it begins outside the hours of the session", "import it again with the right time zone";
    OFF_GRID = Error, "no bar of this size begins then", "import it again with the right time zone";
    // what is absent
    MISSING_SESSION = Warning, "a whole session is absent", "load the range";
    MISSING_BARS = Warning, "bars inside a session are absent", "load the range";
    NOT_TRADED = Info, "absent before the first trade of a day, or asked for and not there", "";
    STALE = Info, "newer bars are over by now", "load the tail";
    CALENDAR_UNKNOWN = Info, "no calendar is known: sessions are not checked", "";
    // prices over time
    PRICE_JUMP = Info, "the price moved much more than it does", "";
    JUMP_ACROSS_GAP = Info, "the price moved much more than it does, over absent bars", "";
}
