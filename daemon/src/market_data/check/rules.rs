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

/// What a repair does about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cure {
    /// There is nothing to be done.
    Nothing,
    /// The bars go: there can be none then.
    Drop,
    /// The gateway is asked for them again.
    AskAgain,
    /// Only a person can help.
    ByHand,
}

/// One rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What a repair does about it.
    pub cure: Cure,
    /// What it says, in a few words.
    pub says: &'static str,
    /// What helps; empty when nothing has to be done.
    pub helps: &'static str,
}

macro_rules! rules {
    ($($name:ident = $severity:ident, $cure:ident, $says:literal, $helps:literal;)*) => {
        $(#[doc = $says] pub(super) const $name: Rule =
            Rule { code: stringify!($name), severity: Severity::$severity, cure: Cure::$cure, says: $says, helps: $helps };)*
        /// All rules.
        #[cfg(test)]
        pub(super) const ALL: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    // the files
    CHECKSUM_MISMATCH = Error, AskAgain, "the file is not the one that was written", "load the range again";
    LEDGER_MISMATCH = Error, ByHand, "a file of the series that the ledger does not know: other readers see its bars, ktrdr does not", "move the file out of the data folder, and import its bars";
    // one bar by itself
    VALUE_MISSING = Error, AskAgain, "a price is no number", "load the range again";
    HIGH_BELOW_LOW = Error, AskAgain, "the high is below the low", "load the range again";
    HIGH_BELOW_BODY = Error, AskAgain, "the high is below open or close", "load the range again";
    LOW_ABOVE_BODY = Error, AskAgain, "the low is above open or close", "load the range again";
    NON_POSITIVE_PRICE = Error, AskAgain, "a price is zero or less", "load the range again";
    PRICE_BELOW_ZERO = Warning, Nothing, "a price is zero or less, which a future's may be", "";
    VOLUME_NEGATIVE = Error, AskAgain, "the volume is negative", "load the range again";
    VOLUME_NOT_REPORTED = Info, Nothing, "no volume is known, as of currency pairs", "";
    ZERO_VOLUME_FILLER = Info, Nothing, "nothing was traded: the last price repeated", "";
    ZERO_VOLUME_IN_SESSION = Warning, AskAgain, "nothing was traded in regular hours", "load the range again";
    FUTURE_BAR = Error, Drop, "it begins after now", "import it again with the right time zone";
    // where bars are
    OPEN_BAR_STORED = Warning, AskAgain, "it came before it was over", "load the tail with --verify";
    OVERLAPPING_BARS = Error, ByHand, "it begins before the one before it ends", "keep the two kinds of bars in two data folders";
    NON_SESSION_DATE = Error, Drop, "the exchange had no session on that date", "these are not bars of the exchange, or of another one";
    OUTSIDE_SESSION = Error, Drop, "it begins outside the hours of the session", "import it again with the right time zone";
    OFF_GRID = Error, ByHand, "no bar of this size begins then", "import it again with the right time zone";
    SHIFTED_TIMESTAMPS = Error, ByHand, "one shift of the clock explains the bars where none can be", "import the file again with the right time zone";
    MIXED_SESSIONS = Error, ByHand, "days of regular hours alone, among days with the hours before and after", "load the series anew: it is of one session or the other";
    // held against others
    RECONCILE_MISMATCH = Warning, ByHand, "shorter bars of the same market make another bar", "load the range of both with --verify";
    PARTIAL_BAR_SUSPECTED = Warning, AskAgain, "shorter bars of the same market hold more: it was stored before it was over", "load the range with --verify";
    SPLIT_SUSPECTED = Warning, ByHand, "shorter bars of the same market are of another scale", "load the series anew: --on-split refetch";
    VOLUME_IN_LOTS = Info, Nothing, "volumes in hundreds, beside others that are not", "";
    CALENDAR_CONFLICT = Warning, ByHand, "the gateway tells other hours than the calendar", "update ktrdr; the gateway's hours are used as well";
    // what is absent
    MISSING_SESSION = Warning, AskAgain, "a whole session is absent", "load the range";
    MISSING_BARS = Warning, AskAgain, "bars inside a session are absent", "load the range";
    NOT_TRADED = Info, Nothing, "absent before the first trade of a day, or asked for and not there", "";
    STALE = Info, Nothing, "newer bars are over by now", "load the tail";
    CALENDAR_UNKNOWN = Info, Nothing, "no calendar is known: sessions are not checked", "";
    // prices over time
    PRICE_JUMP = Info, Nothing, "the price moved much more than it does", "";
    JUMP_ACROSS_GAP = Info, Nothing, "the price moved much more than it does, over absent bars", "";
}
