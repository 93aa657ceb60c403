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
        if !self.is_sound(bar) {
            self.tell(bar, findings);
        }
    }

    /// None of the rules holds: so it is with nearly every bar.
    fn is_sound(&self, bar: &Bar) -> bool {
        let Bar { start, open, high, low, close, volume } = *bar;
        // not so with any that is no number; the largest of them is above all that it must be
        let ordered = low <= open.min(close) && open.max(close) <= high && 0.0 < low && high < f64::INFINITY;
        let figures = open + close;
        ordered
            && figures.is_finite()
            && volume.is_some_and(|volume| (0.0..f64::INFINITY).contains(&volume))
            && start <= self.now
    }

    fn tell(&self, bar: &Bar, findings: &mut Findings) {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every bar of such figures.
    #[test]
    fn a_bar_is_sound_when_no_rule_holds() {
        const FIGURES: [f64; 10] =
            [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -1.0, -0.0, 0.0, 1.0, 2.0, 3.0];
        let values = Values::new(&Symbol::parse("AAPL").unwrap(), 0);
        let volumes = FIGURES.map(Some).into_iter().chain([None]);
        let times = volumes.flat_map(|volume| [-1, 0, 1].map(|start| (start, volume)));
        let (mut sound, mut all) = (0, 0);
        for ((start, volume), prices) in times.flat_map(|time| (0..10_000).map(move |prices| (time, prices))) {
            let price = |place: usize| FIGURES[prices / place % 10];
            let bar = Bar { start, open: price(1), high: price(10), low: price(100), close: price(1_000), volume };
            let mut findings = Findings::new(1);
            values.tell(&bar, &mut findings);
            let found = findings.sorted().0;
            // two of the largest numbers there are need not be quick
            let huge = bar.open >= f64::MAX && bar.close >= f64::MAX;
            assert_eq!(values.is_sound(&bar), found.is_empty() && !huge, "{bar:?}: {found:?}");
            (sound, all) = (sound + i32::from(found.is_empty()), all + 1);
        }
        assert!(all == 330_000 && sound > 500, "{sound} of {all}");
    }
}
