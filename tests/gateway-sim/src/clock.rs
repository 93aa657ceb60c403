//! Real time, and simulated time that runs faster or slower.

use std::time::{Duration, Instant};

use jiff::Timestamp;

#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    started_at: Timestamp,
    scale: f64,
    fixed: Option<Timestamp>,
}

impl Clock {
    /// `scale` must be positive and finite.
    pub(crate) fn new(scale: f64, fixed: Option<Timestamp>) -> Self {
        Self { started: Instant::now(), started_at: Timestamp::now(), scale, fixed }
    }

    /// Simulated time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        scaled(self.started.elapsed(), self.scale)
    }

    /// How long a simulated pause takes.
    pub(crate) fn real(&self, simulated: Duration) -> Duration {
        scaled(simulated, 1.0 / self.scale)
    }

    /// The real date and time of an instant of simulated time.
    pub(crate) fn date_of(&self, elapsed: Duration) -> Timestamp {
        self.started_at.checked_add(self.real(elapsed)).unwrap_or(self.started_at)
    }

    /// The market's present, epoch seconds.
    pub(crate) fn now(&self) -> i64 {
        self.fixed.unwrap_or_else(Timestamp::now).as_second()
    }
}

fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}
