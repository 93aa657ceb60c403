//! Makes faults happen that are not about one connection or one answer, and ends them again.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Shared;
use super::answer::{NO_REQUEST, notice};
use super::faults::Port;
use super::weather::{Farm, NO_SERVERS, Trouble};
use crate::faults::{Draws, Fault, FaultKind, Level, Rule, Stage, is_costly};
use crate::log::log;

const PORT_CHANGED: &str =
    "TWS socket port has been reset and this connection is being dropped. Please reconnect on the new port - ";
/// Between two faults that a rule plays by the clock.
const BREATH: Duration = Duration::from_secs(1);
/// Real time for a notice to be heard before the connection ends.
const LAST_WORDS: Duration = Duration::from_millis(50);
/// How long a drawn fault of a request waits for one.
const REQUEST_PATIENCE: Duration = Duration::from_mins(1);
/// How long a drawn fault of an opening connection waits for one.
const OPENING_PATIENCE: Duration = Duration::from_mins(30);
/// Faults that wait for connections to open.
const MOST_OPENINGS: usize = 2;

/// Lets a rule wait for its occasion.
pub(crate) fn inject(shared: &Arc<Shared>, rule: Rule) {
    let Some((after, times)) = rule.by_the_clock() else {
        shared.faults.arm(rule);
        return;
    };
    let (shared, cleared) = (Arc::clone(shared), shared.faults.cleared());
    let play = async move {
        wait(&shared, after.saturating_sub(shared.clock.elapsed())).await;
        for _ in 0..times {
            play(&shared, rule.fault());
            wait(&shared, rule.fault().lasts() + BREATH).await;
        }
    };
    tokio::spawn(async move { cleared.run_until_cancelled(play).await });
}

/// Plays a fault now; one of a request or of an opening connection waits for the next. False if there was nobody to
/// hit, or one of its kind is going on.
pub(crate) fn play(shared: &Arc<Shared>, fault: &Fault) -> bool {
    let played = match fault.kind().entry().stage {
        Stage::Answer(_) | Stage::Opening => {
            shared.faults.arm(Rule::new(fault.clone()));
            return true;
        }
        Stage::Condition => {
            shared.faults.conditions.set(fault);
            let kind = fault.kind();
            afterwards(shared, fault.lasts(), move |shared| shared.faults.conditions.restore(kind));
            return true;
        }
        Stage::Wire => {
            let lines = shared.faults.lines();
            for line in &lines {
                line.strike(shared, fault, shared.faults.cleared());
            }
            !lines.is_empty()
        }
        Stage::Port => close_port(shared, fault),
        Stage::Upstream => trouble(shared, fault),
    };
    if played {
        shared.ledger.played(fault.kind());
        if is_outage(fault.kind()) {
            shared.ledger.outage(&shared.clock, fault.kind(), fault.lasts());
        }
    }
    played
}

/// Whether nobody can be served while it lasts.
fn is_outage(kind: FaultKind) -> bool {
    let stage = kind.entry().stage;
    is_costly(kind) && (matches!(stage, Stage::Wire | Stage::Port) || kind == FaultKind::UpstreamDown)
}

/// Draws faults until everything is cleared, or for so much simulated time.
pub(crate) fn unleash(shared: &Arc<Shared>, level: Level, seed: u64, lasting: Option<Duration>) {
    let (shared, cleared) = (Arc::clone(shared), shared.faults.cleared());
    let draw = async move {
        let start = shared.clock.elapsed();
        let end = lasting.map_or(Duration::MAX, |lasting| start + lasting);
        let mut next = start;
        for (pause, fault) in Draws::new(level, seed) {
            next += pause;
            wait(&shared, next.saturating_sub(shared.clock.elapsed())).await;
            if next >= end {
                return;
            }
            log(&format!("chaos after {:.1} s: {fault}", next.as_secs_f64()));
            let rule = Rule::new(fault.clone());
            match fault.kind().entry().stage {
                Stage::Opening => {
                    shared.faults.thin_out(next, Stage::Opening, MOST_OPENINGS - 1);
                    shared.faults.arm(rule.until(end.min(next + OPENING_PATIENCE)));
                }
                Stage::Answer(_) => shared.faults.arm(rule.until(end.min(next + REQUEST_PATIENCE))),
                _ => drop(play(&shared, &fault)),
            }
        }
    };
    tokio::spawn(async move { cleared.run_until_cancelled(draw).await });
}

/// Tells everyone who has started. Whoever does not read hears it later.
pub(crate) fn say_to_all(shared: &Shared, (code, text): (i32, &str)) {
    for outlet in shared.faults.outlets() {
        outlet.mention(notice(NO_REQUEST, code, text));
    }
}

