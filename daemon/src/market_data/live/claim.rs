//! What bars that were kept live prove of their series (pure).

use crate::{
    gateway::comes_closed,
    model::{Bars, Coverage, Nanos, TimeRange, Timeframe},
};

/// Bars in one piece, from the first that was kept on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Run {
    start: Option<Nanos>,
}

impl Run {
    /// Bars may be missing before those that come next.
    pub(super) fn leave_gap(&mut self) {
        self.start = None;
    }

    /// What is known complete once these bars, which follow those before, are stored. `next`: the start of the bar after
    /// them, where one has begun. Nothing while the run does not touch what is known already: a later load goes on at the
    /// end of that, and must see the hole.
    pub(super) fn claim(
        &mut self,
        bars: &Bars,
        next: Option<Nanos>,
        timeframe: Timeframe,
        known: &Coverage,
    ) -> Option<TimeRange> {
        let (first, last) = (*bars.start.first()?, *bars.start.last()?);
        let start = *self.start.get_or_insert(first);
        let end = last.saturating_add(timeframe.step());
        let end = match next.filter(|next| *next > last) {
            // the first bar of a session may be shorter, and the next one begin before its time is over
            Some(next) => end.min(next),
            None if comes_closed(timeframe) => end,
            None => last,
        };
        let touches = known.end().is_none_or(|known| start <= known);
        TimeRange::new(start, end).ok().filter(|_| touches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bar, MINUTE, SECOND};

    fn bars(starts: &[Nanos]) -> Bars {
        let bar = |start: &Nanos| Bar { start: *start, open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: None };
        starts.iter().map(bar).collect()
    }

    fn known(start: Nanos, end: Nanos) -> Coverage {
        TimeRange::new(start, end).into_iter().collect()
    }

    fn minutes(range: Option<TimeRange>) -> Option<(i64, i64)> {
        range.map(|range| (range.start() / MINUTE, range.end() / MINUTE))
    }

    #[test]
    fn a_run_is_claimed_up_to_where_its_bars_are_known_to_end() {
        let (mut run, nothing, one) = (Run::default(), Coverage::default(), Timeframe::Minutes1);
        let batch = bars(&[10 * MINUTE, 11 * MINUTE]);
        assert_eq!(minutes(run.claim(&batch, None, one, &nothing)), Some((10, 11)), "the last may be shorter");
        let batch = bars(&[12 * MINUTE]);
        assert_eq!(minutes(run.claim(&batch, Some(13 * MINUTE), one, &nothing)), Some((10, 13)));
        let mut run = Run::default();
        let hours = bars(&[30 * MINUTE]);
        assert_eq!(minutes(run.claim(&hours, Some(60 * MINUTE), Timeframe::Hours1, &nothing)), Some((30, 60)));
        let mut run = Run::default();
        let seconds = run.claim(&bars(&[0, 5 * SECOND]), None, Timeframe::Seconds5, &nothing).unwrap();
        assert_eq!((seconds.start(), seconds.end()), (0, 10 * SECOND));
    }

    #[test]
    fn nothing_is_claimed_beyond_a_hole() {
        let (mut run, one, running) = (Run::default(), Timeframe::Minutes1, Some(20 * MINUTE));
        let batch = bars(&[10 * MINUTE]);
        assert_eq!(run.claim(&batch, running, one, &known(0, 9 * MINUTE)), None);
        let batch = bars(&[11 * MINUTE]);
        assert_eq!(
            minutes(run.claim(&batch, running, one, &known(0, 10 * MINUTE))),
            Some((10, 12)),
            "a load closed it"
        );
        run.leave_gap();
        let batch = bars(&[14 * MINUTE]);
        assert_eq!(run.claim(&batch, running, one, &known(0, 12 * MINUTE)), None);
        assert_eq!(run.claim(&Bars::default(), running, one, &known(0, 12 * MINUTE)), None);
    }
}
