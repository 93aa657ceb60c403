//! The transitions, event by event.

use super::*;
use crate::{
    gateway::{State, outages::Farm},
    model::{DAY, HOUR, SECOND},
};

/// A Friday evening, UTC.
const FRIDAY: Nanos = 20_784 * DAY + 20 * HOUR;

struct Bench {
    machine: Machine,
    now: Moment,
}

impl Bench {
    fn new(quiet: &[&str]) -> Self {
        let mut config = GatewayConfig::on("h", 1, 7);
        config.quiet = quiet.iter().map(|time| time.parse().unwrap()).collect();
        let now = Moment { instant: Instant::now(), wall: FRIDAY };
        Self { machine: Machine::new(config, now), now }
    }

    fn serving() -> Self {
        let mut bench = Self::new(&[]);
        bench.serve();
        bench
    }

    fn serve(&mut self) {
        assert_eq!(self.on(Event::Tick), Effect::Connect);
        self.on(Event::Connected);
        self.on(Event::Synchronised(Outages::default()));
        assert_eq!(self.state(), State::Ready);
    }

    fn on(&mut self, event: Event) -> Effect {
        self.machine.apply(event, self.now)
    }

    fn lose(&mut self, error: GatewayError) -> Effect {
        self.on(Event::Lost { error, chance: 0.5 })
    }

    fn pass(&mut self, seconds: u64) -> Effect {
        self.now.instant += Duration::from_secs(seconds);
        self.now.wall += Nanos::try_from(seconds).unwrap() * SECOND;
        self.on(Event::Tick)
    }

    fn state(&self) -> State {
        self.machine.state(self.now)
    }

    fn next(&self) -> String {
        self.machine.next(self.now)
    }
}

fn silence() -> GatewayError {
    GatewayError::NotReady { address: "h:1".into(), why: "silence".into() }
}

#[test]
fn the_usual_life() {
    let mut bench = Bench::new(&[]);
    assert_eq!((bench.state(), bench.on(Event::Tick)), (State::Disconnected, Effect::Connect));
    assert_eq!(bench.state(), State::Connecting);
    bench.on(Event::Connected);
    assert_eq!(bench.state(), State::Synchronising);
    bench.on(Event::Synchronised(Outages::default()));
    assert_eq!((bench.state(), bench.next().as_str()), (State::Ready, "serves requests"));
    bench.lose(GatewayError::Lost);
    assert_eq!((bench.state(), bench.pass(1)), (State::Disconnected, Effect::Nothing));
    assert_eq!(bench.pass(1), Effect::Connect, "two seconds after the loss");
    assert_eq!(bench.on(Event::Stop), Effect::Close);
    assert_eq!((bench.state(), bench.on(Event::Wanted)), (State::Stopped, Effect::Nothing));
}

#[test]
fn never_two_connections_whatever_happens() {
    let mut bench = Bench::serving();
    for event in [Event::Tick, Event::Wanted, Event::Connected, Event::Synchronised(Outages::default()), Event::Closed]
    {
        assert_ne!(bench.on(event), Effect::Connect);
    }
    assert_eq!(bench.on(Event::ReconnectAsked), Effect::Close);
    assert_eq!(bench.on(Event::ReconnectAsked), Effect::Nothing, "once");
    assert_eq!(bench.pass(60), Effect::Nothing, "not before the goodbye is over");
    bench.on(Event::Closed);
    assert_eq!((bench.pass(4), bench.pass(1)), (Effect::Nothing, Effect::Connect), "five seconds after it");
}

#[test]
fn a_person_or_a_request_shortens_a_pause_to_five_seconds_and_not_when_wedged() {
    let mut bench = Bench::serving();
    for _ in 0..6 {
        bench.lose(GatewayError::Lost);
        bench.pass(3_600);
    }
    bench.lose(GatewayError::Lost);
    bench.on(Event::ReconnectAsked);
    assert_eq!((bench.pass(4), bench.pass(1)), (Effect::Nothing, Effect::Connect));

    let mut bench = Bench::new(&[]);
    for pause in [2, 60] {
        bench.on(Event::Tick);
        bench.lose(silence());
        bench.on(Event::Wanted);
        assert_eq!(bench.pass(pause - 1), Effect::Nothing);
        bench.now.instant += Duration::from_secs(1);
    }
    assert_eq!(bench.state(), State::Wedged);
    assert!(bench.next().starts_with("restart the gateway; attempt 3 at "), "{}", bench.next());
}