fn close_port(shared: &Arc<Shared>, fault: &Fault) -> bool {
    let phases = match fault.kind() {
        FaultKind::Refused => vec![(Port::Closed, fault.seconds("seconds"))],
        FaultKind::WedgeAccept => vec![(Port::Wedged, fault.seconds("seconds"))],
        _ => vec![
            (Port::Closed, fault.seconds("refused")),
            (Port::Rejecting, fault.seconds("reject")),
            (Port::Silent, fault.seconds("silent")),
        ],
    };
    let first = phases[0].0;
    let was_open = shared.faults.port.send_if_modified(|port| {
        let open = *port == Port::Open;
        if open {
            *port = first;
        }
        open
    });
    if !was_open {
        return false;
    }
    if fault.kind() == FaultKind::Restart {
        shared.faults.lines().iter().for_each(|line| line.cut());
    }
    let (shared, cleared) = (Arc::clone(shared), shared.faults.cleared());
    tokio::spawn(async move {
        let through = async {
            for (phase, lasting) in phases {
                shared.faults.port.send_replace(phase);
                wait(&shared, lasting).await;
            }
        };
        cleared.run_until_cancelled(through).await;
        shared.faults.port.send_replace(Port::Open);
    });
    true
}

fn trouble(shared: &Arc<Shared>, fault: &Fault) -> bool {
    match fault.kind() {
        FaultKind::UpstreamDown => upstream_down(shared, fault),
        FaultKind::Competing => {
            shared.faults.weather.begins(Trouble::Competing);
            say_to_all(shared, (10197, "No market data during competing live session"));
            afterwards(shared, fault.lasts(), |shared| shared.faults.weather.ends(Trouble::Competing));
        }
        FaultKind::HmdsInactive => {
            shared.faults.weather.sleeps(Some(fault.millis("ms")));
            let text = "HMDS data farm connection is inactive but should be available upon demand.ushmds";
            say_to_all(shared, (2107, text));
        }
        FaultKind::PortReset => {
            say_to_all(shared, (1300, &format!("{PORT_CHANGED}{}", fault.number("port"))));
            let lines = shared.faults.lines();
            tokio::spawn(async move {
                tokio::time::sleep(LAST_WORDS).await;
                for line in lines {
                    line.cut();
                }
            });
        }
        FaultKind::FarmFlap => repeat(shared, fault, |shared, fault, cleared| async move {
            let half = fault.millis("ms");
            let farm = Farm::named(fault.text("farm"));
            shared.faults.weather.begins(Trouble::Broken(farm));
            say_to_all(&shared, farm.notice(true));
            cleared.run_until_cancelled(wait(&shared, half)).await;
            shared.faults.weather.ends(Trouble::Broken(farm));
            say_to_all(&shared, farm.notice(false));
            cleared.run_until_cancelled(wait(&shared, half)).await;
        }),
        _ => repeat(shared, fault, |shared, fault, cleared| async move {
            let text = if fault.code() == 10197 { "No market data during competing live session" } else { "A storm." };
            say_to_all(&shared, (fault.code(), text));
            cleared.run_until_cancelled(wait(&shared, fault.millis("ms"))).await;
        }),
    }
    true
}

/// So many times as the fault says, or until everything is cleared.
fn repeat<F>(
    shared: &Arc<Shared>,
    fault: &Fault,
    once: impl Fn(Arc<Shared>, Fault, CancellationToken) -> F + Send + Sync + 'static,
) where
    F: Future<Output = ()> + Send,
{
    let (shared, fault, cleared) = (Arc::clone(shared), fault.clone(), shared.faults.cleared());
    tokio::spawn(async move {
        for _ in 0..fault.number("times") {
            if cleared.is_cancelled() {
                return;
            }
            once(Arc::clone(&shared), fault.clone(), cleared.clone()).await;
        }
    });
}

fn upstream_down(shared: &Arc<Shared>, fault: &Fault) {
    shared.faults.weather.begins(Trouble::Upstream);
    let text = match fault.code() {
        2110 => NO_SERVERS.1,
        _ => "Connectivity between IBKR and Trader Workstation has been lost.",
    };
    say_to_all(shared, (fault.code(), text));
    let restored = fault.number("restored");
    afterwards(shared, fault.lasts(), move |shared| {
        shared.faults.weather.ends(Trouble::Upstream);
        let (code, text) = match restored {
            1101 => (1101, "Connectivity between IBKR and Trader Workstation has been restored - data lost."),
            1102 => (
                1102,
                "Connectivity between IBKR and Trader Workstation has been restored - data maintained. \
                 All data farms are connected: usfarm; ushmds; secdefnj.",
            ),
            // It comes back without a word.
            _ => return,
        };
        if code == 1101 {
            shared.faults.weather.loses_streams();
        }
        say_to_all(shared, (code, text));
        for farm in Farm::ALL.into_iter().filter(|farm| !shared.faults.weather.is_broken(*farm)) {
            say_to_all(shared, farm.notice(false));
        }
    });
}

/// Does it in so much simulated time, or when everything is cleared.
fn afterwards(shared: &Arc<Shared>, lasting: Duration, end: impl FnOnce(&Arc<Shared>) + Send + 'static) {
    let (shared, cleared) = (Arc::clone(shared), shared.faults.cleared());
    tokio::spawn(async move {
        cleared.run_until_cancelled(wait(&shared, lasting)).await;
        end(&shared);
    });
}

async fn wait(shared: &Shared, simulated: Duration) {
    tokio::time::sleep(shared.clock.real(simulated)).await;
}
