//! What is away while the connection itself is fine (pure): IB's servers, a farm of data, our right to the data.
//!
//! None of it is a reason to reconnect. It decides what may be sent meanwhile, and what an answer is worth.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::command::Kind;

/// How long a broken farm, or "IB's servers are away", is believed without another word: "back" may have been said
/// while nobody listened.
const BELIEVED: Duration = Duration::from_mins(1);
/// How long nothing is asked for after "another session of this login has the data".
const COMPETING: Duration = Duration::from_mins(1);

/// Which data a farm has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Farm {
    /// Prices of now.
    Market,
    /// History.
    History,
    /// Contracts.
    Contracts,
}

/// What a notice says about IB's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Weather {
    /// 1100, 2110: the gateway has lost IB.
    UpstreamLost,
    /// 1101 (subscriptions are gone), 1102 (nothing is).
    UpstreamBack { data_lost: bool },
    /// 2103, 2105, 2157.
    FarmDown(Farm, String),
    /// 2104, 2106, 2158; 2107 and 2108 are inactive until asked, which is as good; 2119 is connecting.
    FarmUp(Farm, String),
    /// 10197.
    Competing,
    /// 438: a person must unlock it.
    Locked,
    /// Nothing of interest.
    Other,
}

/// May a request of this kind be sent?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    /// Not before this moment; look again then.
    Until(Instant),
    /// It would get no answer worth having: say so at once.
    Shut,
}

/// IB has about twenty; who tells of more makes them up.
const FARMS_MAX: usize = 100;

/// What is away.
#[derive(Debug, Default)]
pub(super) struct Outages {
    upstream: Option<Instant>,
    competing: Option<Instant>,
    pub(super) locked: bool,
    farms: BTreeMap<String, FarmState>,
}

#[derive(Debug, Clone, Copy)]
struct FarmState {
    kind: Farm,
    down_since: Option<Instant>,
}

impl Outages {
    /// Takes a notice in.
    pub(super) fn note(&mut self, weather: &Weather, now: Instant) {
        let full = self.farms.len() >= FARMS_MAX;
        match weather {
            Weather::FarmDown(_, name) | Weather::FarmUp(_, name) if full && !self.farms.contains_key(name) => {}
            Weather::UpstreamLost => _ = self.upstream.get_or_insert(now),
            Weather::UpstreamBack { .. } => self.upstream = None,
            Weather::FarmDown(kind, name) => {
                let since = self.farms.get(name).and_then(|farm| farm.down_since).unwrap_or(now);
                self.farms.insert(name.clone(), FarmState { kind: *kind, down_since: Some(since) });
            }
            Weather::FarmUp(kind, name) => {
                self.farms.insert(name.clone(), FarmState { kind: *kind, down_since: None });
                // a farm can only be up when the servers are
                self.upstream = None;
            }
            Weather::Competing => self.competing = Some(now),
            Weather::Locked => self.locked = true,
            Weather::Other => {}
        }
    }

    /// An answer came that IB's servers must have given. `scale`: how much shorter than usual waits are.
    pub(super) fn answered(&mut self, now: Instant, scaled: impl Fn(Duration) -> Duration) {
        if self.upstream.is_some_and(|since| now.saturating_duration_since(since) >= scaled(BELIEVED)) {
            self.upstream = None;
        }
    }

    /// Forgets what is no longer believed; whether anything changed.
    pub(super) fn expire(&mut self, now: Instant, scaled: impl Fn(Duration) -> Duration) -> bool {
        let over = self.competing.is_some_and(|since| now >= since + scaled(COMPETING));
        if over {
            self.competing = None;
        }
        over
    }

    pub(super) fn gate(&self, kind: Kind, now: Instant, scaled: impl Fn(Duration) -> Duration) -> Gate {
        if kind == Kind::Clock {
            return Gate::Open;
        }
        if self.upstream.is_some() {
            return Gate::Shut;
        }
        let farm = match kind {
            Kind::Contract => Farm::Contracts,
            _ => Farm::History,
        };
        let farm = self.farm_down(farm).map(|since| since + scaled(BELIEVED));
        let competing = self.competing.map(|since| since + scaled(COMPETING));
        match farm.max(competing) {
            Some(until) if until > now => Gate::Until(until),
            _ => Gate::Open,
        }
    }

    /// No answer of "there is nothing" is a fact while history is away.
    pub(super) fn history_is_up(&self) -> bool {
        self.upstream.is_none() && self.competing.is_none() && self.farm_down(Farm::History).is_none()
    }