#[test]
fn quiet_times_are_announced_kept_and_ended() {
    let mut bench = Bench::new(&["20:10-20:20 UTC"]);
    bench.serve();
    assert!(bench.next().contains("quiet from"), "{}", bench.next());
    assert!(!bench.machine.is_winding_down(bench.now));
    bench.pass(9 * 60);
    assert!(bench.machine.is_winding_down(bench.now), "a minute before");
    assert_eq!(bench.pass(60), Effect::Close);
    bench.on(Event::Closed);
    assert_eq!(bench.state(), State::Resting);
    assert_eq!((bench.on(Event::ReconnectAsked), bench.on(Event::Wanted)), (Effect::Nothing, Effect::Nothing));
    assert_eq!(bench.pass(9 * 60 + 59), Effect::Nothing, "no knocking");
    assert_eq!((bench.machine.wakes_at(bench.now), bench.pass(1)), (Some(bench.now.instant), Effect::Connect));
}

#[test]
fn a_quiet_time_that_begins_in_a_pause_is_kept_too() {
    let mut bench = Bench::new(&["20:00:30-20:20 UTC"]);
    bench.on(Event::Tick);
    bench.lose(silence());
    bench.pass(2);
    bench.lose(silence());
    assert_eq!((bench.pass(59), bench.state()), (Effect::Nothing, State::Resting));
}

#[test]
fn on_a_sunday_a_person_is_missing() {
    let mut bench = Bench::serving();
    // Friday 20:00 to Sunday 07:00 UTC, which is 02:00 in New York
    bench.pass(35 * 3_600);
    for _ in 0..30 {
        bench.lose(GatewayError::Lost);
        bench.pass(60);
    }
    bench.lose(GatewayError::Lost);
    assert_eq!(bench.state(), State::LoginNeeded);
    assert!(bench.next().starts_with("log in at the gateway"), "{}", bench.next());

    let mut friday = Bench::serving();
    for _ in 0..30 {
        friday.lose(GatewayError::Lost);
        friday.pass(60);
    }
    friday.lose(GatewayError::Lost);
    assert_eq!(friday.state(), State::Disconnected, "on a Friday it is only away");
}

#[test]
fn what_ib_loses_degrades_the_session_and_ends_it_never() {
    let mut bench = Bench::serving();
    let said = |weather| Event::Said(weather, "Connectivity lost".into());
    assert_eq!(bench.on(said(Weather::UpstreamLost)), Effect::RefuseWaiting);
    assert_eq!(bench.on(said(Weather::UpstreamLost)), Effect::Nothing, "once");
    assert_eq!(bench.state(), State::Degraded);
    assert!(bench.machine.reason.contains("lost its connection to IB: Connectivity lost"), "{}", bench.machine.reason);
    assert_eq!(bench.on(said(Weather::UpstreamBack { data_lost: true })), Effect::AskAgain);
    assert_eq!(bench.state(), State::Ready);

    for _ in 0..50 {
        bench.on(said(Weather::FarmDown(Farm::History, "ushmds".into())));
        assert_eq!(bench.state(), State::Degraded);
        bench.on(said(Weather::FarmUp(Farm::History, "ushmds".into())));
    }
    assert_eq!(bench.state(), State::Ready);
    bench.on(said(Weather::Competing));
    assert_eq!((bench.state(), bench.pass(60)), (State::Degraded, Effect::Nothing));
    assert_eq!(bench.state(), State::Ready);
}

#[test]
fn since_is_when_the_state_began_not_the_latest_word() {
    let mut bench = Bench::serving();
    let began = bench.machine.since;
    bench.pass(10);
    bench.on(Event::Said(Weather::FarmUp(Farm::History, "ushmds".into()), String::new()));
    assert_eq!(bench.machine.since, began);
    bench.lose(GatewayError::Lost);
    assert_eq!(bench.machine.since, began + 10 * SECOND);
}

#[test]
fn switched_off_it_does_nothing() {
    let now = Moment { instant: Instant::now(), wall: FRIDAY };
    let mut machine = Machine::new(GatewayConfig { enabled: false, ..GatewayConfig::on("h", 1, 7) }, now);
    for event in [Event::Tick, Event::Wanted, Event::ReconnectAsked] {
        assert_eq!(machine.apply(event, now), Effect::Nothing);
    }
    assert_eq!((machine.state(now), machine.wakes_at(now)), (State::Disabled, None));
}
