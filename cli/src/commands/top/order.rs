//! In which order rows stand (pure).

use std::cmp::Reverse;

use ktrdr_proto::v1::{Operation, OperationState, SeriesSummary};

use super::pace::Growth;
use crate::{follow::has_ended, views::timeframe};

/// Of operations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum OfOperations {
    /// Running ones, waiting ones, ended ones.
    #[default]
    State,
    Newest,
    Progress,
    Subject,
}

/// Of series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum OfSeries {
    /// What changed last.
    #[default]
    Change,
    Name,
    Bars,
    Size,
}

impl OfOperations {
    pub(super) fn next(self) -> Self {
        match self {
            Self::State => Self::Newest,
            Self::Newest => Self::Progress,
            Self::Progress => Self::Subject,
            Self::Subject => Self::State,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::State => "by state",
            Self::Newest => "newest first",
            Self::Progress => "by progress",
            Self::Subject => "by subject",
        }
    }

    pub(super) fn sort(self, operations: &mut [&Operation]) {
        let percent = |operation: &Operation| operation.progress.as_ref().and_then(|progress| progress.percent);
        match self {
            // those that began first are done first; of the others, what was last is of interest
            Self::State => operations.sort_by_key(|operation| {
                let age = operation.started_at_ns.unwrap_or(operation.created_at_ns);
                let newest = operation.ended_at_ns.map(Reverse);
                (rank(operation), newest, age)
            }),
            Self::Newest => operations.sort_by_key(|operation| Reverse(operation.created_at_ns)),
            Self::Progress => operations.sort_by(|a, b| {
                let key = |operation| percent(operation).unwrap_or(-1.0);
                has_ended(a).cmp(&has_ended(b)).then(key(b).total_cmp(&key(a)))
            }),
            Self::Subject => {
                operations.sort_by(|a, b| (&a.subject, a.created_at_ns).cmp(&(&b.subject, b.created_at_ns)));
            }
        }
    }
}

fn rank(operation: &Operation) -> u8 {
    match operation.state() {
        OperationState::Running => 0,
        OperationState::Pending => 1,
        _ => 2,
    }
}

impl OfSeries {
    pub(super) fn next(self) -> Self {
        match self {
            Self::Change => Self::Name,
            Self::Name => Self::Bars,
            Self::Bars => Self::Size,
            Self::Size => Self::Change,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Change => "by change",
            Self::Name => "by name",
            Self::Bars => "by bars",
            Self::Size => "by size",
        }
    }

    /// By name where nothing else decides.
    pub(super) fn sort(self, series: &mut [SeriesSummary], growth: &Growth) {
        series.sort_by_cached_key(|one| one.series.as_ref().map(|one| (one.symbol.clone(), one.timeframe)));
        match self {
            Self::Change => series.sort_by_cached_key(|one| Reverse((growth.last(&series_name(one)), one.last_ns))),
            Self::Name => {}
            Self::Bars => series.sort_by_key(|one| Reverse(one.bars)),
            Self::Size => series.sort_by_key(|one| Reverse(one.size_bytes)),
        }
    }
}

/// `AAPL 1h`.
pub(super) fn series_name(series: &SeriesSummary) -> String {
    let symbol = series.series.as_ref().map_or("", |series| series.symbol.as_str());
    format!("{symbol} {}", timeframe(series.series.as_ref()))
}

#[cfg(test)]
mod tests {
    use ktrdr_proto::v1::{Progress, SeriesId, Timeframe};

    use super::*;

    fn operation(id: &str, state: OperationState, created: i64, percent: Option<f64>) -> Operation {
        let progress = Some(Progress { percent, ..Progress::default() });
        let ended_at_ns = (!matches!(state, OperationState::Running | OperationState::Pending)).then_some(created + 10);
        Operation {
            id: id.to_owned(),
            subject: id.to_owned(),
            state: state.into(),
            created_at_ns: created,
            progress,
            ended_at_ns,
            ..Operation::default()
        }
    }

    #[test]
    fn operations_stand_as_their_order_says() {
        use OperationState::{Completed, Failed, Pending, Running};
        let all = [
            operation("d", Failed, 1, None),
            operation("c", Completed, 2, Some(100.0)),
            operation("b", Pending, 3, None),
            operation("e", Running, 5, Some(70.0)),
            operation("a", Running, 4, Some(10.0)),
        ];
        let mut order = OfOperations::default();
        let mut seen = Vec::new();
        for _ in 0..4 {
            let mut sorted: Vec<&Operation> = all.iter().collect();
            order.sort(&mut sorted);
            seen.push(format!("{}: {}", order.word(), sorted.iter().map(|one| one.id.as_str()).collect::<String>()));
            order = order.next();
        }
        assert_eq!(order, OfOperations::default(), "round again");
        assert_eq!(seen, ["by state: aebcd", "newest first: eabcd", "by progress: eabcd", "by subject: abcde"]);
    }

    #[test]
    fn series_stand_as_their_order_says() {
        let series = |symbol: &str, bars, size_bytes, last_ns| SeriesSummary {
            series: Some(SeriesId { symbol: symbol.to_owned(), timeframe: Timeframe::Days1.into() }),
            bars,
            size_bytes,
            last_ns,
            ..SeriesSummary::default()
        };
        let mut all = [series("A", 1, 30, 5), series("B", 3, 20, 7), series("C", 2, 10, 6)];
        let mut growth = Growth::default();
        growth.saw(1, &all, false);
        growth.saw(2, &[series("A", 2, 30, 5)], true);
        let (mut order, mut seen) = (OfSeries::default(), Vec::new());
        for _ in 0..4 {
            order.sort(&mut all, &growth);
            seen.push(format!("{}: {}", order.word(), all.iter().map(series_name).collect::<String>()));
            order = order.next();
        }
        assert_eq!(order, OfSeries::default(), "round again");
        let expected =
            ["by change: A 1dB 1dC 1d", "by name: A 1dB 1dC 1d", "by bars: B 1dC 1dA 1d", "by size: A 1dB 1dC 1d"];
        assert_eq!(seen, expected);
    }
}
