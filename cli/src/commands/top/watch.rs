//! The loop: keys, looks and signals become pictures.

use std::{io, thread, time::Duration};

use ktrdr_proto::{reason, v1::Operation};
use ratatui::crossterm::event::{self, Event};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::{JoinError, JoinSet},
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

use super::{
    look::{Look, look},
    screen::Screen,
    state::{State, Wish},
};
use crate::{
    client::Client,
    failure::{Failure, Stop},
    follow, time,
};

/// For a cancelling to be on its way, when somebody leaves right after it.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// What came back from the daemon.
enum Heard {
    Look(Box<Result<Look, Failure>>),
    Cancelled(String, Box<Result<Operation, Failure>>),
}

/// Until somebody leaves.
pub(super) async fn run(client: &Client, mut state: State, every: Duration) -> Result<(), Stop> {
    let mut signals = Signals::listen()?;
    let mut keys = keys()?;
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut calls = JoinSet::new();
    let mut screen = Screen::enter(state.colored).map_err(|error| no_terminal(&error))?;
    loop {
        state.now_ns = time::now();
        screen.draw(&state)?;
        let wish = tokio::select! {
            event = keys.recv() => pressed(&mut state, event)?,
            Some(heard) = calls.join_next() => {
                hear(&mut state, heard)?;
                Wish::Nothing
            }
            _ = ticks.tick() => Wish::Look,
            () = signals.next() => return Err(ended()),
        };
        match wish {
            Wish::Look if state.may_ask() => {
                let (client, with_series) = (client.clone(), state.asks());
                calls.spawn(async move { Heard::Look(Box::new(Box::pin(look(&client, with_series)).await)) });
            }
            Wish::Look | Wish::Nothing => {}
            Wish::Cancel(id) => {
                let client = client.anew();
                calls.spawn(async move {
                    let answer = follow::cancel(client, id.clone(), "ktrdr top").await;
                    Heard::Cancelled(id, Box::new(answer))
                });
            }
            Wish::Redraw => screen.redraw()?,
            Wish::Suspend => screen.suspend()?,
            Wish::Leave => break,
        }
    }
    drop(screen);
    if !state.stopping.is_empty() {
        timeout(LAST_WAIT, async { while calls.join_next().await.is_some() {} }).await.ok();
    }
    Ok(())
}

fn pressed(state: &mut State, event: Option<io::Result<Event>>) -> Result<Wish, Stop> {
    match event {
        Some(Ok(Event::Key(key))) => Ok(state.pressed(key)),
        // another size, mostly
        Some(Ok(_)) => Ok(Wish::Look),
        Some(Err(error)) => Err(Failure::new(&reason::INTERNAL, "cannot read the keys").caused_by(&error).into()),
        None => Err(Failure::new(&reason::INTERNAL, "nobody reads the keys").into()),
    }
}

fn hear(state: &mut State, heard: Result<Heard, JoinError>) -> Result<(), Stop> {
    match heard {
        Ok(Heard::Look(answer)) => state.answered(*answer),
        Ok(Heard::Cancelled(id, answer)) => state.cancelled(&id, *answer),
        Err(error) => return Err(Failure::new(&reason::INTERNAL, "a call broke").caused_by(&error).into()),
    }
    Ok(())
}

/// Keys, read by a thread of its own: on a terminal that hangs up, reading never returns, and the signals must be heard.
fn keys() -> Result<UnboundedReceiver<io::Result<Event>>, Failure> {
    let (send, keys) = unbounded_channel();
    let read = move || {
        loop {
            let event = event::read();
            let failed = event.is_err();
            if send.send(event).is_err() || failed {
                return;
            }
        }
    };
    let started = thread::Builder::new().name("keys".to_owned()).spawn(read);
    started.map_err(|error| Failure::new(&reason::INTERNAL, "cannot read the keys").caused_by(&error))?;
    Ok(keys)
}

/// Those that end a process. The terminal is given back before they do.
struct Signals([Signal; 3]);

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::new(&reason::INTERNAL, "cannot listen to signals").caused_by(&error);
        let listen = |kind| signal(kind).map_err(failed);
        Ok(Self([listen(SignalKind::terminate())?, listen(SignalKind::hangup())?, listen(SignalKind::interrupt())?]))
    }

    async fn next(&mut self) {
        let [terminate, hangup, interrupt] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

fn ended() -> Stop {
    Failure::new(&reason::INTERRUPTED_BY_USER, "ended by a signal").hint("operations go on: ktrdr top").into()
}

fn no_terminal(error: &io::Error) -> Failure {
    Failure::new(&reason::OUTPUT_FAILED, "the terminal cannot be used")
        .caused_by(error)
        .hint("ktrdr top --once needs none")
}
