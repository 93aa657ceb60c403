//! What a load wants: the range by dates or by mode, what of it is missing, and where the history begins.

use jiff::tz::TimeZone;

use super::{Load, Mode};
use crate::{
    clock,
    gateway::Contract,
    market_data::{
        MarketDataError,
        closing::{closed_until, zone},
    },
    model::{Bars, DAY, HOUR, Nanos, SECOND, TimeRange, Timeframe},
    store::{CoverageKind, SeriesState, year_start},
};

/// What `tail` loads of a series of which nothing is stored.
const TAIL: Nanos = 30 * DAY;

impl Load {
    /// What of the wanted range is not known. A damaged partition is as good as none.
    pub(super) async fn missing(
        &self,
        contract: Option<&Contract>,
        head: Option<Nanos>,
    ) -> Result<Vec<TimeRange>, MarketDataError> {
        let zone = zone(contract.map_or("", |contract| &contract.time_zone));
        let Some(wanted) = self.wanted(&zone, head) else {
            return Ok(Vec::new());
        };
        let (store, key) = (self.reference.store.clone(), self.request.key.clone());
        let missing = tokio::task::spawn_blocking(move || {
            let Some(state) = store.state(&key) else {
                return vec![wanted];
            };
            let mut coverage = state.coverage.clone();
            for (year, ..) in state.years_in(&wanted) {
                if store.verify_year(&key, year).is_err()
                    && let Ok(damaged) = TimeRange::new(year_start(year), year_start(year.saturating_add(1)))
                {
                    coverage.remove(&damaged);
                }
            }
            coverage.missing(&wanted)
        });
        missing.await.map_err(|_| MarketDataError::Defect)
    }

    /// The range of bars that are over, by dates or by mode; `None` when it is empty.
    fn wanted(&self, zone: &TimeZone, head: Option<Nanos>) -> Option<TimeRange> {
        let timeframe = self.request.key.timeframe;
        let closed = closed_until(clock::now(), timeframe, zone);
        let stored = self.reference.store.state(&self.request.key);
        let stored = stored.as_deref();
        let from_mode = || match self.request.mode {
            Mode::Tail | Mode::Local => {
                stored.and_then(|state| state.coverage.end().or(state.last())).unwrap_or(closed - TAIL)
            }
            Mode::Backfill | Mode::Full => {
                head.map_or(closed - depth_assumed(timeframe), |head| first_bar_of(head, timeframe, zone))
            }
        };
        let end_of_mode = match self.request.mode {
            Mode::Backfill if self.request.start.is_none() => stored.and_then(SeriesState::first).unwrap_or(closed),
            _ => closed,
        };
        let start = self.request.start.unwrap_or_else(from_mode);
        let end = self.request.end.unwrap_or(end_of_mode).min(closed);
        TimeRange::new(start, end).ok()
    }

    /// Remembers that there is nothing before the first bar of the history. `true`: that spares some request.
    pub(super) async fn nothing_before(
        &mut self,
        head: Nanos,
        contract: &Contract,
        missing: &[TimeRange],
    ) -> Result<bool, MarketDataError> {
        let first = first_bar_of(head, self.request.key.timeframe, &zone(&contract.time_zone));
        let Some(start) = missing.first().map(TimeRange::start) else {
            return Ok(false);
        };
        let end = missing.last().map_or(first, |range| range.end().min(first));
        let Ok(nothing) = TimeRange::new(start, end) else {
            return Ok(false);
        };
        self.keep(Bars::default(), nothing, vec![(nothing, CoverageKind::None)]).await?;
        Ok(true)
    }
}

/// The earliest start of a bar that holds this instant.
fn first_bar_of(head: Nanos, timeframe: Timeframe, zone: &TimeZone) -> Nanos {
    if timeframe.is_intraday() {
        return head.div_euclid(timeframe.step()) * timeframe.step() - timeframe.step();
    }
    // a bar may be labelled by any of its days
    let minute_of_settling = 60 * SECOND;
    closed_until(head + minute_of_settling, Timeframe::Days1, zone) - (timeframe.step() - DAY)
}

/// How far back a history is assumed to reach when the gateway cannot tell.
fn depth_assumed(timeframe: Timeframe) -> Nanos {
    match timeframe.step() {
        step if step <= 30 * SECOND => 180 * DAY,
        step if step < HOUR => 2 * 365 * DAY,
        step if step < DAY => 5 * 365 * DAY,
        _ => 20 * 365 * DAY,
    }
}
