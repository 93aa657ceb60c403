//! How people write the enums of the contract: one spelling on the command line, in JSON, in file names and logs.

use crate::v1::{
    GapClass, GatewayState, HostServiceState, LivePhase, LoadMode, OperationState, Severity, Source, Timeframe,
    TradingSession, WhatToShow,
};

/// Every timeframe with its spelling, shortest first. `1m` is a minute and `1M` a month.
pub const TIMEFRAMES: [(Timeframe, &str); 22] = [
    (Timeframe::Seconds1, "1s"),
    (Timeframe::Seconds5, "5s"),
    (Timeframe::Seconds10, "10s"),
    (Timeframe::Seconds15, "15s"),
    (Timeframe::Seconds30, "30s"),
    (Timeframe::Minutes1, "1m"),
    (Timeframe::Minutes2, "2m"),
    (Timeframe::Minutes3, "3m"),
    (Timeframe::Minutes4, "4m"),
    (Timeframe::Minutes5, "5m"),
    (Timeframe::Minutes10, "10m"),
    (Timeframe::Minutes15, "15m"),
    (Timeframe::Minutes20, "20m"),
    (Timeframe::Minutes30, "30m"),
    (Timeframe::Hours1, "1h"),
    (Timeframe::Hours2, "2h"),
    (Timeframe::Hours3, "3h"),
    (Timeframe::Hours4, "4h"),
    (Timeframe::Hours8, "8h"),
    (Timeframe::Days1, "1d"),
    (Timeframe::Weeks1, "1w"),
    (Timeframe::Months1, "1M"),
];

/// The spelling of `timeframe`, or `None` for the unspecified one.
pub fn timeframe(timeframe: Timeframe) -> Option<&'static str> {
    TIMEFRAMES.iter().find(|(value, _)| *value == timeframe).map(|(_, text)| *text)
}

/// Reads a timeframe. Case matters, `1m` and `1M` differ; `1mo`, as folders spell a month, is read too.
pub fn parse_timeframe(text: &str) -> Option<Timeframe> {
    if text == "1mo" {
        return Some(Timeframe::Months1);
    }
    TIMEFRAMES.iter().find(|(_, spelling)| *spelling == text).map(|(value, _)| *value)
}

/// The words of the other enums, lower case, as in the JSON documents.
pub trait Word {
    /// `unspecified` for the value 0.
    fn word(self) -> &'static str;
}

macro_rules! words {
    ($($enumeration:ident { $($variant:ident => $word:literal),* $(,)? })*) => {$(
        impl Word for $enumeration {
            fn word(self) -> &'static str {
                match self {
                    Self::Unspecified => "unspecified",
                    $(Self::$variant => $word),*
                }
            }
        }
    )*};
}

words! {
    TradingSession { AllHours => "all", RegularHours => "regular" }
    WhatToShow { Trades => "trades", Midpoint => "midpoint", Bid => "bid", Ask => "ask" }
    Source { Gateway => "gateway", Import => "import", Mixed => "mixed" }
    LivePhase { Starting => "starting", Flowing => "flowing", Interrupted => "interrupted" }
    Severity { Info => "info", Warning => "warning", Error => "error" }
    GapClass { NeverAsked => "never_asked", AskedAndEmpty => "asked_and_empty", NotTraded => "not_traded" }
    LoadMode { Tail => "tail", Backfill => "backfill", Full => "full", Local => "local" }
    OperationState {
        Pending => "pending", Running => "running", Completed => "completed",
        Failed => "failed", Cancelled => "cancelled", Interrupted => "interrupted",
    }
    HostServiceState {
        Unknown => "unknown", Up => "up", Slow => "slow", Down => "down", Incompatible => "incompatible",
    }
    GatewayState {
        Disabled => "disabled", Disconnected => "disconnected", Connecting => "connecting",
        Synchronising => "synchronising", Ready => "ready", Degraded => "degraded", Resting => "resting",
        Wedged => "wedged", LoginNeeded => "login_needed", Stopped => "stopped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_timeframe_has_one_spelling_that_reads_back() {
        for value in 1..=22 {
            let value = Timeframe::try_from(value).unwrap();
            let text = timeframe(value).unwrap();
            assert_eq!(parse_timeframe(text), Some(value), "{text}");
        }
        assert_eq!(timeframe(Timeframe::Unspecified), None);
        for wrong in ["", "1", "h1", "7m", "1H", "1D", "1h ", "60m"] {
            assert_eq!(parse_timeframe(wrong), None, "{wrong}");
        }
    }
}
