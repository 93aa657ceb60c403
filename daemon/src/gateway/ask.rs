//! What is asked of the gateway, in our own words.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::model::{Bars, Basis, Instrument, Nanos, Symbol, Timeframe};

/// A resolved contract. Kept in the ledger as JSON: fields may be added, with defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contract {
    /// IB's conId.
    pub id: i32,
    /// Kind of instrument.
    pub kind: SecurityKind,
    /// Where requests are routed: `SMART`, `IDEALPRO`; the exchange of a future or an index.
    pub exchange: String,
    /// Where it is listed; empty for currency pairs.
    pub primary_exchange: String,
    /// ISO code.
    pub currency: String,
    /// Name of the company, or of the pair.
    pub long_name: String,
    /// As the gateway names it; may be one of Java's old names.
    pub time_zone: String,
    /// All sessions of the coming days, in IB's notation.
    pub trading_hours: Vec<String>,
    /// Regular sessions of the coming days, in IB's notation.
    pub liquid_hours: Vec<String>,
    /// Smallest price step anywhere.
    pub min_tick: f64,
    /// Its name at the exchange: `AAPL`, `ESH5`.
    #[serde(default)]
    pub local_symbol: String,
    /// Tells contracts of one family apart: `NMS`, `ES`.
    #[serde(default)]
    pub trading_class: String,
    /// Of a future: what a price of 1 is worth, in the currency.
    #[serde(default)]
    pub multiplier: String,
    /// Of a future: its last trading day, `yyyymmdd`.
    #[serde(default)]
    pub last_trade_date: String,
}

/// Kinds of instruments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityKind {
    /// Stocks and funds (IB: STK).
    Stock,
    /// Currency pairs (IB: CASH).
    Forex,
    /// Futures that expire (IB: FUT).
    Future,
    /// Futures joined into one chain (IB: CONTFUT).
    ContinuousFuture,
    /// Indices (IB: IND).
    Index,
}

impl SecurityKind {
    /// The kind that a symbol means.
    pub fn of(symbol: &Symbol) -> Self {
        match symbol.instrument() {
            Instrument::Stock { .. } => Self::Stock,
            Instrument::Pair { .. } => Self::Forex,
            Instrument::Future { .. } => Self::Future,
            Instrument::Continuous { .. } => Self::ContinuousFuture,
            Instrument::Index { .. } => Self::Index,
        }
    }

    /// One word for people and the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::Forex => "forex",
            Self::Future => "future",
            Self::ContinuousFuture => "continuous_future",
            Self::Index => "index",
        }
    }
}

/// Units of a request's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Seconds of trading time.
    Seconds,
    /// Sessions.
    Days,
    /// Calendar months.
    Months,
    /// Calendar years.
    Years,
}

/// Length of a request, back from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Duration {
    /// How many, at least 1.
    pub amount: u16,
    /// Of what.
    pub unit: Unit,
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Seconds => 'S',
            Unit::Days => 'D',
            Unit::Months => 'M',
            Unit::Years => 'Y',
        };
        write!(f, "{} {unit}", self.amount)
    }
}

/// A request for bars that end at `end`.
#[derive(Debug, Clone)]
pub struct BarsAsk {
    /// Whose.
    pub contract: Arc<Contract>,
    /// Bar size.
    pub timeframe: Timeframe,
    /// Hours and prices.
    pub basis: Basis,
    /// Not part of the answer.
    pub end: Nanos,
    /// How far back.
    pub duration: Duration,
    /// The first instant that is wanted; the duration may reach further back.
    pub from: Nanos,
}

impl BarsAsk {
    /// Equal for equal requests.
    pub(super) fn name(&self) -> String {
        let Basis { session, what } = self.basis;
        let (id, exchange, timeframe) = (self.contract.id, &self.contract.exchange, self.timeframe);
        format!("{id} {exchange} {} {} {timeframe} {} {}", what.name(), session.name(), self.end, self.duration)
    }
}

/// What the gateway's clock said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockAnswer {
    /// Its time, UTC.
    pub time: Nanos,
    /// From the departure of the question to the answer; waiting for our turn is not counted.
    pub latency: std::time::Duration,
}

/// What the gateway knows.
#[derive(Debug, Clone, PartialEq)]
pub enum BarsAnswer {
    /// May reach beyond what was asked, and its last bar may still be running.
    Bars {
        /// Sorted, unique, possible.
        bars: Bars,
        /// Starts of bars that came with prices that cannot be, and are left out.
        spoiled: Vec<Nanos>,
    },
    /// It says that there is nothing.
    NoData,
}

impl BarsAnswer {
    /// Some of its bars cannot be used.
    pub fn is_spoiled(&self) -> bool {
        matches!(self, Self::Bars { spoiled, .. } if !spoiled.is_empty())
    }
}
