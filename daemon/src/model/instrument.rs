//! What a symbol means (pure): a stock, a currency pair, an index, a future, or a future without end.
//!
//! The spelling alone decides, so that a series is the same thing for ever: a dash and six or eight digits make a
//! future, `-CONT` a continuous one, `-IND` an index, two currency codes a pair. An exchange follows an `@`.

use super::currency::is_currency;

/// Indices that are meant by their plain name. Each trades nothing under that name in the United States, or nothing
/// that is as well known; `DAX@NASDAQ` still is the fund.
const KNOWN_INDICES: [&str; 6] = ["SPX", "VIX", "NDX", "RUT", "DJX", "DAX"];

/// What a symbol means. Borrowed from its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instrument<'a> {
    /// A stock or fund.
    Stock {
        /// As people write it: `BRK.B`.
        name: &'a str,
        /// Where it is listed.
        primary: Option<&'a str>,
    },
    /// A currency pair.
    Pair {
        /// What is bought.
        base: &'a str,
        /// What it is paid with.
        quote: &'a str,
    },
    /// An index.
    Index {
        /// Its ticker.
        name: &'a str,
        /// Who computes it.
        exchange: Option<&'a str>,
    },
    /// A future that expires.
    Future {
        /// Ticker of the family: `ES`.
        root: &'a str,
        /// `yyyymm`, or the last trading day as `yyyymmdd` where one month has several.
        month: &'a str,
        /// Where it trades.
        exchange: Option<&'a str>,
    },
    /// The chain of futures that IB joins into one.
    Continuous {
        /// Ticker of the family: `ES`.
        root: &'a str,
        /// Where it trades.
        exchange: Option<&'a str>,
    },
}

impl<'a> Instrument<'a> {
    /// Marks a continuous future.
    pub(super) const CONTINUOUS: &'static str = "CONT";
    /// Marks an index.
    pub(super) const INDEX: &'static str = "IND";

    /// Reads a symbol's one spelling.
    pub(super) fn of(symbol: &'a str) -> Self {
        let (name, exchange) = symbol.split_once('@').map_or((symbol, None), |(name, at)| (name, Some(at)));
        match name.rsplit_once('-') {
            Some((root, Self::CONTINUOUS)) => return Self::Continuous { root, exchange },
            Some((name, Self::INDEX)) => return Self::Index { name, exchange },
            Some((root, month)) if Self::is_month(month) => return Self::Future { root, month, exchange },
            _ => {}
        }
        if exchange.is_none() && name.len() == 6 && name.is_ascii() {
            let (base, quote) = name.split_at(3);
            if is_currency(base) && is_currency(quote) {
                return Self::Pair { base, quote };
            }
        }
        if exchange.is_none() && Self::is_known_index(name) {
            return Self::Index { name, exchange };
        }
        Self::Stock { name, primary: exchange }
    }

    /// Whether the plain name means an index.
    pub(super) fn is_known_index(name: &str) -> bool {
        KNOWN_INDICES.contains(&name)
    }

    /// Six digits that are a year and a month, or eight that are a day.
    pub(super) fn is_month(text: &str) -> bool {
        if !has_digits_of_month(text) {
            return false;
        }
        let number = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<u8>().ok());
        let month_fits = number(4..6).is_some_and(|month| (1..=12).contains(&month));
        let day_fits = text.len() == 6 || number(6..8).is_some_and(|day| (1..=31).contains(&day));
        let century_fits = text.starts_with("19") || text.starts_with("20");
        century_fits && month_fits && day_fits
    }

    /// It is written like a future, and no such month exists.
    pub(super) fn has_impossible_month(name: &str) -> bool {
        name.rsplit_once('-').is_some_and(|(_, month)| has_digits_of_month(month) && !Self::is_month(month))
    }
}

fn has_digits_of_month(text: &str) -> bool {
    matches!(text.len(), 6 | 8) && text.bytes().all(|byte| byte.is_ascii_digit())
}
