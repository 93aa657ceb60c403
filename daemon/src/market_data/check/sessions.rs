//! Bars against the sessions of their market (pure): which are where none can be, and which are absent.
//!
//! Bars come ascending, session by session. Absent ones are counted from the first bar to the last.

use super::{
    absent::{Completeness, Gap, GapClass},
    findings::Findings,
    mixture::Mixture,
    rules::{
        MISSING_BARS, MISSING_SESSION, NON_SESSION_DATE, NOT_TRADED, OFF_GRID, OUTSIDE_SESSION, OVERLAPPING_BARS,
        ZERO_VOLUME_FILLER, ZERO_VOLUME_IN_SESSION,
    },
    shifts::Shifts,
};
use crate::{
    market_data::{
        calendar::{Calendar, Day, Grid, starts},
        closing::{labelled, midnight},
    },
    model::{Bar, Coverage, DAY, Instrument, Nanos, SeriesKey, Session, TimeRange},
};

/// The walk along the calendar.
#[derive(Debug)]
pub(super) struct Sessions {
    calendar: &'static Calendar,
    grid: Grid,
    step: Nanos,
    session: Session,
    coverage: Coverage,
    /// Of a stock in all hours, nothing need be traded before and after the regular ones.
    sparse: bool,
    open: Option<Open>,
    shifts: Shifts,
    mixture: Mixture,
    last: Option<Nanos>,
    pub(super) gaps: Vec<Gap>,
    pub(super) days: Vec<Completeness>,
}

/// The session that bars are in.
#[derive(Debug)]
struct Open {
    day: Day,
    allowed: TimeRange,
    /// Starts that are due; for [`Grid::Dates`] its date, for [`Grid::Somewhere`] none.
    due: Vec<Nanos>,
    /// Of them, how many were passed.
    passed: usize,
    present: u32,
    /// Bars in regular hours and outside of them, and the first and the last.
    kinds: (u32, u32),
    ends: Option<(Nanos, Nanos)>,
    /// Absent ones in a row, up to now.
    absent: Vec<Nanos>,
    known_none: u32,
}

impl Sessions {
    pub(super) fn new(calendar: &'static Calendar, key: &SeriesKey, session: Session, coverage: Coverage) -> Self {
        let stock = matches!(key.symbol.instrument(), Instrument::Stock { .. });
        Self {
            calendar,
            grid: Grid::of(key.timeframe),
            step: key.timeframe.step(),
            session,
            coverage,
            sparse: stock && session == Session::AllHours,
            open: None,
            shifts: Shifts::default(),
            mixture: Mixture::default(),
            last: None,
            gaps: Vec::new(),
            days: Vec::new(),
        }
    }

    /// The next bar; whether bars are absent before it.
    pub(super) fn bar(&mut self, bar: &Bar, findings: &mut Findings) -> bool {
        if self.grid != Grid::Dates
            && self.last.is_some_and(|last| last + self.step > bar.start && self.overlaps(last, bar.start))
        {
            findings.note(&OVERLAPPING_BARS, bar.start);
        }
        let gaps = self.gaps.len();
        let first = self.last.replace(bar.start).is_none();
        if first {
            self.open = self.session_from(bar.start);
            if let Some(open) = self.open.as_mut().filter(|_| !self.sparse) {
                // the series begins in the middle of a session
                open.due.retain(|due| *due >= bar.start);
            }
        }
        while self.open.as_ref().is_some_and(|open| open.allowed.end() <= bar.start) {
            let next = self.open.as_ref().map(|open| open.allowed.end());
            self.close();
            self.open = next.and_then(|next| self.session_from(next));
        }
        let Some(open) = &mut self.open else { return false };
        if bar.start < open.allowed.start() {
            let rule = if self.grid == Grid::Dates { &NON_SESSION_DATE } else { &OUTSIDE_SESSION };
            findings.note(rule, bar.start);
            self.shifts.note(bar.start);
            return self.gaps.len() > gaps;
        }
        while open.due.get(open.passed).is_some_and(|due| *due < bar.start) {
            open.absent.push(open.due[open.passed]);
            open.passed += 1;
        }
        if open.due.get(open.passed) == Some(&bar.start) {
            open.passed += 1;
            open.present += 1;
        } else if matches!(self.grid, Grid::Steps(_))
            && open.day.due(self.session).iter().any(|part| part.contains(bar.start))
        {
            findings.note(&OFF_GRID, bar.start);
            self.shifts.note(bar.start);
        } else if self.grid == Grid::Somewhere {
            open.present += 1;
        }
        let regular = open.day.regular.iter().any(|part| part.contains(bar.start));
        *(if regular { &mut open.kinds.0 } else { &mut open.kinds.1 }) += 1;
        open.ends = Some((open.ends.map_or(bar.start, |(first, _)| first), bar.start));
        self.volume(bar, findings);
        self.end_run();
        self.gaps.len() > gaps
    }

