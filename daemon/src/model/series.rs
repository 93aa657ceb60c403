//! What names a series and what its bars are made of.

use std::fmt;

use super::{Instrument, Symbol, Timeframe};

/// Names one stored series.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesKey {
    /// Ticker.
    pub symbol: Symbol,
    /// Bar size.
    pub timeframe: Timeframe,
}

impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.symbol, self.timeframe)
    }
}

/// Which hours of the day bars are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Session {
    /// Everything that trades (IB: useRTH 0).
    AllHours,
    /// Regular hours only (IB: useRTH 1).
    RegularHours,
}

impl Session {
    /// One word for logs and the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::AllHours => "all",
            Self::RegularHours => "regular",
        }
    }

    /// Reads [`name`](Self::name).
    pub fn parse(text: &str) -> Option<Self> {
        [Self::AllHours, Self::RegularHours].into_iter().find(|session| session.name() == text)
    }
}

/// What prices are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WhatToShow {
    /// Adjusted for splits, not for dividends.
    Trades,
    /// Between bid and ask.
    Midpoint,
    /// Bids.
    Bid,
    /// Asks.
    Ask,
}

impl WhatToShow {
    const ALL: [Self; 4] = [Self::Trades, Self::Midpoint, Self::Bid, Self::Ask];

    /// One word for logs and the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trades => "trades",
            Self::Midpoint => "midpoint",
            Self::Bid => "bid",
            Self::Ask => "ask",
        }
    }

    /// Reads [`name`](Self::name).
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.name() == text)
    }

    /// Whether IB has such prices: currency pairs have no trades, and indices nothing else.
    pub fn exists_for(self, symbol: &Symbol) -> bool {
        match symbol.instrument() {
            Instrument::Pair { .. } => self != Self::Trades,
            Instrument::Index { .. } => self == Self::Trades,
            Instrument::Stock { .. } | Instrument::Future { .. } | Instrument::Continuous { .. } => true,
        }
    }

    /// What is asked for when nobody says: currency pairs have no trades.
    pub fn usual(symbol: &Symbol) -> Self {
        if symbol.currency_pair().is_some() { Self::Midpoint } else { Self::Trades }
    }
}

/// Session and prices: a stored series has one of each, set by its first bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Basis {
    /// Hours of the day.
    pub session: Session,
    /// Prices.
    pub what: WhatToShow,
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = match self.session {
            Session::AllHours => "all hours",
            Session::RegularHours => "regular hours",
        };
        write!(f, "{hours}, {}", self.what.name())
    }
}

/// Where stored bars came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The IB Gateway.
    Gateway,
    /// An imported file.
    Import,
    /// Both.
    Mixed,
}

impl Source {
    const ALL: [Self; 3] = [Self::Gateway, Self::Import, Self::Mixed];

    /// One word for logs and the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Import => "import",
            Self::Mixed => "mixed",
        }
    }

    /// Reads [`name`](Self::name).
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == text)
    }

    /// Bars of `self` joined by bars of `other`.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        if self == other { self } else { Self::Mixed }
    }
}
