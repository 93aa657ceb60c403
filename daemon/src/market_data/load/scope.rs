//! What of the wanted bars is missing, and where the history begins.

use jiff::tz::TimeZone;

use super::{
    Load, LoadRequest,
    wanted::{Stored, wanted},
};
use crate::{
    clock,
    gateway::Contract,
    market_data::{
        MarketDataError,
        calendar::may_hold_bars,
        closing::{closed_until, zone},
        keep::whole_years,
        reference::Reference,
    },
    model::{Bars, Coverage, DAY, Nanos, SECOND, TimeRange, Timeframe},
    store::{CoverageKind, StoreError, year_range},
};

/// A request, and what is known.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) request: &'a LoadRequest,
    pub(super) reference: &'a Reference,
}

impl Scope<'_> {
    /// What of the wanted range is not known. Of a year whose file is damaged, all it held is missing.
    pub(super) async fn missing(
        &self,
        contract: Option<&Contract>,
        head: Option<Nanos>,
    ) -> Result<Vec<TimeRange>, MarketDataError> {
        let zone = zone(contract.map_or("", |contract| &contract.time_zone));
        let timeframe = self.request.key.timeframe;
        let closed = closed_until(clock::now(), timeframe, &zone);
        let head = head.map(|head| first_bar_of(head, timeframe, &zone));
        let state = self.reference.store.state(&self.request.key);
        let stored = state.as_deref().map_or_else(Stored::default, |state| Stored {
            first: state.first(),
            last: state.last(),
            coverage: state.coverage.clone(),
        });
        let stored = if self.request.verify { stored.doubted(timeframe) } else { stored };
        let Some(wanted) = wanted(self.request, &stored, head, closed) else { return Ok(Vec::new()) };
        let Some(state) = state else { return Ok(self.in_sessions(&[wanted], contract)) };
        let (store, key) = (self.reference.store.clone(), self.request.key.clone());
        let missing = tokio::task::spawn_blocking(move || {
            let (mut coverage, mut lost) = (stored.coverage, Coverage::default());
            for year in state.years_in(&whole_years(&wanted)) {
                // a bucket that is away says nothing about its files
                if store.verify_year(&key, year).is_err_and(|error| !matches!(error, StoreError::Remote { .. })) {
                    if let Some(damaged) = year_range(year) {
                        coverage.remove(&damaged);
                    }
                    if let Some(all_it_held) = state.held_in(year) {
                        lost.insert(all_it_held);
                    }
                }
            }
            for part in coverage.missing(&wanted) {
                lost.insert(part);
            }
            lost.intervals().to_vec()
        });
        let missing = missing.await.map_err(|_| MarketDataError::Defect)?;
        Ok(self.in_sessions(&missing, contract))
    }

    /// What of it may hold bars: closed hours are never asked for.
    fn in_sessions(&self, missing: &[TimeRange], contract: Option<&Contract>) -> Vec<TimeRange> {
        may_hold_bars(missing, &self.request.key, self.request.basis.session, contract)
    }
}

impl Load {
    fn scope(&self) -> Scope<'_> {
        Scope { request: &self.request, reference: &self.reference }
    }

    pub(super) fn in_sessions(&self, missing: &[TimeRange], contract: Option<&Contract>) -> Vec<TimeRange> {
        self.scope().in_sessions(missing, contract)
    }

    /// What it asks for.
    pub(super) async fn missing(
        &self,
        contract: Option<&Contract>,
        head: Option<Nanos>,
    ) -> Result<Vec<TimeRange>, MarketDataError> {
        match &self.only {
            Some(only) => Ok(only.clone()),
            None => self.scope().missing(contract, head).await,
        }
    }

    /// Remembers that there is nothing before the first bar of the history.
    pub(super) async fn nothing_before(
        &mut self,
        head: Nanos,
        contract: &Contract,
        missing: &[TimeRange],
    ) -> Result<(), MarketDataError> {
        let first = first_bar_of(head, self.request.key.timeframe, &zone(&contract.time_zone));
        let Some(start) = missing.first().map(TimeRange::start) else {
            return Ok(());
        };
        let end = missing.last().map_or(first, |range| range.end().min(first));
        let Ok(nothing) = TimeRange::new(start, end) else {
            return Ok(());
        };
        self.keep(Bars::default(), None, nothing, vec![(nothing, CoverageKind::None)]).await?;
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HOUR;

    #[test]
    fn the_day_of_the_listing_is_wanted() {
        let head = 20_000 * DAY + 14 * HOUR + HOUR / 2;
        let zone = zone("US/Eastern");
        assert_eq!(first_bar_of(head, Timeframe::Days1, &zone), 20_000 * DAY, "its bar is labelled by midnight");
        assert_eq!(first_bar_of(head, Timeframe::Hours1, &zone), 20_000 * DAY + 13 * HOUR, "bars may begin earlier");
        assert!(first_bar_of(head, Timeframe::Weeks1, &zone) <= 20_000 * DAY - 6 * DAY);
    }
}
