//! Stored bars as somebody wants to see them: only some hours of the day, or longer ones made of them.

use super::{
    MarketDataError,
    calendar::Calendar,
    resample::{Resampler, reach_back, refusal},
};
use crate::{
    model::{Bars, SeriesKey, TimeRange, Timeframe},
    store::SeriesState,
};

/// Which hours of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hours {
    /// Bars that begin in regular hours.
    Regular,
    /// All others.
    Extended,
}

/// How stored bars are seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct View {
    /// Longer bars.
    pub resample: Option<Timeframe>,
    /// Some hours only.
    pub hours: Option<Hours>,
    /// Tell the market's clock, too.
    pub time_zone: bool,
    /// In long chunks, for who pays by the message.
    pub long_chunks: bool,
}

/// A view of one series.
#[derive(Debug)]
pub(super) struct Seen {
    key: SeriesKey,
    calendar: Option<&'static Calendar>,
    hours: Option<Hours>,
    pub(super) resample: Option<Timeframe>,
}

impl View {
    /// `None`: bars as they are stored.
    pub(super) fn of(
        self,
        key: &SeriesKey,
        calendar: Option<&'static Calendar>,
    ) -> Result<Option<Seen>, MarketDataError> {
        let resample = self.resample.filter(|to| *to != key.timeframe);
        if resample.is_none() && self.hours.is_none() {
            return Ok(None);
        }
        if let Some(refusal) = resample.and_then(|to| refusal(key.timeframe, to)) {
            return Err(MarketDataError::Request(refusal));
        }
        if self.hours.is_some() {
            if !key.timeframe.is_intraday() {
                return Err(MarketDataError::Request("bars of a day and longer have no hours"));
            }
            if calendar.is_none() {
                return Err(MarketDataError::Calendar { name: key.symbol.to_string() });
            }
        }
        Ok(Some(Seen { key: key.clone(), calendar, hours: self.hours, resample }))
    }
}

impl Seen {
    /// What has to be read for a range of what is seen.
    pub(super) fn reads(&self, range: &TimeRange) -> TimeRange {
        let Some(to) = self.resample else { return *range };
        let end = range.end().saturating_add(to.step().saturating_mul(2));
        TimeRange::new(reach_back(range.start(), to), end).unwrap_or(*range)
    }

    /// Some hours only.
    pub(super) fn filtered(&self, bars: Bars) -> Bars {
        let (Some(hours), Some(calendar)) = (self.hours, self.calendar) else { return bars };
        let ends = bars.start.first().zip(bars.start.last());
        let Some(range) = ends.and_then(|(first, last)| TimeRange::new(*first, last.saturating_add(1)).ok()) else {
            return bars;
        };
        let mut regular = calendar.days(&range).flat_map(|day| day.regular).peekable();
        let wanted = hours == Hours::Regular;
        let is_regular = |start: i64, part: Option<&TimeRange>| part.is_some_and(|part| part.contains(start));
        let keep = bars.iter().filter(|bar| {
            while regular.next_if(|part| part.end() <= bar.start).is_some() {}
            is_regular(bar.start, regular.peek()) == wanted
        });
        keep.collect()
    }

    pub(super) fn resampler(&self, state: &SeriesState) -> Option<Resampler> {
        let to = self.resample?;
        let (first, last) = state.ends()?;
        let held = TimeRange::new(first, last.saturating_add(self.key.timeframe.step())).ok()?;
        // of regular hours alone, sessions are those
        let session =
            if self.hours == Some(Hours::Regular) { crate::model::Session::RegularHours } else { state.basis.session };
        Some(Resampler::new(self.key.clone(), session, to, state.coverage.clone(), held, self.calendar))
    }
}
