//! The repair operation: drop, then ask again.

use serde::{Deserialize, Serialize};

use super::RepairPlan;
use crate::{
    clock,
    error::Failure,
    market_data::{
        LoadDocument, LoadRequest, MarketDataError, Mode, OnSplit, keep::Keeper, load::Load, occupancy::Occupied,
        reference::Reference, result::json,
    },
    model::{Basis, SeriesKey},
    operations::{Context, Outcome},
};

/// What a repair achieved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairDocument {
    /// In upper case.
    pub symbol: String,
    /// As people spell it.
    pub timeframe: String,
    /// Bars that are gone.
    pub dropped: u64,
    /// What came when it was asked again.
    pub load: LoadDocument,
}

/// One repair at work.
pub(super) struct Repair {
    key: SeriesKey,
    basis: Basis,
    plan: RepairPlan,
    reference: Reference,
    occupied: Occupied,
}

impl Repair {
    pub(super) fn new(
        key: SeriesKey,
        basis: Basis,
        plan: RepairPlan,
        reference: Reference,
        occupied: Occupied,
    ) -> Self {
        Self { key, basis, plan, reference, occupied }
    }

    pub(super) async fn run(self, context: Context) -> Outcome {
        let RepairPlan { dropped, asked, .. } = self.plan;
        let mut document = RepairDocument {
            symbol: self.key.symbol.to_string(),
            timeframe: self.key.timeframe.to_string(),
            ..RepairDocument::default()
        };
        if !dropped.is_empty() {
            let (store, key, operation) = (self.reference.store.clone(), self.key.clone(), context.id());
            let dropping = tokio::task::spawn_blocking(move || {
                Keeper::new(store, key).drop_bars(&dropped, &operation, "a repair dropped bars", clock::now())
            });
            match dropping.await.map_err(|_| MarketDataError::Defect).and_then(|dropped| dropped) {
                Ok(dropped) => document.dropped = dropped,
                Err(error) => return Outcome::failed(Some(json(&document)), Failure::from(&error)),
            }
        }
        let (Some(first), Some(last)) = (asked.first(), asked.last()) else {
            return Outcome::completed(json(&document));
        };
        let request = LoadRequest {
            key: self.key,
            mode: Mode::Full,
            start: Some(first.start()),
            end: Some(last.end()),
            basis: self.basis,
            on_split: OnSplit::Fail,
            verify: true,
        };
        let load = Load::new(request, self.reference, self.occupied).only(asked);
        let outcome = load.run(context).await;
        let loaded = outcome.result.and_then(|result| serde_json::from_value(result).ok());
        document.load = loaded.unwrap_or_default();
        Outcome { result: Some(json(&document)), ..outcome }
    }
}
