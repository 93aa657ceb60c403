//! Bars that a training needs, loaded before it waits for a slot.

use ulid::Ulid;

use super::{Plan, StartRequest, TrainingError, handle::Parts};
use crate::{
    market_data::{LoadRequest, Mode, OnSplit},
    model::{Basis, DAY, Nanos, SeriesKey, Session as Hours, Symbol, Timeframe, WhatToShow},
    operations::{Context, Registry, Requested, State},
};

impl Parts {
    /// Loads what is missing of the series that a training needs.
    pub(super) async fn load_missing(
        &self,
        plan: &Plan,
        request: &StartRequest,
        context: &Context,
    ) -> Result<(), TrainingError> {
        let loads: Vec<_> =
            plan.series().into_iter().map(|(symbol, timeframe)| load(symbol, timeframe, request)).collect();
        if loads.is_empty() {
            return Ok(());
        }
        context.progress(|progress| "loading bars".clone_into(&mut progress.message));
        let asked = Requested { id: format!("training-{}", Ulid::generate()), by: None };
        let started = self.market_data.load_many(loads, asked, None).await?;
        let id = started.operation.id.clone();
        let _owner = Owner { registry: self.registry.clone(), id: id.clone(), context: context.clone() };
        let mut changes = self.registry.watch(&id).await?;
        loop {
            let now = changes.borrow_and_update().clone();
            if now.state.is_final() {
                return match (now.state, &now.failure) {
                    (State::Completed, _) | (_, None) => Ok(()),
                    (_, Some(failure)) => Err(TrainingError::DataMissing { series: failure.messages.join(": ") }),
                };
            }
            context.progress(|progress| progress.message = format!("loading bars: {}", now.progress.message));
            changes.changed().await.map_err(|_| TrainingError::Defect)?;
        }
    }
}

/// Cancels a load whose training a person has stopped. When the daemon ends, it ends by itself.
struct Owner {
    registry: Registry,
    id: String,
    context: Context,
}

impl Drop for Owner {
    fn drop(&mut self) {
        if self.context.is_cancelled() {
            let (registry, id) = (self.registry.clone(), self.id.clone());
            tokio::spawn(async move { registry.cancel(&id, "the training was stopped").await });
        }
    }
}

fn load(symbol: Symbol, timeframe: Timeframe, request: &StartRequest) -> LoadRequest {
    let day = |text: &Option<String>, days: i64| {
        let date: jiff::civil::Date = text.as_deref()?.parse().ok()?;
        let midnight = jiff::tz::TimeZone::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok()?;
        Nanos::try_from(midnight.as_nanosecond()).ok()?.checked_add(days * DAY)
    };
    let (start, end) = (day(&request.start_date, 0), day(&request.end_date, 1));
    let mode = if start.is_some() { Mode::Full } else { Mode::Tail };
    let basis = Basis { session: Hours::AllHours, what: WhatToShow::usual(&symbol) };
    LoadRequest {
        key: SeriesKey { symbol, timeframe },
        mode,
        start,
        end,
        basis,
        on_split: OnSplit::Fail,
        verify: false,
    }
}
