//! Faults at random: what comes next, and when. The same seed draws the same sequence.

use std::str::FromStr;
use std::time::Duration;

use fastrand::Rng;

use super::catalogue::{CATALOGUE, FaultKind, Stage};
use super::codes::CODES;
use super::fault::Fault;

/// How often, and how long connections are left in peace between two faults of theirs, so that clients get on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Per simulated minute, on average.
    pub faults_per_minute: f64,
    /// Simulated time from the end of one fault that costs a connection to the next.
    pub peace: Duration,
}

impl Level {
    pub const LIGHT: Self = Self { faults_per_minute: 2.0, peace: Duration::from_mins(5) };
    pub const MEDIUM: Self = Self { faults_per_minute: 6.0, peace: Duration::from_mins(3) };
    pub const HEAVY: Self = Self { faults_per_minute: 20.0, peace: Duration::from_mins(2) };
}

/// A name, or how many faults a simulated minute with the peace of `heavy`.
impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rate = |text: &str| text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
        match text {
            "light" => Ok(Self::LIGHT),
            "medium" => Ok(Self::MEDIUM),
            "heavy" => Ok(Self::HEAVY),
            other => rate(other)
                .map(|faults_per_minute| Self { faults_per_minute, ..Self::HEAVY })
                .ok_or_else(|| "light, medium, heavy, or faults per simulated minute".to_owned()),
        }
    }
}

/// One in so many faults is drawn from those that a connection does not survive, when they are allowed.
const COSTLY_ODDS: f64 = 0.25;
/// Two faults are never closer than this.
const SHORTEST_PAUSE: f64 = 0.05;

/// Endless: a pause in simulated time, then a fault.
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    rng: Rng,
    level: Level,
    /// Simulated seconds since the first.
    now: f64,
    /// When connections may be hit again.
    peace_until: f64,
}

impl Draws {
    pub(crate) fn new(level: Level, seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), level, now: 0.0, peace_until: 0.0 }
    }

    fn kind(&mut self) -> FaultKind {
        let costly = self.now >= self.peace_until && self.rng.f64() < COSTLY_ODDS;
        let drawn: Vec<_> = CATALOGUE
            .iter()
            .map(|entry| entry.kind)
            .filter(|kind| is_drawn(*kind) && is_costly(*kind) == costly)
            .collect();
        drawn[self.rng.usize(..drawn.len())]
    }

    fn fault(&mut self) -> Fault {
        let kind = self.kind();
        let mut fault = Fault::new(kind);
        for (name, least, most) in ranges(kind) {
            let value = self.rng.i64(*least..=*most);
            fault = fault.clone().with(name, value).unwrap_or(fault);
        }
        match kind {
            FaultKind::Error => {
                let (code, text) = CODES[self.rng.usize(..CODES.len())];
                let id = if self.rng.u8(..4) == 0 { "-1" } else { "request" };
                said(fault, &[("text", text), ("id", id)]).with("code", i64::from(code)).unwrap_or(Fault::new(kind))
            }
            FaultKind::FarmFlap => said(fault, &[("farm", ["hmds", "market", "secdef"][self.rng.usize(..3)])]),
            FaultKind::UpstreamDown => {
                let code = if self.rng.bool() { 1100 } else { 2110 };
                let restored = if self.rng.bool() { 1101 } else { 1102 };
                let with_code = fault.clone().with("code", code).unwrap_or(fault);
                with_code.clone().with("restored", restored).unwrap_or(with_code)
            }
            _ => fault,
        }
    }
}

impl Iterator for Draws {
    type Item = (Duration, Fault);

    fn next(&mut self) -> Option<(Duration, Fault)> {
        // Evenly between nothing and twice the average.
        let pause = (self.rng.f64() * 2.0 * 60.0 / self.level.faults_per_minute).max(SHORTEST_PAUSE);
        self.now += pause;
        let fault = self.fault();
        if is_costly(fault.kind()) {
            self.peace_until = self.now + fault.lasts().as_secs_f64() + self.level.peace.as_secs_f64();
        }
        Some((Duration::try_from_secs_f64(pause).unwrap_or_default(), fault))
    }
}

/// Never one that a client cannot see, nor one that needs a person. Rules of the gateway are no faults.
fn is_drawn(kind: FaultKind) -> bool {
    let entry = kind.entry();
    !entry.lies && entry.stage != Stage::Condition && kind != FaultKind::OldVersion
}

