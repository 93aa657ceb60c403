//! Prices out of nothing: random access, in whole ticks, and the same for every bar size.
//!
//! An hour is drawn first: its open and close lie on a slow curve, its high and low a little outside. Each of
//! its 60 minutes, and each of a minute's 60 seconds, is then cut out of the whole so that the parts add up to
//! it exactly: opens and closes chain, one part reaches the high and one the low, volumes sum. So an hour costs
//! as much as a second, and bars of any size agree.

/// Parts of an hour, and of a minute.
const PARTS: i64 = 60;

/// Prices in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candle {
    pub(crate) open: i64,
    pub(crate) high: i64,
    pub(crate) low: i64,
    pub(crate) close: i64,
    pub(crate) volume: i64,
    pub(crate) count: i64,
}

impl Candle {
    /// This candle followed by the next one.
    pub(crate) fn then(self, next: Self) -> Self {
        Self {
            open: self.open,
            high: self.high.max(next.high),
            low: self.low.min(next.low),
            close: next.close,
            volume: self.volume + next.volume,
            count: self.count + next.count,
        }
    }
}

/// The curve of one instrument: a level in ticks, and how far it swings, as a share of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Curve {
    pub(crate) key: u64,
    pub(crate) level: f64,
    pub(crate) swing: f64,
}

impl Curve {
    /// The candle of an hour, counted from the epoch.
    pub(crate) fn hour(&self, hour: i64) -> Candle {
        let (open, close) = (self.knot(hour), self.knot(hour + 1));
        let room = |salt| ticks(self.level * self.swing * 0.012 * (0.2 + unit(self.draw(hour, salt))));
        let busy = if (13..20).contains(&hour.rem_euclid(24)) { 12 } else { 1 };
        let volume = (9_000 + below(self.draw(hour, 3), 60_000)) * busy;
        Candle {
            open,
            high: open.max(close) + room(1),
            low: (open.min(close) - room(2)).max(1),
            close,
            volume,
            count: volume / 90,
        }
    }

    /// The price at the start of an hour: slow waves and a little noise.
    fn knot(&self, hour: i64) -> i64 {
        const WAVES: [(f64, f64); 5] = [(17_500.0, 0.55), (3_100.0, 0.25), (620.0, 0.12), (131.0, 0.05), (23.0, 0.02)];
        let waves: f64 = (0u32..)
            .zip(WAVES)
            .map(|(index, (period, share))| {
                let phase = unit(hash(self.key, u64::from(index) + 101));
                (std::f64::consts::TAU * (float(hour) / period + phase)).sin() * share
            })
            .sum();
        let jitter = (unit(self.draw(hour, 0)) - 0.5) * 0.02;
        ticks(self.level * (self.swing * (waves + jitter)).exp()).max(2)
    }

    fn draw(&self, at: i64, salt: u64) -> u64 {
        hash(hash(self.key, at.cast_unsigned()), salt)
    }

    /// One of the sixty equal parts of a candle that starts at `start`.
    pub(crate) fn part(&self, whole: Candle, start: i64, index: i64) -> Candle {
        let key = self.draw(start, 7);
        let (open, close) = (knot_inside(whole, key, index), knot_inside(whole, key, index + 1));
        let wick = |salt| below(hash(hash(key, salt), index.cast_unsigned()), (whole.high - whole.low) / 12 + 1);
        let peaks = |salt| below(hash(key, salt), PARTS) == index;
        Candle {
            open,
            high: if peaks(11) { whole.high } else { (open.max(close) + wick(13)).min(whole.high) },
            low: if peaks(12) { whole.low } else { (open.min(close) - wick(14)).max(whole.low) },
            close,
            volume: share_of(whole.volume, key, index),
            count: share_of(whole.count, key, index),
        }
    }
}

/// The price between two parts: a straight line from open to close with noise, inside high and low.
fn knot_inside(whole: Candle, key: u64, index: i64) -> i64 {
    if index == 0 {
        return whole.open;
    }
    if index == PARTS {
        return whole.close;
    }
    let line = whole.open + (whole.close - whole.open) * index / PARTS;
    let room = (whole.high - whole.low) / 2 + 1;
    (line + below(hash(key, index.cast_unsigned() + 1000), room) - room / 2).clamp(whole.low, whole.high)
}

/// A part of a sum: the sums up to both of its edges never fall, start at 0 and end at the whole.
fn share_of(whole: i64, key: u64, index: i64) -> i64 {
    let up_to = |edge: i64| {
        let ragged =
            if edge == 0 || edge == PARTS { 0 } else { below(hash(key, edge.cast_unsigned() + 5000), 800) - 400 };
        whole * (edge * 1000 + ragged) / (PARTS * 1000)
    };
    up_to(index + 1) - up_to(index)
}

/// A well mixed number of two others.
pub(crate) fn hash(a: u64, b: u64) -> u64 {
    let mut mixed = a.rotate_left(25) ^ b.wrapping_add(0x9e37_79b9_7f4a_7c15);
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        mixed = (mixed ^ (mixed >> 33)).wrapping_mul(factor);
    }
    mixed ^ (mixed >> 33)
}

/// A number out of a name.
pub(crate) fn hash_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |mixed, byte| hash(mixed, u64::from(byte)))
}

fn below(draw: u64, limit: i64) -> i64 {
    i64::try_from(draw % limit.max(1).cast_unsigned()).unwrap_or(0)
}

/// From 0 to 1.
fn unit(draw: u64) -> f64 {
    float(i64::try_from(draw >> 11).unwrap_or(0)) / 9_007_199_254_740_992.0
}

#[expect(clippy::cast_precision_loss, reason = "hours and 53-bit draws are exact in a double")]
fn float(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, reason = "prices in ticks are small, and a cast saturates")]
fn ticks(price: f64) -> i64 {
    price.round() as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole(key: u64, hour in 300_000i64..600_000, level in 50.0..1e6) {
            let curve = Curve { key, level, swing: 0.4 };
            let whole = curve.hour(hour);
            prop_assert!(whole.low <= whole.open.min(whole.close) && whole.high >= whole.open.max(whole.close));
            let parts: Vec<_> = (0..PARTS).map(|index| curve.part(whole, hour * 3600, index)).collect();
            for part in &parts {
                prop_assert!(part.low <= part.open.min(part.close) && part.high >= part.open.max(part.close));
                prop_assert!(part.volume >= 0 && part.low > 0);
            }
            prop_assert_eq!(parts.into_iter().reduce(Candle::then), Some(whole));
        }
    }
}
