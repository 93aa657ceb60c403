//! Medians, ratios of them, and how sure they are.

use std::fmt;

use anyhow::{Result, ensure};

/// Resamples of a bootstrap.
const RESAMPLES: usize = 2_000;

/// A number with its 95 % interval; of one that was counted, the interval is the number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figure {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Figure {
    /// Counted, not sampled.
    pub(super) fn exact(value: f64) -> Self {
        Self { value, low: value, high: value }
    }

    /// The median of samples.
    pub(super) fn median(samples: &[f64]) -> Result<Self> {
        ensure!(!samples.is_empty(), "nothing was measured");
        Ok(Self::bootstrapped(samples.len(), |drawn| median(drawn.iter().map(|at| samples[*at]))))
    }

    /// A ratio of medians. What was measured in one round is drawn together, so that what slows a whole round cancels out.
    pub(super) fn ratio(of: &[f64], to: &[f64]) -> Result<Self> {
        ensure!(of.len() == to.len() && !of.is_empty(), "{} and {} samples are no pairs", of.len(), to.len());
        let column = |samples: &[f64], drawn: &[usize]| median(drawn.iter().map(|at| samples[*at]));
        Ok(Self::bootstrapped(of.len(), |drawn| column(of, drawn) / column(to, drawn)))
    }

    fn bootstrapped(rounds: usize, of: impl Fn(&[usize]) -> f64) -> Self {
        let mut chance = fastrand::Rng::with_seed(1);
        let as_measured: Vec<usize> = (0..rounds).collect();
        let drawn = |_| of(&(0..rounds).map(|_| chance.usize(0..rounds)).collect::<Vec<_>>());
        let mut values: Vec<f64> = (0..RESAMPLES).map(drawn).collect();
        values.sort_by(f64::total_cmp);
        Self { value: of(&as_measured), low: values[RESAMPLES / 40], high: values[RESAMPLES - 1 - RESAMPLES / 40] }
    }

    /// The intervals do not touch, not even with 2 % of room: two counts are hardly ever the same.
    pub(super) fn is_apart_from(&self, other: &Self) -> bool {
        const ROOM: f64 = 0.02;
        let gap = (self.low - other.high).max(other.low - self.high);
        gap > ROOM * self.value.abs().max(other.value.abs())
    }
}

pub(super) fn median(samples: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = samples.collect();
    sorted.sort_by(f64::total_cmp);
    let (middle, odd) = (sorted.len() / 2, sorted.len() % 2 == 1);
    match (odd, sorted.as_slice()) {
        (_, []) => f64::NAN,
        (true, sorted) => sorted[middle],
        (false, sorted) => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Three digits that mean something.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        above if above >= 100.0 => format!("{value:.0}"),
        above if above >= 10.0 => format!("{value:.1}"),
        above if above >= 0.1 || above == 0.0 => format!("{value:.2}"),
        above if above >= 0.01 => format!("{value:.3}"),
        _ => format!("{value:.5}"),
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [value, low, high] = [self.value, self.low, self.high].map(number);
        if low == high { f.write_str(&value) } else { write!(f, "{value} ({low}–{high})") }
    }
}

/// Reads what [`Display`](fmt::Display) wrote, and any unit after it.
pub(super) fn parse(text: &str) -> Option<(Figure, &str)> {
    let (value, rest) = text.split_once(' ').unwrap_or((text, ""));
    let value: f64 = value.parse().ok()?;
    let Some((interval, rest)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) else {
        return Some((Figure::exact(value), rest));
    };
    let (low, high) = interval.split_once('–')?;
    Some((Figure { value, low: low.parse().ok()?, high: high.parse().ok()? }, rest.trim_start()))
}

pub(super) fn ms(seconds: f64) -> String {
    if seconds >= 10.0 { format!("{seconds:.1} s") } else { format!("{} ms", number(seconds * 1e3)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_of_medians_and_its_interval_holds_it() {
        let of: Vec<f64> = (0..200).map(|n| 2.0 + f64::from(n % 10) / 100.0).collect();
        let to: Vec<f64> = of.iter().map(|value| value / 2.0).collect();
        let ratio = Figure::ratio(&of, &to).unwrap();
        assert!((ratio.value - 2.0).abs() < 1e-9 && ratio.low <= ratio.value && ratio.value <= ratio.high);
        // slow rounds that hit both
        let slow = |samples: &[f64]| {
            samples.iter().enumerate().map(|(n, s)| if n % 3 == 0 { s * 9.0 } else { *s }).collect::<Vec<_>>()
        };
        let ratio = Figure::ratio(&slow(&of), &slow(&to)).unwrap();
        assert!((ratio.value - 2.0).abs() < 1e-9);
        assert!(Figure::ratio(&of, &to[1..]).is_err() && Figure::median(&[]).is_err());
        assert_eq!(Figure::median(&[3.0, 1.0, 2.0, 10.0]).unwrap().value.to_string(), "2.5");
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (figure, unit) in [
            (Figure { value: 1.08, low: 1.07, high: 1.09 }, ""),
            (Figure { value: 0.00123, low: 0.00121, high: 0.00125 }, ""),
            (Figure::exact(138.0), ""),
            (Figure::exact(17.3), "MiB"),
            (Figure { value: 0.69, low: 0.5, high: 1.5 }, "% of a core"),
        ] {
            let text = format!("{figure} {unit}");
            assert_eq!(parse(text.trim_end()), Some((figure, unit)), "{text}");
        }
        assert_eq!((parse("skipped"), parse("")), (None, None));
    }

    #[test]
    fn intervals_that_touch_are_no_change() {
        let figure = |value: f64, low, high| Figure { value, low, high };
        assert!(!figure(1.0, 0.9, 1.1).is_apart_from(&figure(1.15, 1.05, 1.3)));
        assert!(figure(1.0, 0.9, 1.1).is_apart_from(&figure(1.4, 1.3, 1.5)));
        assert!(!Figure::exact(138.0).is_apart_from(&Figure::exact(140.0)));
        assert!(Figure::exact(138.0).is_apart_from(&Figure::exact(150.0)));
    }
}
