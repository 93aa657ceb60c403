//! Whether stored bars and an answer are of one scale (pure).
//!
//! After a split IB adjusts all of its history; bars that are added then would not fit the stored ones. A ratio counts only
//! between bars of one start: prices of healthy companies halve and double in a year.

use crate::model::{Bar, Bars};

/// Fewer bars on both sides say nothing.
const BARS_MIN: usize = 5;
/// Smaller differences are dividends and corrections.
const RATIO_MIN: f64 = 0.01;
/// All prices of all bars agree on the ratio that well: adjusted prices are rounded.
const SPREAD_MAX: f64 = 0.002;
/// How near a ratio is to a fraction.
const FRACTION_MAX: f64 = 0.003;
/// Volumes are adjusted, too; their median agrees that well.
const VOLUME_MAX: f64 = 0.05;
/// Splits are of small numbers: one of the two is at most this, the other at most [`LARGE`].
const SMALL: u32 = 5;
const LARGE: u32 = 50;

/// What the bars that both have say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// One scale, or too few bars to tell.
    Same,
    /// So many new shares for so many old ones.
    Split { new: u32, old: u32, bars: usize },
    /// A constant ratio that no split explains: a spin-off, or prices adjusted for dividends.
    Other { ratio: f64, bars: usize },
}

/// Compares sorted bars.
pub(super) fn compare(stored: &Bars, told: &Bars) -> Scale {
    let pairs = pairs(stored, told);
    if pairs.len() < BARS_MIN {
        return Scale::Same;
    }
    let ratio = median(pairs.iter().map(|(stored, told)| stored.close / told.close).collect());
    let off = |stored: f64, told: f64| (stored / told / ratio - 1.0).abs();
    let spread = pairs.iter().map(|(stored, told)| {
        let prices = [(stored.open, told.open), (stored.high, told.high), (stored.low, told.low)];
        prices.iter().map(|(stored, told)| off(*stored, *told)).fold(off(stored.close, told.close), f64::max)
    });
    if (ratio - 1.0).abs() <= RATIO_MIN || spread.fold(0.0, f64::max) > SPREAD_MAX {
        return Scale::Same;
    }
    let bars = pairs.len();
    match fraction(ratio).filter(|_| volumes_agree(&pairs, ratio)) {
        Some((new, old)) => Scale::Split { new, old, bars },
        None => Scale::Other { ratio, bars },
    }
}

/// Traded bars with the same start whose prices are large enough to divide.
fn pairs(stored: &Bars, told: &Bars) -> Vec<(Bar, Bar)> {
    let usable = |bar: &Bar| bar.volume.is_none_or(|volume| volume > 0.0) && bar.low > 1.0;
    let mut told = told.iter().peekable();
    let mut pairs = Vec::new();
    for stored in stored.iter() {
        while told.next_if(|told| told.start < stored.start).is_some() {}
        if let Some(told) = told.next_if(|told| told.start == stored.start)
            && usable(&stored)
            && usable(&told)
        {
            pairs.push((stored, told));
        }
    }
    pairs
}

fn fraction(ratio: f64) -> Option<(u32, u32)> {
    let near = |new: u32, old: u32| {
        let wanted = f64::from(new) / f64::from(old);
        ((ratio / wanted - 1.0).abs() <= FRACTION_MAX).then_some((new, old))
    };
    let smalls = (1..=SMALL).flat_map(|small| (small + 1..=LARGE).map(move |large| (small, large)));
    let mut fractions = smalls.flat_map(|(small, large)| [(large, small), (small, large)]);
    fractions.find_map(|(new, old)| near(new, old))
}

/// The volume of ten new shares is ten times that of the old ones. Where it is not known, it does not disagree.
fn volumes_agree(pairs: &[(Bar, Bar)], ratio: f64) -> bool {
    let quotient = |(stored, told): &(Bar, Bar)| Some(told.volume? / stored.volume?);
    let quotients: Vec<f64> = pairs.iter().filter_map(quotient).collect();
    quotients.is_empty() || (median(quotients) / ratio - 1.0).abs() <= VOLUME_MAX
}

