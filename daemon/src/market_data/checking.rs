//! Reading stored bars for a check, year by year: memory does not grow with the series. While one year is looked at, the next is read.

use std::{collections::VecDeque, sync::mpsc, thread};

use super::{
    MarketData, MarketDataError, View,
    calendar::Calendar,
    check::{Checked, Checker, Subject},
    closing::{closed_until, zone},
    error::stored,
    hours::sessions,
    resample::{Resampler, refusal},
};
use crate::{
    clock,
    gateway::Contract,
    model::{Bars, Basis, Nanos, SeriesKey, Source, TimeRange, Timeframe},
    store::{Opened, SeriesState, Store, StoreError, year_start},
};

/// One series, checked.
#[derive(Debug)]
pub struct CheckedSeries {
    /// Which.
    pub key: SeriesKey,
    /// Session and prices.
    pub basis: Basis,
    /// By which calendar.
    pub calendar: Option<&'static Calendar>,
    /// First stored bar and last.
    pub ends: Option<(Nanos, Nanos)>,
    /// What came out.
    pub checked: Checked,
}

impl MarketData {
    /// Every rule on every stored bar of a series. Never touches the gateway.
    pub async fn check(&self, key: SeriesKey) -> Result<CheckedSeries, MarketDataError> {
        let known = self.reference.known(&key.symbol).await?;
        let calendar = Calendar::of_contract(&key.symbol, known.as_ref().map(|known| &*known.contract));
        let store = self.reference.store.clone();
        let told = known.map(|known| known.contract);
        let checking = tokio::task::spawn_blocking(move || check(&store, key, calendar, told.as_deref()));
        checking.await.map_err(|_| MarketDataError::Defect)?
    }
}

fn check(
    store: &Store,
    key: SeriesKey,
    calendar: Option<&'static Calendar>,
    contract: Option<&Contract>,
) -> Result<CheckedSeries, MarketDataError> {
    let state = stored(store, &key)?;
    let now = clock::now();
    let zone = calendar.map_or(jiff::tz::TimeZone::UTC, |calendar| calendar.zone().clone());
    let mut checker = Checker::new(Subject {
        key: key.clone(),
        basis: state.basis,
        coverage: state.coverage.clone(),
        calendar,
        closed: closed_until(now, key.timeframe, &zone),
        now,
        // who asks the gateway leaves out what is not over; who wrote a file need not have
        came: if state.source == Source::Import { store.last_import(&key)?.unwrap_or(now) } else { now },
    });
    for year in store.unlisted_years(&key) {
        checker.unlisted(year_start(year));
    }
    let mut shorter = Shorter::of(store, &key, &state, calendar)?;
    while_the_next_is_read(&store.open_years(&key, &TimeRange::ALL)?, |year, read| {
        match read {
            Ok(bars) => {
                checker.bars(&bars);
                if let Some(shorter) = &mut shorter {
                    shorter.hold_against(year, &bars, &mut checker)?;
                }
            }
            Err(StoreError::Damaged { .. }) => state.held_in(year).into_iter().for_each(|held| checker.damaged(held)),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    })?;
    if let (Some(calendar), Some(contract)) = (calendar, contract) {
        compare_hours(calendar, contract, &mut checker);
    }
    let ends = state.ends();
    Ok(CheckedSeries { key, basis: state.basis, calendar, ends, checked: checker.finish() })
}

/// Looks at the bars of one year after the other, up to the first error.
fn while_the_next_is_read(
    years: &[Opened],
    mut look: impl FnMut(i16, Result<Bars, StoreError>) -> Result<(), MarketDataError>,
) -> Result<(), MarketDataError> {
    // nothing waits in between: two years in memory are enough
    let (sender, read) = mpsc::sync_channel(0);
    thread::scope(|scope| {
        // nobody takes a year any more after an error
        let reads = move || years.iter().all(|opened| sender.send((opened.year(), opened.bars())).is_ok());
        match thread::Builder::new().name("reads ahead".into()).spawn_scoped(scope, reads) {
            Ok(_) => read.into_iter().try_for_each(|(year, bars)| look(year, bars)),
            // there are as many threads as there may be
            Err(_) => years.iter().try_for_each(|opened| look(opened.year(), opened.bars())),
        }
    })
}

/// Shorter stored bars of the same market, year by year.
struct Shorter {
    timeframe: Timeframe,
    years: VecDeque<Opened>,
    resampler: Resampler,
}

impl Shorter {
    fn of(
        store: &Store,
        key: &SeriesKey,
        state: &SeriesState,
        calendar: Option<&'static Calendar>,
    ) -> Result<Option<Self>, MarketDataError> {
        let fits = |other: &SeriesKey, its: &SeriesState| {
            other.symbol == key.symbol && its.basis == state.basis && refusal(other.timeframe, key.timeframe).is_none()
        };
        // the longest of the shorter ones: the fewest bars to read
        let stored = store.list().into_iter().filter(|(other, its)| fits(other, its));
        let Some((other, its)) = stored.max_by_key(|(other, _)| other.timeframe.step()) else { return Ok(None) };
        let view = View { resample: Some(key.timeframe), ..View::default() }.of(&other, calendar)?;
        let Some(resampler) = view.and_then(|seen| seen.resampler(&its)) else { return Ok(None) };
        let years = store.open_years(&other, &TimeRange::ALL)?.into();
        Ok(Some(Self { timeframe: other.timeframe, years, resampler }))
    }

    /// Years come ascending; of those that only the shorter bars have, there is nothing to hold them against.
    fn hold_against(&mut self, year: i16, bars: &Bars, checker: &mut Checker) -> Result<(), MarketDataError> {
        while let Some(opened) = self.years.pop_front_if(|opened| opened.year() <= year) {
            let is_it = opened.year() == year;
            match opened.bars() {
                Ok(shorter) => {
                    // bars without trades carry the last price over, and begin a longer one with it
                    let traded = shorter.iter().filter(|bar| bar.volume != Some(0.0)).collect();
                    let made = self.resampler.push(&traded);
                    if is_it {
                        checker.reconcile(bars, &made, self.timeframe);
                    }
                }
                // told by a check of that one
                Err(StoreError::Damaged { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Regular hours as the gateway told them against ours.
fn compare_hours(calendar: &Calendar, contract: &Contract, checker: &mut Checker) {
    for told in sessions(&contract.liquid_hours, &zone(&contract.time_zone)) {
        let date = calendar.date_of(told.end() - 1);
        let Some(day) = calendar.day(date) else { continue };
        if !day.regular.contains(&told) {
            checker.conflict(&told, day.regular.first());
        }
    }
}
