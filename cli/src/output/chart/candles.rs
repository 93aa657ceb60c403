//! From bars to as many candles as there is room for (pure).

use crate::output::bar::Bar;

/// One candle: a bar, or several neighbours in one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candle {
    pub(super) start_ns: i64,
    pub(super) open: f64,
    pub(super) high: f64,
    pub(super) low: f64,
    pub(super) close: f64,
    pub(super) volume: f64,
}

impl Candle {
    pub(super) fn rises(&self) -> bool {
        self.close >= self.open
    }

    fn of(bar: &Bar) -> Self {
        let [open, high, low, close] = bar.prices();
        Self { start_ns: bar.start_ns, open, high, low, close, volume: bar.volume.unwrap_or(0.0) }
    }

    fn joined(self, later: Self) -> Self {
        Self {
            high: self.high.max(later.high),
            low: self.low.min(later.low),
            close: later.close,
            volume: self.volume + later.volume,
            ..self
        }
    }
}

/// At most `room` candles, each of the same number of bars; the last may have fewer.
pub(super) fn candles(bars: &[Bar], room: usize) -> Vec<Candle> {
    let each = bars.len().div_ceil(room.max(1)).max(1);
    let join = |bars: &[Bar]| bars.iter().map(Candle::of).reduce(Candle::joined);
    bars.chunks(each).filter_map(join).collect()
}

/// Lowest and highest price, and the largest volume; a span of no height gets some.
pub(super) fn extent(candles: &[Candle]) -> (f64, f64, f64) {
    let low = candles.iter().map(|candle| candle.low).fold(f64::INFINITY, f64::min);
    let high = candles.iter().map(|candle| candle.high).fold(f64::NEG_INFINITY, f64::max);
    let volume = candles.iter().map(|candle| candle.volume).fold(0.0, f64::max);
    if high > low { (low, high, volume) } else { (low - 1.0, high + 1.0, volume) }
}

/// Prices for an axis: round ones, ascending, about `count` of them.
pub(super) fn ticks(low: f64, high: f64, count: u32) -> Vec<f64> {
    let rough = (high - low) / f64::from(count.max(1));
    let magnitude = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|factor| factor * magnitude).find(|step| *step >= rough);
    let step = step.unwrap_or(rough);
    let first = (low / step).ceil() * step;
    let tick = |nth: u32| first + f64::from(nth) * step;
    (0..=count.saturating_mul(2)).map(tick).take_while(|price| *price <= high).collect()
}

/// As few decimals as say each tick as it is.
pub(super) fn decimals(ticks: &[f64]) -> usize {
    let is_whole = |value: f64| (value - value.round()).abs() < 1e-3;
    (0..8).find(|places| ticks.iter().all(|tick| is_whole(tick * 10_f64.powi(*places)))).map_or(8, i32::unsigned_abs)
        as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_prices() {
        assert_eq!(ticks(101.3, 118.9, 4), [105.0, 110.0, 115.0]);
        assert_eq!(decimals(&ticks(101.3, 118.9, 4)), 0);
        assert_eq!(decimals(&ticks(134.2, 143.1, 4)), 1, "{:?}", ticks(134.2, 143.1, 4));
        let small = ticks(1.0812, 1.0871, 5);
        assert_eq!(decimals(&small), 3, "{small:?}");
        assert!(small.len() >= 3 && small.iter().all(|price| (1.0812..=1.0871).contains(price)));
        assert!(ticks(5.0, 5.0, 4).len() <= 9);
    }
}