    pub(super) fn upstream_is_lost(&self) -> bool {
        self.upstream.is_some()
    }

    /// When the oldest outage of a farm with such data began.
    fn farm_down(&self, kind: Farm) -> Option<Instant> {
        self.farms.values().filter(|farm| farm.kind == kind).filter_map(|farm| farm.down_since).min()
    }

    /// What is away, most important first; `None` when nothing is that a request would miss.
    pub(super) fn in_words(&self) -> Option<String> {
        if self.upstream.is_some() {
            return Some("the gateway has lost its connection to IB".into());
        }
        if self.competing.is_some() {
            return Some("another session of the same login has the market data".into());
        }
        let down = |(name, farm): (&String, &FarmState)| {
            let what = match farm.kind {
                Farm::Market => return None,
                Farm::History => "historical data",
                Farm::Contracts => "contracts",
            };
            farm.down_since.map(|_| format!("IB's farm of {what} {name} is away"))
        };
        self.farms.iter().find_map(down)
    }

    /// The next moment something here is believed no longer.
    pub(super) fn ends(&self, scaled: impl Fn(Duration) -> Duration) -> Option<Instant> {
        self.competing.map(|since| since + scaled(COMPETING))
    }

    /// Names of the farms that were heard of, and whether each is up.
    pub(super) fn farms(&self) -> BTreeMap<String, bool> {
        self.farms.iter().map(|(name, farm)| (name.clone(), farm.down_since.is_none())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unscaled(duration: Duration) -> Duration {
        duration
    }

    fn gate(outages: &Outages, kind: Kind, now: Instant) -> Gate {
        outages.gate(kind, now, unscaled)
    }

    #[test]
    fn without_ibs_servers_only_the_clock_is_asked() {
        let (mut outages, now) = (Outages::default(), Instant::now());
        outages.note(&Weather::UpstreamLost, now);
        assert_eq!((gate(&outages, Kind::Bars, now), gate(&outages, Kind::Clock, now)), (Gate::Shut, Gate::Open));
        assert!(!outages.history_is_up());
        outages.note(&Weather::UpstreamBack { data_lost: false }, now);
        assert_eq!(gate(&outages, Kind::Bars, now), Gate::Open);
    }

    #[test]
    fn a_clock_that_answers_after_a_minute_outlives_a_word_that_was_missed() {
        let (mut outages, now) = (Outages::default(), Instant::now());
        outages.note(&Weather::UpstreamLost, now);
        outages.answered(now + Duration::from_secs(59), unscaled);
        assert!(outages.upstream_is_lost(), "the gateway's own clock ticks without IB");
        outages.answered(now + BELIEVED, unscaled);
        assert!(!outages.upstream_is_lost());
    }

    #[test]
    fn a_broken_farm_holds_its_own_requests_for_a_minute() {
        let (mut outages, now) = (Outages::default(), Instant::now());
        outages.note(&Weather::FarmDown(Farm::History, "ushmds".into()), now);
        outages.note(&Weather::FarmDown(Farm::History, "ushmds".into()), now + Duration::from_secs(50));
        assert_eq!(gate(&outages, Kind::Bars, now), Gate::Until(now + BELIEVED), "the first word counts");
        assert_eq!(gate(&outages, Kind::Contract, now), Gate::Open);
        assert_eq!(gate(&outages, Kind::Bars, now + BELIEVED), Gate::Open);
        assert!(!outages.history_is_up(), "but nothing it says is a fact");
        outages.note(&Weather::FarmUp(Farm::History, "ushmds".into()), now);
        assert!(outages.history_is_up() && outages.in_words().is_none());
        outages.note(&Weather::FarmDown(Farm::Market, "usfarm".into()), now);
        assert!(outages.in_words().is_none(), "nobody here asks for prices of now through it");
        assert_eq!(outages.farms(), BTreeMap::from([("usfarm".into(), false), ("ushmds".into(), true)]));
    }

    #[test]
    fn a_competing_session_stops_the_data_for_a_minute() {
        let (mut outages, now) = (Outages::default(), Instant::now());
        outages.note(&Weather::Competing, now);
        assert_eq!(gate(&outages, Kind::Head, now), Gate::Until(now + COMPETING));
        assert!(!outages.expire(now + Duration::from_secs(59), unscaled));
        assert!(outages.expire(now + COMPETING, unscaled) && outages.in_words().is_none());
    }
}
