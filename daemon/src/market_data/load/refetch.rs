//! A whole series anew, because what is stored is of another scale than what comes now.
//!
//! Until all of it has come, what is stored stays, and is served. It is held in memory until then: 30 MB for 20 years of
//! one-minute bars in regular hours.

use std::collections::BTreeMap;

use super::{
    End, Load,
    answer::learn,
    ask::Asker,
    steps::{Next, Steps},
};
use crate::{
    clock,
    market_data::{
        MarketDataError,
        closing::{closed_until, zone},
        keep::{Anew, by_year},
        merge::merge,
        plan::{Order, steps},
    },
    model::{Bars, Source, TimeRange},
    operations::Context,
    store::{CoverageKind, RevisionRow, SeriesState},
};

/// What has come so far.
#[derive(Debug, Default)]
struct Fresh {
    years: BTreeMap<i16, Bars>,
    cover: Vec<(TimeRange, CoverageKind)>,
}

impl Fresh {
    fn take(&mut self, bars: &Bars, cover: Vec<(TimeRange, CoverageKind)>) {
        self.cover.extend(cover);
        for (year, rows) in by_year(bars) {
            let known = self.years.entry(year).or_default();
            *known = merge(known, &bars.slice(rows), &TimeRange::ALL, |_| {}).0;
        }
    }
}

impl Load {
    pub(super) async fn refetch(
        &mut self,
        context: &Context,
        mut asker: Asker,
        why: &MarketDataError,
    ) -> Result<End, MarketDataError> {
        let key = self.request.key.clone();
        let zone = zone(&asker.contract.time_zone);
        let Some(state) = self.reference.store.state(&key) else { return Ok(End::Complete) };
        let closed = closed_until(clock::now(), key.timeframe, &zone);
        let Some(whole) = state.first().and_then(|first| TimeRange::new(first, closed).ok()) else {
            return Ok(End::Complete);
        };
        tracing::warn!(series = %key, why = %why, "the whole series is loaded anew");
        let parts = self.in_sessions(&[whole], Some(&asker.contract));
        let steps = steps(&parts, key.timeframe, Order::NewestFirst, clock::now());
        let (mut steps, mut fresh) = (Steps::new(steps, context), Fresh::default());
        loop {
            match self.next(&mut steps, &mut asker, context).await {
                Next::Done => break,
                Next::Stopped => return Ok(End::Stopped),
                Next::Failed(_, error) => return Err(error.into()),
                Next::Answer(step, answer) => {
                    let lesson = learn(answer, &step, key.timeframe, &zone, clock::now());
                    self.leave(lesson.spoiled.iter().copied());
                    fresh.take(&lesson.bars, lesson.cover);
                    context.progress(|progress| progress.done += 1);
                }
            }
        }
        self.replace(fresh, state.as_ref().clone(), why).await?;
        Ok(End::Complete)
    }

    async fn replace(
        &mut self,
        fresh: Fresh,
        state: SeriesState,
        why: &MarketDataError,
    ) -> Result<(), MarketDataError> {
        let revision = RevisionRow {
            at: clock::now(),
            operation: self.operation.clone(),
            source: Source::Gateway,
            kind: why.scale_case().unwrap_or("refetched").into(),
            bars: state.bars(),
            first: state.first().unwrap_or_default(),
            last: state.last().unwrap_or_default(),
            examples: String::new(),
        };
        let told: u64 = fresh.years.values().map(|bars| bars.len() as u64).sum();
        let Fresh { years, cover } = fresh;
        let anew = Anew { operation: self.operation.clone(), why: why.to_string(), years, cover, revision };
        let stored = state.bars();
        self.with_keeper(move |keeper| keeper.replace(anew, &state)).await?;
        self.document.bars_revised = stored.min(told);
        self.document.bars_loaded = told.saturating_sub(stored);
        Ok(())
    }
}
