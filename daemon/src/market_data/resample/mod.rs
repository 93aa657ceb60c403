//! Longer bars out of shorter ones (pure), along the sessions of the market. Nothing is invented: a bar that is not whole,
//! because the shorter ones begin or end inside of it, is left out.

mod buckets;

use super::calendar::Calendar;
use crate::model::{Bar, Bars, Coverage, Nanos, SeriesKey, Session, TimeRange, Timeframe};
use buckets::{Bucket, Buckets};

/// Makes bars of one size out of ascending bars of another.
#[derive(Debug)]
pub(super) struct Resampler {
    key: SeriesKey,
    session: Session,
    buckets: Buckets,
    coverage: Coverage,
    /// The shorter bars that there are, from the start of the first to the end of the last.
    held: TimeRange,
    open: Option<(Bucket, Bar)>,
    /// None was given or left out yet.
    is_first: bool,
}

/// Why bars of one size cannot be made of another.
pub(super) fn refusal(from: Timeframe, to: Timeframe) -> Option<&'static str> {
    if to.step() <= from.step() {
        return Some("longer bars are made of shorter ones, not the other way round");
    }
    if matches!((from, to), (Timeframe::Weeks1, Timeframe::Months1)) {
        return Some("a week may belong to two months");
    }
    (to.is_intraday() && to.step() % from.step() != 0).then_some("the shorter bars do not fill the longer ones evenly")
}

impl Resampler {
    /// Out of what is stored of a series; `held`: from the start of its first bar to the end of its last.
    pub(super) fn new(
        key: SeriesKey,
        session: Session,
        to: Timeframe,
        coverage: Coverage,
        held: TimeRange,
        calendar: Option<&'static Calendar>,
    ) -> Self {
        let buckets = Buckets { calendar, session, to, of_dates: !key.timeframe.is_intraday() };
        Self { key, session, buckets, coverage, held, open: None, is_first: true }
    }

    /// The longer bars that are over with these.
    pub(super) fn push(&mut self, bars: &Bars) -> Bars {
        let mut made = Bars::default();
        for bar in bars.iter() {
            match &mut self.open {
                Some((bucket, sum)) if bar.start < bucket.until => add(sum, &bar),
                _ => self.next(&bar, &mut made),
            }
        }
        made
    }

    /// The last one, if it is whole.
    pub(super) fn finish(&mut self) -> Bars {
        let mut made = Bars::default();
        if let Some((bucket, sum)) = self.open.take()
            && self.is_whole(&bucket)
        {
            made.push(labelled(&bucket, sum));
        }
        made
    }

    /// A bar that may begin another longer one.
    fn next(&mut self, bar: &Bar, made: &mut Bars) {
        let Some(new) = self.buckets.of(bar.start) else { return };
        match &mut self.open {
            Some((bucket, sum)) if bucket.key == new.key => {
                (bucket.until, bucket.date) = (new.until, new.date);
                add(sum, bar);
            }
            _ => {
                if let Some((bucket, sum)) = self.open.replace((new, *bar)) {
                    let whole = !std::mem::take(&mut self.is_first) || self.is_whole(&bucket);
                    if whole {
                        made.push(labelled(&bucket, sum));
                    }
                }
            }
        }
    }

    /// Whether the shorter bars do not begin or end inside of it, as far as there may be some.
    fn is_whole(&self, bucket: &Bucket) -> bool {
        let outside = [(bucket.time.start(), self.held.start()), (self.held.end(), bucket.time.end())];
        let unknown = outside.into_iter().filter_map(|(start, end)| TimeRange::new(start, end).ok());
        let unknown: Vec<TimeRange> = unknown.flat_map(|part| self.coverage.missing(&part)).collect();
        match self.buckets.calendar {
            Some(calendar) => calendar.within_sessions(&unknown, self.key.timeframe, self.session, &[]).is_empty(),
            None => unknown.is_empty(),
        }
    }
}

fn add(sum: &mut Bar, bar: &Bar) {
    (sum.high, sum.low, sum.close) = (sum.high.max(bar.high), sum.low.min(bar.low), bar.close);
    sum.volume = match (sum.volume, bar.volume) {
        (Some(one), Some(other)) => Some(one + other),
        (one, other) => one.or(other),
    };
}

fn labelled(bucket: &Bucket, sum: Bar) -> Bar {
    Bar { start: bucket.date, ..sum }
}

/// The latest start that a longer bar may have had which holds an instant: from there on shorter ones are read.
pub(super) fn reach_back(instant: Nanos, to: Timeframe) -> Nanos {
    instant.saturating_sub(to.step().saturating_mul(2))
}

#[cfg(test)]
mod tests;
