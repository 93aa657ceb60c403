//! From the findings of a check to what can be done about them, and doing it.
//!
//! Nothing repairs itself: a plan is told first, and what it replaces can be restored.

mod work;

use super::{
    CheckedSeries, MarketData, MarketDataError,
    check::{Checked, Cure, GapClass},
    occupancy::Writer,
};
use crate::{
    model::{Basis, Coverage, Nanos, SeriesKey, TimeRange},
    operations::{NewOperation, Requested, Started},
};
use work::Repair;
pub use work::RepairDocument;

/// More than every tenth bar that cannot be is no blemish, but another series, or another time zone.
const DROPPED_MAX: u64 = 10;

/// What is done about one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairStep {
    /// The rule's code.
    pub code: &'static str,
    /// How often it was found.
    pub count: u64,
    /// First place and last.
    pub ends: (Nanos, Nanos),
    /// What is done.
    pub action: Action,
    /// What else helps, where nothing is done.
    pub note: &'static str,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The bars go.
    Drop,
    /// The gateway is asked for them again.
    AskAgain,
    /// Nothing.
    None,
}

impl Action {
    /// As told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::AskAgain => "ask again",
            Self::None => "none",
        }
    }
}

/// What a repair will do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepairPlan {
    /// What of it belongs to which finding.
    pub steps: Vec<RepairStep>,
    /// Starts of bars that go, ascending.
    pub dropped: Vec<Nanos>,
    /// What is asked for again, ascending.
    pub asked: Vec<TimeRange>,
}

impl RepairPlan {
    /// There is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.dropped.is_empty() && self.asked.is_empty()
    }
}

/// From findings to a plan (pure).
pub(super) fn plan(checked: &Checked) -> RepairPlan {
    let too_many = checked.cures.dropped.len() as u64 * DROPPED_MAX > checked.bars;
    let steps = checked.findings.iter().filter(|finding| finding.rule.cure != Cure::Nothing).map(|finding| {
        let (action, note) = match finding.rule.cure {
            Cure::Drop if too_many => {
                (Action::None, "more than every tenth bar: import the series again, with the right time zone")
            }
            Cure::Drop => (Action::Drop, ""),
            Cure::AskAgain => (Action::AskAgain, ""),
            Cure::Nothing | Cure::ByHand => (Action::None, finding.rule.helps),
        };
        let ends = (finding.first, finding.last);
        RepairStep { code: finding.rule.code, count: finding.count, ends, action, note }
    });
    let absent = checked.gaps.iter().filter(|gap| gap.class == GapClass::NeverAsked).map(|gap| gap.range);
    let asked: Coverage = checked.cures.asked.intervals().iter().copied().chain(absent).collect();
    let dropped = if too_many { Vec::new() } else { checked.cures.dropped.clone() };
    RepairPlan { steps: steps.collect(), dropped, asked: asked.intervals().to_vec() }
}

impl MarketData {
    /// What a repair of a series would do.
    pub async fn repair_plan(&self, key: SeriesKey) -> Result<RepairPlan, MarketDataError> {
        self.check(key).await.map(|one| plan(&one.checked))
    }

    /// Does it, as an operation; none when there is nothing to do.
    pub async fn repair(
        &self,
        key: SeriesKey,
        asked: Requested,
    ) -> Result<(RepairPlan, Option<Started>), MarketDataError> {
        let CheckedSeries { checked, basis, .. } = self.check(key.clone()).await?;
        let plan = plan(&checked);
        if plan.is_empty() {
            return Ok((plan, None));
        }
        let started = self.start_repair(key, basis, plan.clone(), asked).await?;
        Ok((plan, Some(started)))
    }

    async fn start_repair(
        &self,
        key: SeriesKey,
        basis: Basis,
        plan: RepairPlan,
        asked: Requested,
    ) -> Result<Started, MarketDataError> {
        let new = NewOperation {
            kind: "repair",
            subject: key.to_string(),
            request: asked,
            spec: key.to_string(),
            retry_of: None,
            waits: false,
        };
        let _entering = self.entering.lock().await;
        if let Some(operation) = self.registry.started_before(&new).await? {
            return Ok(Started { operation, joined: true, same_request: true });
        }
        let occupied = self.occupancy.occupy_unless_busy(&key, Writer::import("")).await?;
        let repair = Repair::new(key.clone(), basis, plan, self.reference.clone(), occupied);
        let started = self.registry.start(new, |context| repair.run(context)).await?;
        self.occupancy.name(&key, &started.operation.id);
        Ok(started)
    }
}
