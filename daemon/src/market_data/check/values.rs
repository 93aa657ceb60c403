//! Rules about one bar by itself (pure).

use super::{
    findings::Findings,
    rules::{
        FUTURE_BAR, HIGH_BELOW_BODY, HIGH_BELOW_LOW, LOW_ABOVE_BODY, NON_POSITIVE_PRICE, PRICE_BELOW_ZERO, Rule,
        VALUE_MISSING, VOLUME_NEGATIVE, VOLUME_NOT_REPORTED,
    },
};
use crate::model::{Bar, Instrument, Nanos, Symbol};

/// What the rules have to know of the series.
#[derive(Debug)]
pub(super) struct Values {
    not_positive: &'static Rule,
    now: Nanos,
}

impl Values {
    pub(super) fn new(symbol: &Symbol, now: Nanos) -> Self {
        let future = matches!(symbol.instrument(), Instrument::Future { .. } | Instrument::Continuous { .. });
        Self { not_positive: if future { &PRICE_BELOW_ZERO } else { &NON_POSITIVE_PRICE }, now }
    }

    pub(super) fn bar(&self, bar: &Bar, findings: &mut Findings) {
        let mut note = |rule, holds: bool| {
            if holds {
                findings.note(rule, bar.start);
            }
        };
        let prices = [bar.open, bar.high, bar.low, bar.close];
        let finite = prices.iter().all(|price| price.is_finite()) && bar.volume.is_none_or(f64::is_finite);
        note(&VALUE_MISSING, !finite);
        note(&HIGH_BELOW_LOW, bar.high < bar.low);
        note(&HIGH_BELOW_BODY, bar.high < bar.open.max(bar.close));
        note(&LOW_ABOVE_BODY, bar.low > bar.open.min(bar.close));
        note(self.not_positive, prices.iter().any(|price| *price <= 0.0));
        note(&VOLUME_NEGATIVE, bar.volume.is_some_and(|volume| volume < 0.0));
        note(&VOLUME_NOT_REPORTED, bar.volume.is_none());
        note(&FUTURE_BAR, bar.start > self.now);
    }
}
