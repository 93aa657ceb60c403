//! Symbols as people write them, and the one spelling each is stored under.

use std::fmt;

use super::{currency::is_currency, instrument::Instrument};

/// Longest symbol: IB's longest local symbols of stocks and pairs stay well below it, an exchange included.
const LENGTH_MAX: usize = 24;

/// Codes of the delivery months, January first.
const MONTH_CODES: &str = "FGHJKMNQUVXZ";

/// A symbol in its one spelling: upper case, letters, digits, `.`, `-` and one `@`, beginning with a letter or digit.
/// It is safe as a folder name, and reads back to itself. [`Instrument`] tells what it means.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(String);

/// Why a text is no symbol. The text is cut and its control characters are escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{shown:?} is not a symbol: {why}")]
pub struct InvalidSymbol {
    shown: String,
    why: &'static str,
}

impl Symbol {
    /// Reads a symbol as people type it, in the year `this_year`: like [`parse`](Self::parse), and the month codes of
    /// futures too, `ESH5` and `ESH25` for `ES-202503`. A year of one digit is the one of ten that begin two years ago,
    /// which is how long IB keeps an expired future.
    pub fn read(text: &str, this_year: i16) -> Result<Self, InvalidSymbol> {
        let upper = text.to_ascii_uppercase();
        let (name, exchange) = upper.split_once('@').map_or((upper.as_str(), None), |(name, at)| (name, Some(at)));
        match month_code(name, this_year).filter(|_| text.is_ascii() && text.len() <= LENGTH_MAX) {
            // with an exchange, a stock of that name is as likely: the month says which
            Some(future) if exchange.is_none() => Self::parse(&future),
            _ => Self::parse(text),
        }
    }

    /// Reads a symbol in any case. `EUR.USD` and `EUR/USD` are `EURUSD`, `BRK/B` is `BRK.B`, `ES 202503` is
    /// `ES-202503`, and `SPX-IND` is `SPX`.
    pub fn parse(text: &str) -> Result<Self, InvalidSymbol> {
        let fail = |why| Err(InvalidSymbol { shown: text.chars().take(32).collect(), why });
        if text.is_empty() {
            return fail("it is empty");
        }
        if text.len() > LENGTH_MAX {
            return fail("it has more than 24 characters");
        }
        let upper = text.to_ascii_uppercase();
        if let Some((base, quote)) = upper.split_once(['.', '/'])
            && is_currency(base)
            && is_currency(quote)
        {
            return Ok(Self(format!("{base}{quote}")));
        }
        let upper = respelt(upper);
        if !upper.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return fail("it does not begin with a letter or digit");
        }
        let (name, exchange) = upper.split_once('@').map_or((upper.as_str(), None), |(name, at)| (name, Some(at)));
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-') {
            return fail("only letters, digits, '.', '-' and one '@' before an exchange are allowed");
        }
        if exchange.is_some_and(|exchange| !is_exchange(exchange)) {
            return fail("an exchange of letters and digits stands after the '@', as in VOD@LSE");
        }
        if Instrument::has_impossible_month(name) {
            return fail("a future's month is a year and a month from 01 to 12, as in ES-202503");
        }
        let symbol = Self(upper);
        Ok(match symbol.instrument() {
            Instrument::Index { name, exchange: None } if Instrument::is_known_index(name) => Self(name.to_owned()),
            _ => symbol,
        })
    }

    /// In its one spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it means.
    pub fn instrument(&self) -> Instrument<'_> {
        Instrument::of(&self.0)
    }

    /// Base and quote when it is two ISO currency codes, as in `EURUSD`.
    pub fn currency_pair(&self) -> Option<(&str, &str)> {
        match self.instrument() {
            Instrument::Pair { base, quote } => Some((base, quote)),
            _ => None,
        }
    }
}

/// The spellings with characters that no folder name may hold: `BRK/B` and `ES 202503`.
fn respelt(upper: String) -> String {
    if let Some((name, class)) = upper.split_once('/') {
        let is_class = class.len() == 1 && class.chars().all(|c| c.is_ascii_uppercase());
        if is_class && name.len() > 1 {
            return format!("{name}.{class}");
        }
    }
    if let Some((root, rest)) = upper.split_once(' ') {
        let month = rest.split('@').next().unwrap_or_default();
        if Instrument::is_month(month) || month == Instrument::CONTINUOUS || month == Instrument::INDEX {
            return format!("{root}-{rest}");
        }
    }
    upper
}