    /// After the last bar.
    pub(super) fn finish(&mut self, findings: &mut Findings) {
        if let Some(open) = &mut self.open {
            // what comes after the last bar is not absent, but new
            open.due.truncate(open.passed);
        }
        self.close();
        self.shifts.finish(self.calendar, self.grid, self.session, findings);
        if self.sparse && self.grid != Grid::Dates {
            self.mixture.finish(findings);
        }
        for gap in &self.gaps {
            let last = gap.last;
            match gap.class {
                GapClass::NeverAsked if gap.sessions > 0 => {
                    findings.note_many(&MISSING_SESSION, gap.range.start(), last, gap.sessions);
                }
                GapClass::NeverAsked => findings.note_many(&MISSING_BARS, gap.range.start(), last, gap.bars),
                GapClass::AskedAndEmpty | GapClass::NotTraded => {
                    findings.note_many(&NOT_TRADED, gap.range.start(), last, gap.bars);
                }
            }
        }
    }

    /// Whether a bar after the last one is over by now.
    pub(super) fn newer_are_due(&self, last: Nanos, closed: Nanos) -> bool {
        let Some(after) = TimeRange::new(last.saturating_add(1), closed).ok() else { return false };
        let known = self.coverage.missing(&after).is_empty();
        let next = self.session_from(last.saturating_add(self.step));
        let start = next.and_then(|open| open.due.into_iter().find(|due| *due > last));
        !known && start.is_some_and(|start| start < closed)
    }

    /// Bars of the first session after an opening that is no full step are shorter: they do not overlap.
    fn overlaps(&self, last: Nanos, start: Nanos) -> bool {
        let Some(open) = &self.open else { return true };
        !(open.due.contains(&last) && open.due.contains(&start))
    }

    fn volume(&self, bar: &Bar, findings: &mut Findings) {
        let Some(open) = &self.open else { return };
        if bar.volume != Some(0.0) || self.grid == Grid::Dates {
            return;
        }
        let regular =
            open.day.regular.iter().any(|part| part.start() < bar.start + self.step && bar.start < part.end());
        if regular && (self.sparse || self.session == Session::RegularHours) {
            findings.note(&ZERO_VOLUME_IN_SESSION, bar.start);
        } else if bar.high.total_cmp(&bar.low).is_eq() {
            findings.note(&ZERO_VOLUME_FILLER, bar.start);
        }
    }

    /// The first session that ends after this instant.
    fn session_from(&self, instant: Nanos) -> Option<Open> {
        let mut date = match self.grid {
            Grid::Dates => labelled(instant)?,
            _ => self.calendar.date_of(instant),
        };
        loop {
            let day = self.calendar.day(date)?;
            if let Some(open) = self.opened(day).filter(|open| open.allowed.end() > instant) {
                return Some(open);
            }
            date = date.tomorrow().ok()?;
        }
    }

