//! What was measured over time, and whether it is flat.

use std::time::Duration;

use super::super::{Outcome, chart::Panel, outcome::mib, vitals::Vitals};

/// The part of a run in which caches fill and everything is done for the first time.
const WARM_UP: usize = 4;
/// What the last quarter may have more than the second one: the allocator's habits.
const MEMORY_MORE: u64 = 16 << 20;
/// Clients come and go.
const DESCRIPTORS_MORE: u64 = 16;

/// One look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    at: Duration,
    vitals: Vitals,
    /// Of one processor since the look before.
    busy: f64,
}

impl Sample {
    pub(super) fn between(before: Vitals, vitals: Vitals, at: Duration, last: Duration) -> Self {
        let time = at.saturating_sub(last).as_secs_f64();
        let worked = vitals.cpu.saturating_sub(before.cpu).as_secs_f64();
        Self { at, vitals, busy: if time > 0.0 { worked / time } else { 0.0 } }
    }
}

/// All looks, in order.
#[derive(Debug, Default)]
pub(super) struct Curve(Vec<Sample>);

impl Curve {
    pub(super) fn add(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// When the last look was.
    pub(super) fn last(&self) -> Duration {
        self.0.last().map_or(Duration::ZERO, |sample| sample.at)
    }

    pub(super) fn panels(&self) -> [Panel; 3] {
        let panel = |title, value: &dyn Fn(&Sample) -> f64| Panel {
            title,
            points: self.0.iter().map(|sample| (sample.at.as_secs_f64() / 60.0, value(sample))).collect(),
        };
        [
            panel("Resident memory, MiB", &|sample| number(sample.vitals.resident >> 10) / 1024.0),
            panel("Open descriptors", &|sample| number(sample.vitals.descriptors)),
            panel("Processor, % of one", &|sample| sample.busy * 100.0),
        ]
    }

    /// Extremes and slopes after the first quarter.
    pub(super) fn judge(&self, outcome: &mut Outcome) {
        let quarter = self.0.len() / WARM_UP;
        let warm = &self.0[quarter..];
        outcome.number("looks", "Looks, of them the last three quarters count", self.0.len() as u64);
        let memory: Vec<u64> = warm.iter().map(|sample| sample.vitals.resident).collect();
        let descriptors: Vec<u64> = warm.iter().map(|sample| sample.vitals.descriptors).collect();
        let (least, most) = ends(&memory);
        outcome.bytes("memory_least", "Memory, least", least);
        outcome.bytes("memory_most", "Memory, most", most);
        let slope = slope(warm, &memory) / 1_048_576.0;
        outcome.words("memory_slope", "Memory, slope", &format!("{slope:+.2} MiB an hour"));
        let grown = more_at_the_end(&memory);
        outcome.must(grown <= MEMORY_MORE, || format!("the last quarter needs {} more than the second", mib(grown)));
        let (least, most) = ends(&descriptors);
        outcome.number("descriptors_least", "Descriptors, least", least);
        outcome.number("descriptors_most", "Descriptors, most", most);
        let slope = self::slope(warm, &descriptors);
        outcome.words("descriptors_slope", "Descriptors, slope", &format!("{slope:+.2} an hour"));
        let grown = more_at_the_end(&descriptors);
        outcome.must(grown <= DESCRIPTORS_MORE, || format!("the last quarter has {grown} descriptors more"));
        let threads: Vec<u64> = warm.iter().map(|sample| sample.vitals.threads).collect();
        outcome.number("threads_most", "Threads, most", ends(&threads).1);
        let busy = warm.iter().map(|sample| sample.busy).sum::<f64>() / number(warm.len().max(1) as u64);
        outcome.words("busy", "Processor, mean", &format!("{:.1} % of one", busy * 100.0));
    }
}

fn ends(values: &[u64]) -> (u64, u64) {
    let least = values.iter().min().copied().unwrap_or(0);
    (least, values.iter().max().copied().unwrap_or(0))
}

/// The highest of the last third against the highest of the first.
fn more_at_the_end(values: &[u64]) -> u64 {
    let third = values.len() / 3;
    let highest = |part: &[u64]| part.iter().max().copied().unwrap_or(0);
    highest(&values[values.len() - third..]).saturating_sub(highest(&values[..third]))
}

/// By least squares, an hour.
fn slope(samples: &[Sample], values: &[u64]) -> f64 {
    let count = number(values.len().max(1) as u64);
    let hours: Vec<f64> = samples.iter().map(|sample| sample.at.as_secs_f64() / 3_600.0).collect();
    let values: Vec<f64> = values.iter().copied().map(number).collect();
    let (mean_at, mean) = (hours.iter().sum::<f64>() / count, values.iter().sum::<f64>() / count);
    let both: f64 = hours.iter().zip(&values).map(|(at, value)| (at - mean_at) * (value - mean)).sum();
    let own: f64 = hours.iter().map(|at| (at - mean_at).powi(2)).sum();
    if own > 0.0 { both / own } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "for a chart and a slope")]
fn number(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(resident: impl Fn(u64) -> u64) -> Curve {
        let sample = |at| {
            let vitals = Vitals { resident: resident(at), descriptors: 20, ..Vitals::default() };
            Sample::between(Vitals::default(), vitals, Duration::from_secs(at * 5), Duration::ZERO)
        };
        Curve((0..720).map(sample).collect())
    }

    #[test]
    fn what_grows_is_complained_of_and_what_is_flat_is_not() {
        let complaints = |curve: &Curve| {
            let mut outcome = Outcome::new("", "");
            curve.judge(&mut outcome);
            (outcome.complaints().len(), outcome.document()["memory_slope"].as_str().unwrap_or_default().to_owned())
        };
        assert_eq!(complaints(&curve(|at| (40 << 20) + (at % 7))).0, 0);
        let (count, slope) = complaints(&curve(|at| (40 << 20) + (at << 16)));
        assert_eq!((count, slope.as_str()), (1, "+45.00 MiB an hour"));
    }
}
