//! What was measured over time, and whether it is flat.

use std::time::Duration;

use super::super::{Outcome, chart::Panel, vitals::Vitals};

/// The part of a run in which caches fill and everything is done for the first time.
const WARM_UP: usize = 4;
/// Of a shorter run the slope is noise, and nothing is judged by it.
const JUDGED_MIN: Duration = Duration::from_mins(30);
/// What memory may grow by in an hour, MiB, by its slope: of a daemon that has some fifty, less than would double it in a day.
const MEMORY_MORE: f64 = 2.0;
/// Clients come and go, and at any time there are as many of them: what descriptors may grow by in an hour.
const DESCRIPTORS_MORE: f64 = 2.0;

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

    /// Extremes and slopes after the first quarter; of a long run, whether the slopes are as good as none.
    pub(super) fn judge(&self, outcome: &mut Outcome) {
        let quarter = self.0.len() / WARM_UP;
        let warm = &self.0[quarter..];
        outcome.number("looks", "Looks, of them the last three quarters count", self.0.len() as u64);
        let memory: Vec<u64> = warm.iter().map(|sample| sample.vitals.resident).collect();
        let descriptors: Vec<u64> = warm.iter().map(|sample| sample.vitals.descriptors).collect();
        let (least, most) = ends(&memory);
        outcome.bytes("memory_least", "Memory, least", least);
        outcome.bytes("memory_most", "Memory, most", most);
        let first = warm.first().map_or(Duration::ZERO, |sample| sample.at);
        let is_long = self.last().saturating_sub(first) >= JUDGED_MIN;
        let slope = slope(warm, &memory) / 1_048_576.0;
        outcome.words("memory_slope", "Memory, slope", &format!("{slope:+.2} MiB an hour"));
        outcome.must(!is_long || slope <= MEMORY_MORE, || format!("memory grows by {slope:.2} MiB an hour"));
        let (least, most) = ends(&descriptors);
        outcome.number("descriptors_least", "Descriptors, least", least);
        outcome.number("descriptors_most", "Descriptors, most", most);
        let slope = self::slope(warm, &descriptors);
        outcome.words("descriptors_slope", "Descriptors, slope", &format!("{slope:+.2} an hour"));
        outcome.must(!is_long || slope <= DESCRIPTORS_MORE, || format!("{slope:.2} descriptors more an hour"));
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

    /// A look every five seconds for so long.
    fn curve(minutes: u64, resident: impl Fn(u64) -> u64, descriptors: impl Fn(u64) -> u64) -> Curve {
        let sample = |at| {
            let vitals = Vitals { resident: resident(at), descriptors: descriptors(at), ..Vitals::default() };
            Sample::between(Vitals::default(), vitals, Duration::from_secs(at * 5), Duration::ZERO)
        };
        Curve((0..minutes * 12).map(sample).collect())
    }

    fn judged(curve: &Curve) -> Outcome {
        let mut outcome = Outcome::new("", "");
        curve.judge(&mut outcome);
        outcome
    }

    const AT_REST: u64 = 60 << 20;

    #[test]
    fn what_comes_and_goes_is_flat() {
        let noise = |at: u64| AT_REST + ((at * 7_919 % 64) << 16);
        let warmed_up = |at: u64| if at < 120 { AT_REST / 2 } else { noise(at) };
        let curve = curve(60, warmed_up, |at| 20 + at * 31 % 9);
        assert!(judged(&curve).complaints().is_empty(), "{}", judged(&curve));
    }

    #[test]
    fn a_leak_that_doubles_memory_in_a_day_shows_in_an_hour_and_so_does_a_lost_descriptor() {
        let leak = |at: u64| AT_REST + at * AT_REST / (24 * 720) + ((at * 7_919 % 16) << 16);
        let outcome = judged(&curve(60, leak, |_| 20));
        assert!(outcome.complaints().iter().all(|told| told.starts_with("memory grows by 2.")), "{outcome}");
        assert_eq!(outcome.complaints().len(), 1);
        let outcome = judged(&curve(60, |_| AT_REST, |at| 20 + at / 180));
        assert!(outcome.complaints().iter().all(|told| told.ends_with("descriptors more an hour")), "{outcome}");
        assert_eq!(outcome.complaints().len(), 1);
    }

    #[test]
    fn a_short_run_is_not_judged_by_its_slope() {
        let outcome = judged(&curve(30, |at| AT_REST + (at << 16), |at| 20 + at));
        assert!(outcome.complaints().is_empty(), "{outcome}");
        assert_eq!(outcome.document()["memory_slope"], "+45.00 MiB an hour");
    }
}