fn is_exchange(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// `ESH5` and `ESH25` as `ES-202503`: a root of one to three characters, a month's code, one or two digits of the year.
fn month_code(name: &str, this_year: i16) -> Option<String> {
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let (digits, code) = (&name[letters.len()..], letters.chars().next_back()?);
    let root = &letters[..letters.len() - code.len_utf8()];
    let month = MONTH_CODES.find(code)? + 1;
    if root.is_empty() || root.len() > 3 || !root.chars().all(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let number: i16 = digits.parse().ok()?;
    let year = match digits.len() {
        1 => (this_year - 2..this_year + 8).find(|year| year.rem_euclid(10) == number)?,
        2 => 2000 + number,
        _ => return None,
    };
    Some(format!("{root}-{year:04}{month:02}"))
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_spelling_has_one_canonical_form() {
        for (typed, stored) in [
            ("EURUSD", "EURUSD"),
            ("eurusd", "EURUSD"),
            ("EUR.USD", "EURUSD"),
            ("eur/usd", "EURUSD"),
            ("brk.b", "BRK.B"),
            ("BRK-B", "BRK-B"),
            ("BRK/B", "BRK.B"),
            ("GOOGL", "GOOGL"),
            ("ABCDEF", "ABCDEF"),
            ("vod@lse", "VOD@LSE"),
            ("BRK/B@NYSE", "BRK/B@NYSE"),
            ("es 202503", "ES-202503"),
            ("ES-202503", "ES-202503"),
            ("ES 202503@cme", "ES-202503@CME"),
            ("VIX 20250319", "VIX-20250319"),
            ("ESH5", "ES-202503"),
            ("esz6", "ES-202612"),
            ("ESH33", "ES-203303"),
            ("ESZ4", "ES-202412"),
            ("ESZ3", "ES-203312"),
            ("6EM5", "6E-202506"),
            ("es cont", "ES-CONT"),
            ("ES-CONT@CME", "ES-CONT@CME"),
            ("spx", "SPX"),
            ("SPX-IND", "SPX"),
            ("SX5E-IND@EUREX", "SX5E-IND@EUREX"),
            ("TSLAZ5", "TSLAZ5"),
            ("ABH3@IBIS", "ABH3@IBIS"),
        ] {
            let read = Symbol::read(typed, 2026);
            if stored.contains('/') {
                assert!(read.is_err(), "{typed}");
                continue;
            }
            assert_eq!(read.unwrap().as_str(), stored, "{typed}");
        }
    }

    #[test]
    fn what_a_symbol_means_is_in_its_spelling() {
        let means = |text: &str, wanted: Instrument<'_>| assert_eq!(Symbol::parse(text).unwrap().instrument(), wanted);
        means("EURUSD", Instrument::Pair { base: "EUR", quote: "USD" });
        means("ABCDEF", Instrument::Stock { name: "ABCDEF", primary: None });
        means("VOD@LSE", Instrument::Stock { name: "VOD", primary: Some("LSE") });
        means("BRK-B", Instrument::Stock { name: "BRK-B", primary: None });
        means("DAX", Instrument::Index { name: "DAX", exchange: None });
        means("DAX@NASDAQ", Instrument::Stock { name: "DAX", primary: Some("NASDAQ") });
        means("SX5E-IND", Instrument::Index { name: "SX5E", exchange: None });
        means("ES-202503", Instrument::Future { root: "ES", month: "202503", exchange: None });
        means("ES-CONT@CME", Instrument::Continuous { root: "ES", exchange: Some("CME") });
    }

    #[test]
    fn what_could_leave_the_folder_or_the_line_is_refused() {
        let long = "A".repeat(10_000);
        for text in [
            "",
            ".",
            "..",
            "../x",
            "A/B",
            "A\\B",
            "A B",
            "A\n",
            "A\0",
            "-A",
            "É",
            "A@",
            "@A",
            "A@B@C",
            "A@.",
            "A=B",
            "A%B",
            "ES 202513",
            "ES-202500",
            "ES 20250232",
            "A//B",
            &long,
        ] {
            let error = Symbol::read(text, 2026).unwrap_err();
            assert!(error.to_string().len() < 180, "{error}");
            assert!(!error.to_string().contains('\n'));
        }
    }

    /// Things that nearly are symbols, so that the law below is tried where it could break.
    fn typed() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[A-Za-z0-9]{1,6}",
            Just("EUR".to_owned()),
            Just("usd".to_owned()),
            Just("202503".to_owned()),
            Just("CONT".to_owned()),
            Just("IND".to_owned()),
            Just("SPX".to_owned()),
            Just("H5".to_owned()),
        ];
        let between = prop::sample::select(vec!["", ".", "-", "/", " ", "@"]);
        prop::collection::vec((piece, between), 1..4)
            .prop_map(|pieces| pieces.into_iter().map(|(piece, between)| piece + between).collect())
    }

    proptest! {
        #[test]
        fn a_symbol_reads_back_and_is_one_folder_name(
            text in prop_oneof!["\\PC{0,30}", typed()], year in 2020_i16..2060, later in 2020_i16..2060,
        ) {
            if let Ok(symbol) = Symbol::read(&text, year) {
                prop_assert_eq!(&Symbol::parse(symbol.as_str()).unwrap(), &symbol);
                // typed again in another year, it is still the same
                prop_assert_eq!(&Symbol::read(symbol.as_str(), later).unwrap(), &symbol);
                prop_assert!(std::path::Path::new(symbol.as_str()).components().count() == 1);
                prop_assert!(!symbol.as_str().starts_with('.'));
                prop_assert!(!symbol.as_str().contains([' ', '/', '\\', '=', '%', ':', '?', '*']));
            }
        }
    }
}
