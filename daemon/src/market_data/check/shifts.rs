//! Bars at times that cannot be, because whoever wrote them shifted the clock (pure): the shift that explains them.
//!
//! Whole and half hours, and the exchange's own offset from UTC, applied once too often or once too rarely; that one changes
//! with daylight saving time.

use super::{findings::Findings, rules::SHIFTED_TIMESTAMPS};
use crate::{
    market_data::calendar::{Calendar, Grid, starts},
    model::{HOUR, Nanos, Session, TimeRange},
};

/// Fewer are single mistakes.
const MISPLACED_MIN: usize = 50;
/// A shift explains so many of a hundred.
const EXPLAINED: usize = 99;
/// More are not kept: they say nothing new.
const KEPT: usize = 20_000;

/// How stamps were shifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shift {
    /// By so much.
    Fixed(Nanos),
    /// By so many times the exchange's offset from UTC.
    Offset(Nanos),
}

impl Shift {
    /// Where the bar belongs.
    fn undone(self, start: Nanos, calendar: &Calendar) -> Nanos {
        match self {
            Self::Fixed(by) => start - by,
            Self::Offset(times) => start - times * calendar.offset_at(start),
        }
    }

    fn in_words(self) -> String {
        match self {
            Self::Fixed(by) => {
                let (sign, minutes) = (if by < 0 { '-' } else { '+' }, by.abs() / (HOUR / 60));
                format!("shifted by {sign}{}:{:02} hours", minutes / 60, minutes % 60)
            }
            Self::Offset(1) => "times of the exchange's clock, taken for UTC".into(),
            Self::Offset(times) => format!("shifted by {times} times the exchange's offset from UTC"),
        }
    }
}

/// Bars where none can be.
#[derive(Debug, Default)]
pub(super) struct Shifts {
    misplaced: Vec<Nanos>,
}

impl Shifts {
    pub(super) fn note(&mut self, start: Nanos) {
        if self.misplaced.len() < KEPT {
            self.misplaced.push(start);
        }
    }

    /// What explains them, if one thing does.
    pub(super) fn finish(&self, calendar: &Calendar, grid: Grid, session: Session, findings: &mut Findings) {
        let Grid::Steps(step) = grid else { return };
        let [first, .., last] = self.misplaced.as_slice() else { return };
        if self.misplaced.len() < MISPLACED_MIN {
            return;
        }
        let margin = 26 * HOUR;
        let Ok(around) = TimeRange::new(first - margin, last + margin) else { return };
        let parts = calendar.days(&around).flat_map(|day| day.due(session).to_vec());
        let due: Vec<Nanos> = parts.flat_map(|part| starts(&part, step, calendar.zone()).collect::<Vec<_>>()).collect();
        let explained = |shift: Shift| {
            let fits = |start: &&Nanos| due.binary_search(&shift.undone(**start, calendar)).is_ok();
            self.misplaced.iter().filter(fits).count()
        };
        let offsets = [1, -1, 2, -2].map(Shift::Offset);
        let fixed = (1..=24).flat_map(|halves: Nanos| [halves, -halves]).map(|halves| Shift::Fixed(halves * HOUR / 2));
        let best = offsets
            .into_iter()
            .chain(fixed)
            .map(|shift| (explained(shift), shift))
            .reduce(|best, other| if other.0 > best.0 { other } else { best });
        if let Some((count, shift)) = best
            && count * 100 >= self.misplaced.len() * EXPLAINED
        {
            findings.note_many(&SHIFTED_TIMESTAMPS, *first, *last, count as u64);
            findings.explain(&SHIFTED_TIMESTAMPS, shift.in_words());
        }
    }
}
