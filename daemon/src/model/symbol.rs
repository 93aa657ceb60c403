//! Ticker symbols.

use std::fmt;

use super::currency::is_currency;

/// Longest symbol: IB's longest local symbols of stocks and pairs stay well below it.
const LENGTH_MAX: usize = 24;

/// A ticker in upper case: letters, digits, `.` and `-`, beginning with a letter or digit. It is safe as a folder name.
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
    /// Reads a symbol as people type it: any case; `EUR.USD` and `EUR/USD` are `EURUSD`.
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
        if !upper.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return fail("it does not begin with a letter or digit");
        }
        if !upper.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-') {
            return fail("only letters, digits, '.' and '-' are allowed");
        }
        Ok(Self(upper))
    }

    /// In upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Base and quote when it is two ISO currency codes, as in `EURUSD`.
    pub fn currency_pair(&self) -> Option<(&str, &str)> {
        if self.0.len() != 6 {
            return None;
        }
        let (base, quote) = self.0.split_at(3);
        (is_currency(base) && is_currency(quote)).then_some((base, quote))
    }
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
    fn pairs_have_one_spelling() {
        for text in ["EURUSD", "eurusd", "EUR.USD", "eur/usd"] {
            assert_eq!(Symbol::parse(text).unwrap().as_str(), "EURUSD");
        }
        assert_eq!(Symbol::parse("EURUSD").unwrap().currency_pair(), Some(("EUR", "USD")));
        assert_eq!(Symbol::parse("ABCDEF").unwrap().currency_pair(), None);
        assert_eq!(Symbol::parse("brk.b").unwrap().as_str(), "BRK.B");
    }

    #[test]
    fn what_could_leave_the_folder_or_the_line_is_refused() {
        for text in ["", ".", "..", "../x", "A/B", "A\\B", "A B", "A\n", "A\0", "-A", "É", &"A".repeat(10_000)] {
            let error = Symbol::parse(text).unwrap_err();
            assert!(error.to_string().len() < 160, "{error}");
            assert!(!error.to_string().contains('\n'));
        }
    }

    proptest! {
        #[test]
        fn a_symbol_reads_back_and_is_one_folder_name(text in "\\PC{0,30}") {
            if let Ok(symbol) = Symbol::parse(&text) {
                prop_assert_eq!(Symbol::parse(symbol.as_str()).unwrap(), symbol.clone());
                prop_assert!(std::path::Path::new(symbol.as_str()).components().count() == 1);
                prop_assert!(!symbol.as_str().starts_with('.'));
            }
        }
    }
}
