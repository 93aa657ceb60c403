//! Medians, ratios and how sure they are.

use std::time::Duration;

/// Numbers that look random and are the same in every run (xorshift).
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// Below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound.max(1)
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

pub(crate) fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// A ratio of medians with its 95 % interval.
pub(crate) struct Ratio {
    pub(crate) value: f64,
    low: f64,
    high: f64,
}

/// By bootstrap. Pairs of one round are drawn together, so that what slows a whole round down cancels out.
pub(crate) fn ratio(of: &[Duration], to: &[Duration]) -> Ratio {
    const RESAMPLES: usize = 2_000;
    let one = |of: &[Duration], to: &[Duration]| median(of).as_secs_f64() / median(to).as_secs_f64();
    let mut chance = Chance::new();
    let mut ratios: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let (of, to): (Vec<_>, Vec<_>) = (0..of.len())
                .map(|_| {
                    let at = chance.below(of.len());
                    (of[at], to[at])
                })
                .unzip();
            one(&of, &to)
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    Ratio { value: one(of, to), low: ratios[RESAMPLES / 40], high: ratios[RESAMPLES - RESAMPLES / 40] }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ({:.2}–{:.2})", self.value, self.low, self.high)
    }
}

pub(crate) fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

pub(crate) fn mib(bytes: u64) -> String {
    format!("{}.{} MiB", bytes >> 20, ((bytes % (1 << 20)) * 10) >> 20)
}