/// Whether a client is likely to lose its connection by it, or not to get one.
pub(crate) fn is_costly(kind: FaultKind) -> bool {
    let harmless = [
        FaultKind::BadZoneInAck,
        FaultKind::ReversedOrder,
        FaultKind::LateFarms,
        FaultKind::NoFarms,
        FaultKind::UnknownId,
    ];
    let costly = [
        FaultKind::KickOnHuge,
        FaultKind::PortReset,
        FaultKind::UpstreamDown,
        FaultKind::Competing,
        FaultKind::FarmFlap,
    ];
    let by_stage = matches!(kind.entry().stage, Stage::Opening | Stage::Wire | Stage::Port);
    (by_stage && !harmless.contains(&kind)) || costly.contains(&kind)
}

/// What is drawn of the numbers that matter: from, to.
fn ranges(kind: FaultKind) -> &'static [(&'static str, i64, i64)] {
    match kind {
        FaultKind::Refused | FaultKind::WedgeAccept | FaultKind::UpstreamDown | FaultKind::Competing => {
            &[("seconds", 5, 90)]
        }
        FaultKind::Restart => &[("refused", 10, 90), ("reject", 0, 10), ("silent", 0, 20)],
        FaultKind::Freeze | FaultKind::StopReading => &[("seconds", 5, 120)],
        FaultKind::SlowDrip => &[("bytes_per_second", 1, 200), ("seconds", 10, 90)],
        FaultKind::LateFarms | FaultKind::Delay => &[("ms", 100, 20_000)],
        FaultKind::Late => &[("ms", 10, 3000)],
        FaultKind::FarmFlap => &[("times", 1, 10), ("ms", 200, 4000)],
        FaultKind::ErrorStorm => &[("times", 5, 100)],
        FaultKind::DropNth => &[("n", 1, 5)],
        FaultKind::FloodBeforeReady => &[("frames", 10, 200)],
        FaultKind::UnknownId => &[("id", 500, 5000)],
        _ => &[],
    }
}

fn said(fault: Fault, texts: &[(&str, &str)]) -> Fault {
    texts.iter().fold(fault, |fault, (name, text)| fault.clone().with(name, *text).unwrap_or(fault))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn first(seed: u64, count: usize) -> Vec<(Duration, Fault)> {
        Draws::new(Level::HEAVY, seed).take(count).collect()
    }

    #[test]
    fn a_seed_draws_the_same_sequence_and_another_does_not() {
        assert_eq!(first(7, 500), first(7, 500));
        assert_ne!(first(7, 500), first(8, 500));
    }

    #[test]
    fn lies_are_never_drawn_and_nearly_everything_else_is() {
        let drawn = first(1, 50_000);
        assert!(drawn.iter().all(|(_, fault)| !fault.kind().entry().lies));
        let kinds: HashSet<_> = drawn.iter().map(|(_, fault)| fault.kind()).collect();
        assert_eq!(kinds.len(), FaultKind::all().filter(|kind| is_drawn(*kind)).count());
        assert!(kinds.len() >= 30);
    }

    #[test]
    fn connections_are_left_in_peace() {
        for level in [Level::LIGHT, Level::MEDIUM, Level::HEAVY, "60".parse().unwrap()] {
            let (mut now, mut free) = (Duration::ZERO, Duration::ZERO);
            for (pause, fault) in Draws::new(level, 3).take(2000) {
                now += pause;
                if is_costly(fault.kind()) {
                    assert!(now + Duration::from_millis(1) >= free, "{fault} at {now:?}, not before {free:?}");
                    free = now + fault.lasts() + level.peace;
                }
            }
        }
    }

    #[test]
    fn so_many_a_minute() {
        let minutes = first(5, 10_000).iter().map(|(pause, _)| pause.as_secs_f64()).sum::<f64>() / 60.0;
        assert!((480.0..520.0).contains(&minutes), "{minutes}");
    }

    #[test]
    fn levels_have_names_or_numbers() {
        assert_eq!("medium".parse(), Ok(Level::MEDIUM));
        assert_eq!("0.5".parse(), Ok(Level { faults_per_minute: 0.5, ..Level::HEAVY }));
        for wrong in ["", "wild", "0", "-1", "NaN", "inf"] {
            assert!(wrong.parse::<Level>().is_err(), "{wrong}");
        }
    }
}
