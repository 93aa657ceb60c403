//! Bars, their sizes and the kinds of price they are made of.

use jiff::civil::Date;

/// When a bar starts: an instant, or for a day and longer the exchange's date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stamp {
    Second(i64),
    Day(Date),
}

/// `None` means that the source has no such figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bar {
    pub(crate) stamp: Stamp,
    pub(crate) open: f64,
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) close: f64,
    pub(crate) volume: Option<f64>,
    pub(crate) average: Option<f64>,
    pub(crate) count: Option<i32>,
}

impl Bar {
    pub(crate) fn starts_at(&self, second: i64) -> bool {
        self.stamp == Stamp::Second(second)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum BarSize {
    Seconds(i64),
    Day,
    Week,
    Month,
}

/// The gateway's names and, in files, ours.
const SIZES: [(&str, &str, BarSize); 22] = [
    ("1 secs", "1s", BarSize::Seconds(1)),
    ("5 secs", "5s", BarSize::Seconds(5)),
    ("10 secs", "10s", BarSize::Seconds(10)),
    ("15 secs", "15s", BarSize::Seconds(15)),
    ("30 secs", "30s", BarSize::Seconds(30)),
    ("1 min", "1m", BarSize::Seconds(60)),
    ("2 mins", "2m", BarSize::Seconds(120)),
    ("3 mins", "3m", BarSize::Seconds(180)),
    ("4 mins", "4m", BarSize::Seconds(240)),
    ("5 mins", "5m", BarSize::Seconds(300)),
    ("10 mins", "10m", BarSize::Seconds(600)),
    ("15 mins", "15m", BarSize::Seconds(900)),
    ("20 mins", "20m", BarSize::Seconds(1200)),
    ("30 mins", "30m", BarSize::Seconds(1800)),
    ("1 hour", "1h", BarSize::Seconds(3600)),
    ("2 hours", "2h", BarSize::Seconds(7200)),
    ("3 hours", "3h", BarSize::Seconds(10_800)),
    ("4 hours", "4h", BarSize::Seconds(14_400)),
    ("8 hours", "8h", BarSize::Seconds(28_800)),
    ("1 day", "1d", BarSize::Day),
    ("1 week", "1w", BarSize::Week),
    ("1 month", "1mo", BarSize::Month),
];

impl BarSize {
    pub(crate) fn of_request(text: &str) -> Option<Self> {
        SIZES.iter().find(|(name, _, _)| *name == text).map(|(_, _, size)| *size)
    }

    /// A month is `1mo` or `1M`; everything else is spelt in one way.
    pub(crate) fn of_file_name(text: &str) -> Option<Self> {
        let text = if text == "1M" { "1mo" } else { text };
        SIZES.iter().find(|(_, name, _)| *name == text).map(|(_, _, size)| *size)
    }

    pub(crate) fn request_names() -> impl Iterator<Item = &'static str> {
        SIZES.iter().map(|(name, _, _)| *name)
    }

    /// Length in seconds; of a month, the shortest.
    pub(crate) fn seconds(self) -> i64 {
        match self {
            Self::Seconds(seconds) => seconds,
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
            Self::Month => 28 * 86_400,
        }
    }

    pub(crate) fn is_intraday(self) -> bool {
        matches!(self, Self::Seconds(_))
    }
}

/// `whatToShow`, as far as there are bars of it here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    Trades,
    AdjustedLast,
    Midpoint,
    Bid,
    Ask,
    BidAsk,
}

impl What {
    pub(crate) fn of_request(text: &str) -> Option<Self> {
        Some(match text {
            "TRADES" => Self::Trades,
            "ADJUSTED_LAST" => Self::AdjustedLast,
            "MIDPOINT" => Self::Midpoint,
            "BID" => Self::Bid,
            "ASK" => Self::Ask,
            "BID_ASK" => Self::BidAsk,
            _ => return None,
        })
    }

    /// Made of trades: only such bars have a volume.
    pub(crate) fn is_traded(self) -> bool {
        matches!(self, Self::Trades | Self::AdjustedLast)
    }

    /// The word the gateway's messages use.
    pub(crate) fn in_messages(self) -> &'static str {
        match self {
            Self::Trades => "Trades",
            Self::AdjustedLast => "AdjustedLast",
            Self::Midpoint => "Midpoint",
            Self::Bid => "Bid",
            Self::Ask => "Ask",
            Self::BidAsk => "BidAsk",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        assert_eq!(BarSize::of_request("1 secs"), Some(BarSize::Seconds(1)));
        assert_eq!(BarSize::of_request("1 sec"), None);
        assert_eq!(BarSize::of_file_name("1M"), Some(BarSize::Month));
        assert_eq!(BarSize::of_file_name("1m"), Some(BarSize::Seconds(60)));
        assert_eq!(BarSize::of_file_name("7m"), None);
    }
}
