//! Contracts and how a client's description finds them.

use jiff::civil::Date;

use super::generate::Tape;
use super::replay::Files;
use super::schedule::Schedule;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecurityType {
    Stock,
    Cash,
    Future,
    /// The nearest futures joined end to end.
    Continuous,
    Index,
}

#[derive(Clone, Debug)]
pub(crate) struct Contract {
    pub(crate) id: i32,
    pub(crate) symbol: String,
    pub(crate) kind: SecurityType,
    /// Where it is routed: SMART, or the venue of a currency pair.
    pub(crate) exchange: &'static str,
    /// Empty for a currency pair.
    pub(crate) primary: &'static str,
    pub(crate) currency: String,
    pub(crate) local_symbol: String,
    pub(crate) trading_class: String,
    pub(crate) long_name: String,
    /// `COMMON`, `ETF`; empty for a currency pair.
    pub(crate) stock_type: &'static str,
    pub(crate) min_tick: &'static str,
    /// The last day it trades; of futures only.
    pub(crate) last_day: Option<Date>,
    /// Units of the underlying; of futures only.
    pub(crate) multiplier: Option<f64>,
    /// How many quoted units are one unit of the currency: 100 for pence.
    pub(crate) magnifier: i32,
    pub(crate) schedule: Schedule,
    pub(crate) prices: Prices,
}

#[derive(Clone, Debug)]
pub(crate) enum Prices {
    Replayed(Files),
    Generated(Tape),
}

impl SecurityType {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Stock => "STK",
            Self::Cash => "CASH",
            Self::Future => "FUT",
            Self::Continuous => "CONTFUT",
            Self::Index => "IND",
        }
    }
}

impl Contract {
    /// Every venue, as contract details list them.
    pub(crate) fn venues(&self) -> String {
        match self.kind {
            SecurityType::Stock => format!("SMART,{}", self.primary),
            _ => self.exchange.to_owned(),
        }
    }

    /// A replayed symbol takes the place of all built-in contracts of its name.
    pub(crate) fn names_same_asset(&self, other: &Self) -> bool {
        let same_quote = self.kind != SecurityType::Cash || self.currency == other.currency;
        self.kind == other.kind && self.symbol == other.symbol && same_quote
    }

    /// A search term starts the symbol, or occurs in the name.
    pub(crate) fn is_like(&self, pattern: &str) -> bool {
        let pattern = pattern.trim().to_uppercase();
        let pair = format!("{}{}", self.symbol, self.currency);
        let by_symbol = self.symbol.starts_with(&pattern) || self.local_symbol.starts_with(&pattern);
        let by_pair = self.kind == SecurityType::Cash && pair.starts_with(&pattern);
        !pattern.is_empty() && (by_symbol || by_pair || self.long_name.to_uppercase().contains(&pattern))
    }
}

/// A client's description of a contract. Zero and empty mean "not said".
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Query {
    pub(crate) id: i32,
    pub(crate) symbol: String,
    pub(crate) security_type: String,
    pub(crate) exchange: String,
    pub(crate) primary: String,
    pub(crate) currency: String,
    pub(crate) local_symbol: String,
    /// `yyyymm` or `yyyymmdd`.
    pub(crate) month: String,
    pub(crate) include_expired: bool,
}

impl Query {
    pub(crate) fn matches(&self, contract: &Contract) -> bool {
        let said = |text: &str, is: &str| text.is_empty() || text == is;
        let by_id = self.id == 0 || self.id == contract.id;
        let by_name = said(&self.symbol, &contract.symbol) && said(&self.local_symbol, &contract.local_symbol);
        by_id
            && by_name
            && said(&self.security_type, contract.kind.code())
            && said(&self.currency, &contract.currency)
            && said(venue(&self.primary), contract.primary)
            && self.is_traded_at(contract)
            && contract.last_day.is_none_or(|day| day.strftime("%Y%m%d").to_string().starts_with(&self.month))
    }

    /// Contracts that have expired are found when they are asked for, or named by their id.
    pub(crate) fn may_have_expired(&self) -> bool {
        self.include_expired || self.id != 0
    }

    /// What is missing before anything can be looked up, as a refusal names it.
    pub(crate) fn lack(&self, need_exchange: bool) -> Option<&'static str> {
        if self.id == 0 && self.symbol.is_empty() && self.local_symbol.is_empty() {
            return Some("Please enter a local symbol or a symbol.");
        }
        if self.id == 0 && self.security_type.is_empty() {
            return Some("Please enter a valid security type.");
        }
        (need_exchange && self.exchange.is_empty()).then_some("Please enter exchange.")
    }

    fn is_traded_at(&self, contract: &Contract) -> bool {
        let wanted = venue(&self.exchange);
        wanted.is_empty() || wanted == contract.exchange || wanted == contract.primary
    }
}

/// The plain name of a venue: without the market tier, and NASDAQ by its old name too.
fn venue(name: &str) -> &str {
    match name.split('.').next().unwrap_or(name) {
        "ISLAND" => "NASDAQ",
        plain => plain,
    }
}
