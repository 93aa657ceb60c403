//! Whether stored bars are right and complete (pure): every rule in one pass, in the order of time.
//!
//! Not here: reading the bars (`checking`), what a calendar is (`calendar`), what is asked of the gateway (`plan`).

mod absent;
mod ending;
mod findings;
mod jumps;
mod mixture;
mod reconcile;
mod rules;
mod sessions;
mod shifts;
mod values;
mod volumes;

use super::calendar::Calendar;
use crate::clock::text;
use crate::model::{Bars, Basis, Coverage, Nanos, SeriesKey, TimeRange, Timeframe};
pub use absent::{Completeness, Gap, GapClass};
use ending::Ending;
use findings::Findings;
pub use findings::{Cures, Finding};
use jumps::Jumps;
use rules::{CALENDAR_CONFLICT, CALENDAR_UNKNOWN, CHECKSUM_MISMATCH, LEDGER_MISMATCH, OPEN_BAR_STORED, STALE};
pub use rules::{Cure, Severity};
use sessions::Sessions;
use values::Values;
use volumes::Volumes;

/// What is known of the series.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) key: SeriesKey,
    pub(super) basis: Basis,
    /// What is known complete.
    pub(super) coverage: Coverage,
    /// Of its market, if one is known.
    pub(super) calendar: Option<&'static Calendar>,
    /// No bar that starts then or later is over.
    pub(super) closed: Nanos,
    pub(super) now: Nanos,
    /// All its bars came then or earlier.
    pub(super) came: Nanos,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Checked {
    /// The worst first.
    pub findings: Vec<Finding>,
    /// Ascending.
    pub gaps: Vec<Gap>,
    /// Ascending; of sessions between the first bar and the last.
    pub days: Vec<Completeness>,
    /// How many bars were looked at.
    pub bars: u64,
    /// What a repair would change.
    pub cures: Cures,
}

/// The rules at work.
#[derive(Debug)]
pub(super) struct Checker {
    values: Values,
    volumes: Volumes,
    jumps: Jumps,
    sessions: Option<Sessions>,
    ending: Option<Ending>,
    findings: Findings,
    closed: Nanos,
    last: Option<Nanos>,
    bars: u64,
}

impl Checker {
    pub(super) fn new(subject: Subject) -> Self {
        let Subject { key, basis, coverage, calendar, closed, now, came } = subject;
        // a week and a month may be labelled by any of their days
        let calendar = calendar.filter(|_| !matches!(key.timeframe, Timeframe::Weeks1 | Timeframe::Months1));
        Self {
            values: Values::new(&key.symbol, now),
            volumes: Volumes::default(),
            jumps: Jumps::default(),
            sessions: calendar.map(|calendar| Sessions::new(calendar, &key, basis.session, coverage)),
            ending: calendar.map(|calendar| Ending {
                calendar,
                timeframe: key.timeframe,
                session: basis.session,
                came,
            }),
            findings: Findings::new(key.timeframe.step()),
            closed,
            last: None,
            bars: 0,
        }
    }

    /// The next bars, ascending.
    pub(super) fn bars(&mut self, bars: &Bars) {
        for bar in bars.iter() {
            self.values.bar(&bar, &mut self.findings);
            self.volumes.bar(&bar);
            let after_gap = self.sessions.as_mut().is_some_and(|sessions| sessions.bar(&bar, &mut self.findings));
            self.jumps.bar(&bar, after_gap, &mut self.findings);
            self.last = Some(bar.start);
        }
        self.bars += bars.len() as u64;
    }

    /// A partition cannot be used.
    pub(super) fn damaged(&mut self, held: TimeRange) {
        self.findings.note_many(&CHECKSUM_MISMATCH, held.start(), held.end() - 1, 1);
        self.findings.ask_again(held.start(), held.end());
    }

    /// A file that the ledger does not know, of a year that begins then.
    pub(super) fn unlisted(&mut self, start: Nanos) {
        self.findings.note(&LEDGER_MISMATCH, start);
    }

    /// The gateway tells other regular hours of a date than the calendar.
    pub(super) fn conflict(&mut self, told: &TimeRange, known: Option<&TimeRange>) {
        self.findings.note(&CALENDAR_CONFLICT, told.start());
        let known = known.map_or_else(|| "closed".to_owned(), in_words);
        self.findings.explain(&CALENDAR_CONFLICT, format!("gateway {}, calendar {known}", in_words(told)));
    }

    pub(super) fn finish(mut self) -> Checked {
        let last = self.last.unwrap_or(0);
        self.volumes.finish(&mut self.findings);
        if self.ending.as_ref().is_some_and(|ending| ending.is_open(last)) {
            self.findings.note(&OPEN_BAR_STORED, last);
        }
        match &mut self.sessions {
            Some(sessions) => {
                sessions.finish(&mut self.findings);
                if sessions.newer_are_due(last, self.closed) {
                    self.findings.note(&STALE, last);
                }
            }
            None => self.findings.note(&CALENDAR_UNKNOWN, last),
        }
        let (gaps, days) = self.sessions.map(|sessions| (sessions.gaps, sessions.days)).unwrap_or_default();
        let (findings, cures) = self.findings.sorted();
        Checked { findings, gaps, days, bars: self.bars, cures }
    }
}

fn in_words(range: &TimeRange) -> String {
    format!("{} to {}", text(range.start()), text(range.end()))
}

#[cfg(test)]
mod tests;
