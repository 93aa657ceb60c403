//! How fast things go, from what earlier looks saw (pure).

use std::collections::{HashMap, VecDeque};

use ktrdr_proto::v1::{Operation, SeriesSummary};

use super::order::series_name;
use crate::time::seconds_between;

/// Long enough for work that is paced to a request every ten seconds.
const WINDOW_NS: i64 = 30_000_000_000;

/// Of operations: what was done when.
#[derive(Debug, Default)]
pub(super) struct Pace(HashMap<String, VecDeque<(i64, u64)>>);

impl Pace {
    pub(super) fn saw(&mut self, at_ns: i64, operations: &[Operation]) {
        let mut before = std::mem::take(&mut self.0);
        for operation in operations.iter().filter(|operation| operation.ended_at_ns.is_none()) {
            let Some(progress) = &operation.progress else { continue };
            let mut seen = before.remove(&operation.id).unwrap_or_default();
            // one that is older than the window stays: from there on it is counted
            while seen.get(1).is_some_and(|(at, _)| at_ns.saturating_sub(*at) >= WINDOW_NS) {
                seen.pop_front();
            }
            // a restart of the daemon may begin it anew
            seen.retain(|(at, done)| *at < at_ns && *done <= progress.done);
            seen.push_back((at_ns, progress.done));
            self.0.insert(operation.id.clone(), seen);
        }
    }

    /// A second; `None` while nobody can know.
    #[expect(clippy::cast_precision_loss, reason = "two digits for people")]
    pub(super) fn of(&self, operation: &Operation) -> Option<f64> {
        let seen = self.0.get(&operation.id)?;
        let ((start, before), (end, now)) = (seen.front()?, seen.back()?);
        let seconds = seconds_between(*start, *end);
        (seconds > 0.0 && now > before).then(|| (now - before) as f64 / seconds)
    }
}

/// `12/s`, `3.4/s`, `6.0/m`.
pub(super) fn in_words(a_second: f64) -> String {
    match a_second {
        fast if fast >= 10.0 => format!("{fast:.0}/s"),
        some if some >= 1.0 => format!("{some:.1}/s"),
        slow => format!("{:.1}/m", slow * 60.0),
    }
}

/// Of series: what came while they were looked at.
#[derive(Debug, Default)]
pub(super) struct Growth(HashMap<String, Grown>);

#[derive(Debug, Clone, Copy)]
struct Grown {
    first: u64,
    now: u64,
    /// Never, while nothing came.
    at_ns: i64,
}

impl Growth {
    pub(super) fn saw(&mut self, at_ns: i64, series: &[SeriesSummary], begun: bool) {
        for one in series {
            // what was not there before is all new
            let first = if begun { 0 } else { one.bars };
            let at = if begun { at_ns } else { 0 };
            let grown = self.0.entry(series_name(one)).or_insert(Grown { first, now: one.bars, at_ns: at });
            if grown.now != one.bars {
                *grown = Grown { first: grown.first.min(one.bars), now: one.bars, at_ns };
            }
        }
    }

    /// Bars that came.
    pub(super) fn of(&self, name: &str) -> u64 {
        self.0.get(name).map_or(0, |grown| grown.now - grown.first)
    }

    /// When the last of them were seen; 0: never.
    pub(super) fn last(&self, name: &str) -> i64 {
        self.0.get(name).map_or(0, |grown| grown.at_ns)
    }
}

#[cfg(test)]
mod tests {
    use ktrdr_proto::v1::{Progress, SeriesId, Timeframe};

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn operation(done: u64) -> Operation {
        let progress = Some(Progress { done, ..Progress::default() });
        Operation { id: "op_load_1".to_owned(), progress, ..Operation::default() }
    }

    #[test]
    fn a_pace_is_that_of_the_last_half_minute() {
        let mut pace = Pace::default();
        assert_eq!(pace.of(&operation(0)), None);
        pace.saw(0, &[operation(0)]);
        assert_eq!(pace.of(&operation(0)), None, "once is no pace");
        for second in 1..=10 {
            pace.saw(second * SECOND, &[operation(2 * second.unsigned_abs())]);
        }
        assert_eq!(pace.of(&operation(20)).map(in_words).as_deref(), Some("2.0/s"));
        for second in 11..=60 {
            pace.saw(second * SECOND, &[operation(20)]);
        }
        assert_eq!(pace.of(&operation(20)), None, "it stands");
        pace.saw(61 * SECOND, &[operation(21)]);
        assert_eq!(pace.of(&operation(21)).map(in_words).as_deref(), Some("2.0/m"));
        pace.saw(62 * SECOND, &[operation(3)]);
        assert_eq!(pace.of(&operation(3)), None, "it began anew");
        pace.saw(63 * SECOND, &[]);
        assert!(pace.0.is_empty(), "what is over is forgotten");
    }

    #[test]
    fn what_grows_is_told_from_what_was_there() {
        let series = |bars| SeriesSummary {
            series: Some(SeriesId { symbol: "AAPL".to_owned(), timeframe: Timeframe::Hours1.into() }),
            bars,
            ..SeriesSummary::default()
        };
        let mut growth = Growth::default();
        let now = |growth: &Growth| (growth.of("AAPL 1h"), growth.last("AAPL 1h"));
        assert_eq!(now(&growth), (0, 0));
        growth.saw(1, &[series(100)], false);
        assert_eq!(now(&growth), (0, 0));
        growth.saw(2, &[series(130)], true);
        assert_eq!(now(&growth), (30, 2));
        growth.saw(3, &[series(130)], true);
        assert_eq!(now(&growth), (30, 2));
        growth.saw(4, &[series(20)], true);
        assert_eq!(now(&growth), (0, 4), "some were taken away");
        let mut growth = Growth::default();
        growth.saw(2, &[series(130)], true);
        assert_eq!(now(&growth), (130, 2), "all of it is new");
    }
}
