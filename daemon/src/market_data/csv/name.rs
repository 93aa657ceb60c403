//! What a file's name says: `SYMBOL_TIMEFRAME.csv`.

use crate::model::{Symbol, Timeframe};

/// Symbol and timeframe, as far as the name tells, read in the year `this_year`. `label` may be a path of any system;
/// only its last part counts.
pub fn from_label(label: &str, this_year: i16) -> (Option<Symbol>, Option<Timeframe>) {
    let name = label.rsplit(['/', '\\']).next().unwrap_or(label);
    // without the separator a name such as `data.csv` would pass for a symbol
    let Some((symbol, timeframe)) = stem(name).rsplit_once('_') else {
        return (None, None);
    };
    (Symbol::read(symbol, this_year).ok(), Timeframe::parse(timeframe))
}

/// Without `.csv` of any case.
fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, extension)) if extension.eq_ignore_ascii_case("csv") => stem,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(label: &str) -> (Option<String>, Option<Timeframe>) {
        let (symbol, timeframe) = from_label(label, 2026);
        (symbol.map(|symbol| symbol.to_string()), timeframe)
    }

    #[test]
    fn names_of_real_files() {
        let days = Some(Timeframe::Days1);
        assert_eq!(read("AAPL_1d.csv"), (Some("AAPL".into()), days));
        assert_eq!(read("/home/me/data/BRK.B_1d.csv"), (Some("BRK.B".into()), days));
        assert_eq!(read("C:\\data\\eurusd_1h.CSV"), (Some("EURUSD".into()), Some(Timeframe::Hours1)));
        assert_eq!(read("EUR.USD_1M.csv"), (Some("EURUSD".into()), Some(Timeframe::Months1)));
        assert_eq!(read("MSFT_1mo.csv"), (Some("MSFT".into()), Some(Timeframe::Months1)));
        assert_eq!(read("MSFT_1m"), (Some("MSFT".into()), Some(Timeframe::Minutes1)));
    }

    #[test]
    fn what_is_not_recognised_is_absent() {
        assert_eq!(read("AAPL_daily.csv"), (Some("AAPL".into()), None));
        assert_eq!(read("my file_1d.csv"), (None, Some(Timeframe::Days1)));
        for label in ["", "data.csv", ".csv", "AAPL.csv", "AAPL_1d/", "AAPL_1d.csv/x"] {
            assert_eq!(read(label), (None, None), "{label}");
        }
    }

    proptest! {
        #[test]
        fn any_label_is_answered(label in "\\PC{0,40}") {
            let (symbol, timeframe) = from_label(&label, 2026);
            prop_assert!(label.contains('_') || (symbol.is_none() && timeframe.is_none()));
        }
    }
}