    fn opened(&self, day: Day) -> Option<Open> {
        let (allowed, due) = match self.grid {
            Grid::Dates => {
                let midnight = midnight(day.date);
                (TimeRange::new(midnight, midnight + DAY).ok().filter(|_| day.is_open())?, vec![midnight])
            }
            Grid::Steps(step) => {
                let zone = self.calendar.zone();
                let due = day.due(self.session).iter().flat_map(|part| starts(part, step, zone)).collect();
                (hull(day.allowed(self.session))?, due)
            }
            Grid::Somewhere => (hull(day.allowed(self.session))?, Vec::new()),
        };
        Some(Open {
            day,
            allowed,
            due,
            passed: 0,
            present: 0,
            kinds: (0, 0),
            ends: None,
            absent: Vec::new(),
            known_none: 0,
        })
    }

    /// The session is over: what was due and did not come is absent.
    fn close(&mut self) {
        let Some(open) = &mut self.open else { return };
        open.absent.extend_from_slice(&open.due[open.passed..]);
        open.passed = open.due.len();
        if self.grid == Grid::Somewhere && open.present == 0 {
            open.absent.push(open.allowed.start());
            open.due.push(open.allowed.start());
        }
        self.end_run();
        if let Some(open) = self.open.take() {
            if let Some((first, last)) = open.ends {
                let regular = |due: &&Nanos| open.day.regular.iter().any(|part| part.contains(**due));
                let whole = u32::try_from(open.due.iter().filter(regular).count()).is_ok_and(|due| due == open.kinds.0);
                self.mixture.day((first, last), whole, open.kinds.1);
            }
            let due = u32::try_from(open.due.len()).unwrap_or(u32::MAX).max(open.present) - open.known_none;
            // before the first bar, or after the last one
            let nothing = due == 0 && open.present == 0 && open.known_none == 0;
            if !nothing {
                self.days.push(Completeness { date: open.day.date, due, present: open.present });
            }
        }
    }

    /// Absent bars in a row have come to an end.
    fn end_run(&mut self) {
        let Some(open) = &mut self.open else { return };
        let absent = std::mem::take(&mut open.absent);
        let (Some(first), Some(last)) = (absent.first().copied(), absent.last().copied()) else { return };
        let whole = open.present == 0 && absent.len() == open.due.len();
        // the first bar of a session may be shorter than the others
        let next = open.due.get(open.due.partition_point(|due| *due <= last)).copied().unwrap_or(open.allowed.end());
        let end =
            if self.grid == Grid::Somewhere { open.allowed.end() } else { next.min(last.saturating_add(self.step)) };
        let Ok(range) = TimeRange::new(first, end) else { return };
        let regular = |at: Nanos| open.day.regular.iter().any(|part| part.start() < at + self.step && at < part.end());
        let before_first_trade = open.present <= 1 && open.due.first() == Some(&first) && !regular(last);
        let class = if self.coverage.missing(&range).is_empty() {
            GapClass::AskedAndEmpty
        } else if self.sparse && !whole && before_first_trade {
            GapClass::NotTraded
        } else {
            GapClass::NeverAsked
        };
        if class != GapClass::NeverAsked {
            open.known_none += u32::try_from(absent.len()).unwrap_or(u32::MAX);
        }
        let gap = Gap { range, last, bars: absent.len() as u64, sessions: u64::from(whole), class };
        let follows = self.gaps.last().is_some_and(|before| self.is_next(before.range.end()));
        match self.gaps.last_mut() {
            // whole sessions one after the other are one
            Some(before) if whole && before.sessions > 0 && before.class == class && follows => {
                before.range = TimeRange::new(before.range.start(), range.end()).unwrap_or(range);
                (before.last, before.bars) = (last, before.bars + gap.bars);
                before.sessions += 1;
            }
            _ => self.gaps.push(gap),
        }
    }

    /// Whether no session lies between what ended then and the open one.
    fn is_next(&self, ended: Nanos) -> bool {
        let next = self.session_from(ended).map(|open| open.day.date);
        next.is_some() && next == self.open.as_ref().map(|open| open.day.date)
    }
}

fn hull(parts: &[TimeRange]) -> Option<TimeRange> {
    TimeRange::new(parts.first()?.start(), parts.last()?.end()).ok()
}