/// Of at least one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bars(prices: impl IntoIterator<Item = f64>, volume: f64) -> Bars {
        let bar = |(start, price): (i64, f64)| Bar {
            start,
            open: price,
            high: price * 1.02,
            low: price * 0.98,
            close: price * 1.01,
            volume: Some(volume),
        };
        (0..).zip(prices).map(bar).collect()
    }

    /// In cents, as adjusted prices are.
    fn scaled(bars: &Bars, by: f64, volume: f64) -> Bars {
        let cents = |price: f64| (price * by * 100.0).round() / 100.0;
        bars.iter()
            .map(|bar| Bar {
                open: cents(bar.open),
                high: cents(bar.high),
                low: cents(bar.low),
                close: cents(bar.close),
                volume: bar.volume.map(|known| known * volume),
                ..bar
            })
            .collect()
    }

    fn walk(length: i32) -> Bars {
        bars((0..length).map(|day| 400.0 + f64::from(day * day % 17)), 1_000_000.0)
    }

    #[test]
    fn splits_are_found_and_named() {
        let stored = walk(9);
        for (by, new, old) in [(0.1, 10, 1), (2.0 / 3.0, 3, 2), (8.0, 1, 8), (0.05, 20, 1), (0.8, 5, 4)] {
            let told = scaled(&stored, by, 1.0 / by);
            assert_eq!(compare(&stored, &told), Scale::Split { new, old, bars: 9 }, "{by}");
        }
    }

    #[test]
    fn a_ratio_that_is_no_split_has_another_cause() {
        let stored = walk(9);
        assert!(matches!(compare(&stored, &scaled(&stored, 0.97, 1.0)), Scale::Other { bars: 9, .. }));
        assert!(matches!(compare(&stored, &scaled(&stored, 0.5, 1.0)), Scale::Other { .. }), "its volume is the same");
    }

    #[test]
    fn a_dividend_a_correction_and_too_few_bars_are_no_suspicion() {
        let stored = walk(9);
        assert_eq!(compare(&stored, &scaled(&stored, 0.996, 1.0)), Scale::Same, "0.4 %");
        let mut corrected = stored.clone();
        corrected.close[4] *= 1.3;
        assert_eq!(compare(&stored, &corrected), Scale::Same);
        assert_eq!(compare(&walk(4), &scaled(&walk(4), 0.1, 10.0)), Scale::Same);
        assert_eq!(compare(&stored, &Bars::default()), Scale::Same);
    }

    proptest! {
        #[test]
        fn bars_are_of_one_scale_with_themselves_and_order_of_size_does_not_matter(
            prices in prop::collection::vec(2.0..900.0f64, 0..40), split in 2_u32..20,
        ) {
            let stored = bars(prices, 500.0);
            prop_assert_eq!(compare(&stored, &stored), Scale::Same);
            let by = 1.0 / f64::from(split);
            let exact = |bars: &Bars| -> Bars {
                let part = |bar: Bar| Bar {
                    open: bar.open * by, high: bar.high * by, low: bar.low * by, close: bar.close * by,
                    volume: bar.volume.map(|volume| volume / by), ..bar
                };
                bars.iter().map(part).collect()
            };
            let (one, other) = (compare(&stored, &exact(&stored)), compare(&exact(&stored), &stored));
            match (one, other) {
                (Scale::Split { new, old, .. }, Scale::Split { new: old_again, old: new_again, .. }) => {
                    prop_assert_eq!((new, old), (split, 1));
                    prop_assert_eq!((new_again, old_again), (split, 1));
                }
                (one, other) => prop_assert_eq!((one, other), (Scale::Same, Scale::Same), "too few, or too small"),
            }
        }
    }
}
