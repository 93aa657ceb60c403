//! The values of a row.

use super::{
    findings::kind,
    header::{Cells, OPEN, VOLUME},
};

/// How files spell "no value".
const NULLS: [&str; 5] = ["null", "none", "na", "n/a", "<na>"];

/// Open, high, low, close; or why the row cannot be stored.
pub(super) fn prices(cells: &Cells<'_>) -> Result<[f64; 4], &'static str> {
    let mut prices = [0.0; 4];
    for (price, text) in prices.iter_mut().zip(&cells[OPEN..]) {
        *price = match number(text) {
            Number::Finite(value) => value,
            Number::Missing | Number::Infinite => return Err(kind::VALUE_MISSING),
            Number::Unparsable => return Err(kind::VALUE_UNPARSABLE),
        };
    }
    Ok(prices)
}

/// The volume; `None` where none is reported, which IB says with −1. Other negative volumes are stored as they are.
pub(super) fn volume(cells: &Cells<'_>) -> Result<Option<f64>, &'static str> {
    match number(cells[VOLUME]) {
        Number::Finite(value) => Ok((value.to_bits() != (-1.0_f64).to_bits()).then_some(value)),
        Number::Missing => Ok(None),
        Number::Infinite | Number::Unparsable => Err(kind::VALUE_UNPARSABLE),
    }
}

#[derive(Debug, PartialEq)]
enum Number {
    Finite(f64),
    Infinite,
    Missing,
    Unparsable,
}

/// Correctly rounded, so that the shortest text of a number reads back as the same bits.
fn number(text: &str) -> Number {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Number::Finite(value),
        Ok(value) if value.is_nan() => Number::Missing,
        Ok(_) => Number::Infinite,
        Err(_) if text.is_empty() || NULLS.iter().any(|null| text.eq_ignore_ascii_case(null)) => Number::Missing,
        Err(_) => Number::Unparsable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(close: &'a str, volume: &'a str) -> Cells<'a> {
        ["", "1", "2.5", "-0.5", close, volume, ""]
    }

    #[test]
    fn prices_are_finite_numbers() {
        assert_eq!(prices(&row("1e2", "")), Ok([1.0, 2.5, -0.5, 100.0]));
        for text in ["", "nan", "NaN", "-nan", "inf", "-Infinity", "1e999", "NULL", "None", "N/A"] {
            assert_eq!(prices(&row(text, "")), Err(kind::VALUE_MISSING), "{text}");
        }
        for text in ["abc", "1,5", "1_0", "0x10", "1.2.3", "$1", "-", "１"] {
            assert_eq!(prices(&row(text, "")), Err(kind::VALUE_UNPARSABLE), "{text}");
        }
    }

    #[test]
    fn a_volume_may_be_absent() {
        for text in ["", "-1", "-1.0", "nan", "null"] {
            assert_eq!(volume(&row("", text)), Ok(None), "{text}");
        }
        assert_eq!(volume(&row("", "-2")), Ok(Some(-2.0)));
        assert_eq!(volume(&row("", "0.5")), Ok(Some(0.5)));
        for text in ["inf", "1e999", "many"] {
            assert_eq!(volume(&row("", text)), Err(kind::VALUE_UNPARSABLE), "{text}");
        }
    }
}
