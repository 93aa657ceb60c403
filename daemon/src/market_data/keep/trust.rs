//! What is not believed: bars of another scale, and an answer that lacks much of what is stored.

use super::{Delivery, Keeper};
use crate::{
    market_data::{
        MarketDataError,
        merge::Report,
        scale::{Scale, compare},
    },
    model::{Bars, Source, TimeRange},
    store::SeriesState,
};

/// So many stored bars may be absent in an answer that tells their range anew; or one, or one in a hundred.
const VANISHED_MAX: u64 = 20;

impl Keeper {
    /// Whether what came is of the scale of what is stored.
    pub(super) fn check_scale(&mut self, evidence: &Bars) -> Result<(), MarketDataError> {
        let (Some(first), Some(last)) = (evidence.start.first(), evidence.start.last()) else { return Ok(()) };
        let (Some(state), Ok(range)) = (self.store.state(&self.key), TimeRange::new(*first, last.saturating_add(1)))
        else {
            return Ok(());
        };
        let mut overlap = Bars::default();
        for year in state.years_in(&range) {
            if !self.rescued.contains_key(&year) {
                let stored = self.look(year)?;
                stored.slice(stored.rows_in(&range)).iter().for_each(|bar| overlap.push(bar));
            }
        }
        let key = self.key.clone();
        match compare(&overlap, evidence) {
            Scale::Same => Ok(()),
            Scale::Split { new, old, bars } => Err(MarketDataError::SplitSuspected { key, new, old, bars }),
            Scale::Other { ratio, bars } => Err(MarketDataError::AdjustmentChanged { key, ratio, bars }),
        }
    }

    /// One bad answer of the gateway's must not pass for the truth about its own bars.
    pub(super) fn check_vanished(
        &self,
        delivery: &Delivery,
        state: Option<&SeriesState>,
        report: Report,
    ) -> Result<(), MarketDataError> {
        let own = delivery.source == Source::Gateway && state.is_some_and(|state| state.source == Source::Gateway);
        let (vanished, of) = (report.vanished_traded, report.vanished + report.revised + report.unchanged);
        if own && lacks_too_much(vanished, of) {
            return Err(MarketDataError::Vanished { key: self.key.clone(), vanished, of });
        }
        Ok(())
    }
}

/// Whether so many of so many bars are too many to be absent.
pub(super) fn lacks_too_much(vanished: u64, of: u64) -> bool {
    vanished > VANISHED_MAX || (vanished > 1 && vanished * 100 > of)
}
