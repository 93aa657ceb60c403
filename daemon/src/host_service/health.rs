//! What is known of a service's health (pure): every answered call counts, silence is not death.

use std::time::Duration;

use crate::model::Nanos;

/// Slower than this is `slow`.
pub(super) const SLOW: Duration = Duration::from_secs(5);

/// In what health it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// Never asked.
    #[default]
    Unknown,
    /// Answers.
    Up,
    /// Accepts connections and does not answer in time.
    Slow,
    /// Cannot be reached.
    Down,
    /// Answers, and is not what was expected.
    Incompatible,
}

impl Health {
    /// Work may be given to it.
    pub fn is_usable(self) -> bool {
        matches!(self, Self::Unknown | Self::Up | Self::Slow)
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Answered(Duration),
    TimedOut,
    Unreachable,
}

/// Health, since when, and the last trouble.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    pub(super) health: Health,
    pub(super) since: Nanos,
    /// It is something else; only a look at what it is ends that.
    incompatible: bool,
    pub(super) latency: Option<Duration>,
    pub(super) last_error: Option<(Nanos, String)>,
}

impl Record {
    pub(super) fn see(&mut self, seen: Seen, now: Nanos) {
        let health = match seen {
            Seen::Answered(took) => {
                self.latency = Some(took);
                match took {
                    _ if self.incompatible => Health::Incompatible,
                    took if took > SLOW => Health::Slow,
                    _ => Health::Up,
                }
            }
            Seen::TimedOut => Health::Slow,
            Seen::Unreachable => Health::Down,
        };
        self.become_(health, now);
    }

    /// It is what was expected, or not.
    pub(super) fn judge(&mut self, compatible: bool, now: Nanos) {
        self.incompatible = !compatible;
        match (compatible, self.health) {
            (false, _) => self.become_(Health::Incompatible, now),
            (true, Health::Incompatible) => self.become_(Health::Up, now),
            (true, _) => {}
        }
    }

    fn become_(&mut self, health: Health, now: Nanos) {
        if self.health != health {
            (self.health, self.since) = (health, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_slow_and_refusal_is_down_and_the_beginning_is_kept() {
        let mut record = Record::default();
        let quick = Seen::Answered(Duration::from_millis(2));
        for (seen, at, health, since) in [
            (quick, 10, Health::Up, 10),
            (quick, 20, Health::Up, 10),
            (Seen::TimedOut, 30, Health::Slow, 30),
            (Seen::Answered(Duration::from_secs(6)), 40, Health::Slow, 30),
            (Seen::Unreachable, 50, Health::Down, 50),
            (quick, 60, Health::Up, 60),
        ] {
            record.see(seen, at);
            assert_eq!((record.health, record.since), (health, since));
        }
        record.judge(false, 70);
        record.see(quick, 80);
        assert_eq!((record.health, record.since), (Health::Incompatible, 70));
        record.see(Seen::Unreachable, 90);
        record.see(quick, 100);
        assert_eq!(record.health, Health::Incompatible, "away and back is no proof");
        record.judge(true, 110);
        assert_eq!((record.health, record.since), (Health::Up, 110));
    }
}
