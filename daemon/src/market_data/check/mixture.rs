//! Days of regular hours alone beside days with the hours before and after, in one series (pure).

use super::{findings::Findings, rules::MIXED_SESSIONS};
use crate::model::Nanos;

/// Fewer days of a kind in a row are chance: nobody may have traded.
const DAYS: u64 = 5;

#[derive(Debug, Default)]
pub(super) struct Mixture {
    /// Days in a row of regular hours alone: first bar, last bar, days.
    regular: Option<(Nanos, Nanos, u64)>,
    extended_days: u64,
    stretches: Vec<(Nanos, Nanos, u64)>,
}

impl Mixture {
    /// A day from its first bar to its last; `whole`: in regular hours none is absent. `extended`: bars outside of them.
    pub(super) fn day(&mut self, (first, last): (Nanos, Nanos), whole: bool, extended: u32) {
        if extended > 0 {
            self.extended_days += 1;
        }
        // of a market where nobody trades before the opening, not every regular bar is there, either
        if extended > 0 || !whole {
            return self.ends();
        }
        let (from, _, days) = self.regular.unwrap_or((first, last, 0));
        self.regular = Some((from, last, days + 1));
    }

    fn ends(&mut self) {
        self.stretches.extend(self.regular.take().filter(|(_, _, days)| *days >= DAYS));
    }

    pub(super) fn finish(&mut self, findings: &mut Findings) {
        self.ends();
        if self.extended_days < DAYS {
            return;
        }
        for (first, last, days) in &self.stretches {
            findings.note_many(&MIXED_SESSIONS, *first, *last, *days);
        }
    }
}
