//! Real time, simulated time that runs faster or slower, and the market's present.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    started_at: Timestamp,
    scale: f64,
    market: Market,
}

/// The market's own clock.
#[derive(Clone, Copy, Debug)]
enum Market {
    Real,
    Fixed(Timestamp),
    /// From an instant on, so many seconds a real second.
    Moving(Timestamp, f64),
}

impl Clock {
    /// `scale` and `market_speed` must be positive and finite.
    pub(crate) fn new(scale: f64, now: Option<Timestamp>, market_speed: Option<f64>) -> Self {
        let started_at = Timestamp::now();
        let market = match (now, market_speed) {
            (now, Some(speed)) => Market::Moving(now.unwrap_or(started_at), speed),
            (Some(now), None) => Market::Fixed(now),
            (None, None) => Market::Real,
        };
        Self { started: Instant::now(), started_at, scale, market }
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
        self.present().as_second()
    }

    /// How long in real time until the market's clock shows this second; `None` if it stands still.
    pub(crate) fn until(&self, second: i64) -> Option<Duration> {
        let speed = match self.market {
            Market::Real => 1.0,
            Market::Moving(_, speed) => speed,
            Market::Fixed(_) => return None,
        };
        let then = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        let left = then.duration_since(self.present()).max(SignedDuration::ZERO);
        Some(scaled(left.unsigned_abs(), 1.0 / speed))
    }

    fn present(&self) -> Timestamp {
        match self.market {
            Market::Real => Timestamp::now(),
            Market::Fixed(now) => now,
            Market::Moving(from, speed) => {
                from.checked_add(scaled(self.started.elapsed(), speed)).unwrap_or(Timestamp::MAX)
            }
        }
    }
}

fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_market_stands_still_or_moves_as_told() {
        let noon: Timestamp = "2025-06-06T12:00:00Z".parse().unwrap();
        let fixed = Clock::new(60.0, Some(noon), None);
        assert_eq!((fixed.now(), fixed.until(noon.as_second() + 5)), (noon.as_second(), None));
        let moving = Clock::new(1.0, Some(noon), Some(1000.0));
        let wait = moving.until(noon.as_second() + 100_000).unwrap();
        assert!((Duration::from_secs(99)..=Duration::from_secs(100)).contains(&wait), "{wait:?}");
        assert_eq!(moving.until(noon.as_second() - 5), Some(Duration::ZERO));
    }
}
