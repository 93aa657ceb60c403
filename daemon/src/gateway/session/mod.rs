//! The task that owns the connection to the IB Gateway.
//!
//! It connects, synchronises, serves, and backs off when the peer is lost. The loop builds one [`Wake`]; what follows
//! from it is decided synchronously in `on_*`; only then is anything awaited again.
//!
//! Not here: where the session is and what comes next (`machine`), whose turn it is (`queue`), when a request may leave
//! (`pacing`), what a code means (`error_table`).

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use ibapi::Notice;
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;

mod connection;
mod departures;
mod dispatch;
mod notices;
mod report;
mod requests;

use super::{
    GatewayConfig, GatewayError, Origin, Status,
    command::{Command, Done, Reply},
    link::Link,
    machine::{Event, Machine, Moment},
    pacing::{Footprint, Pacer, Rules},
    queue::Queue,
};
use crate::{clock, store::Store};
use departures::Departures;
use notices::Notices;
use report::State;

/// A step of making or ending a connection.
enum Step {
    Closed,
    Connected(Result<Link, GatewayError>),
    Synchronised(Result<Link, GatewayError>),
}

/// What callers send.
#[derive(Debug)]
pub(super) enum Message {
    Request(Origin, Command),
    Reconnect(Reply<()>),
    /// Are you there?
    Alive(Reply<()>),
}

/// How far a request has come.
enum Progress {
    /// Its departure is on record: it may leave.
    Recorded(Command, Footprint),
    Done(Done),
}

/// What ended the wait.
enum Wake {
    Stop,
    Progress(Progress),
    Step(Step),
    Notice(Option<Notice>),
    Message(Message),
    Timer,
}

pub(super) struct Session {
    config: Arc<GatewayConfig>,
    machine: Machine,
    step: Option<BoxFuture<'static, Step>>,
    stop: CancellationToken,
    link: Option<Link>,
    queue: Queue,
    in_flight: FuturesUnordered<BoxFuture<'static, Progress>>,
    open: dispatch::Open,
    pacer: Pacer,
    departures: Departures,
    pulse: requests::Pulse,
    notices: Notices,
    sessions: u64,
    told: State,
    status: watch::Sender<Status>,
    changes: Arc<broadcast::Sender<Status>>,
}

/// For an attempt or a goodbye under way when the daemon stops; half of its grace.
const STEP_TIME_MAX: Duration = Duration::from_secs(4);
/// Changes of state that a watcher may be behind.
const CHANGES_MAX: usize = 64;

impl Session {
    pub(super) async fn new(
        config: GatewayConfig,
        store: Store,
        stop: CancellationToken,
    ) -> (Self, watch::Receiver<Status>, broadcast::WeakSender<Status>) {
        let departures = Departures::new(store);
        let log = departures.read(Moment::now()).await;
        let machine = Machine::new(config.clone(), Moment::now());
        let told = State::of(&machine);
        let (status, watcher) = watch::channel(Status {
            state: told.state,
            since: machine.since,
            reason: machine.reason.clone(),
            next: String::new(),
            address: config.address(),
            client_id: None,
            server_version: None,
            pacing: super::status::Pacing::default(),
            open: 0,
            queued: 0,
            reconnects: 0,
            farms: BTreeMap::new(),
            weather_changes: 0,
            history_up: false,
            unknown_codes: BTreeMap::new(),
        });
        let changes = Arc::new(broadcast::Sender::new(CHANGES_MAX));
        let watch_changes = changes.downgrade();
        let session = Self {
            pacer: Pacer::new(Rules::new(&config), log),
            config: Arc::new(config),
            machine,
            step: None,
            stop,
            link: None,
            queue: Queue::default(),
            in_flight: FuturesUnordered::new(),
            open: dispatch::Open::default(),
            departures,
            pulse: requests::Pulse::new(Moment::now()),
            notices: Notices::default(),
            sessions: 0,
            told,
            status,
            changes,
        };
        (session, watcher, watch_changes)
    }

    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Message>) {
        let stop = self.stop.clone();
        loop {
            let timer = self.dispatch(Moment::now());
            self.publish();
            let wake = tokio::select! {
                biased; // stopping beats working
                () = stop.cancelled() => Wake::Stop,
                // before answers: "no data" means nothing once history is said to be away
                notice = notice(self.link.as_mut()) => Wake::Notice(notice),
                Some(progress) = self.in_flight.next() => Wake::Progress(progress),
                made = optional(self.step.as_mut()) => Wake::Step(made),
                Some(message) = inbox.recv() => Wake::Message(message),
                () = tokio::time::sleep_until(timer.into()) => Wake::Timer,
            };
            match wake {
                Wake::Stop => break,
                Wake::Progress(Progress::Recorded(command, footprint)) => self.on_recorded(command, &footprint),
                Wake::Progress(Progress::Done(done)) => self.on_done(&done),
                Wake::Step(made) => self.on_step(made),
                Wake::Notice(Some(notice)) => self.on_notice(&notice),
                Wake::Notice(None) => self.on_lost(GatewayError::Lost),
                Wake::Message(message) => self.on_message(message),
                Wake::Timer => self.on_timer(),
            }
        }
        self.stop(inbox).await;
    }

    /// Takes leave: everyone gets an answer, open requests are withdrawn, the socket is closed.
    async fn stop(mut self, mut inbox: mpsc::Receiver<Message>) {
        self.apply(Event::Stop);
        self.publish();
        inbox.close();
        while let Ok(message) = inbox.try_recv() {
            message.refuse(GatewayError::Stopped);
        }
        self.refuse_waiting(&GatewayError::Stopped, |_| true);
        let cancelling = self.drop_requests();
        if let Some(step) = self.step.take() {
            Self::end(step).await;
        }
        if let Some(link) = self.link.take() {
            link.close(cancelling).await;
        }
    }

    /// A half-finished handshake costs the gateway a place: it is finished, and left with a goodbye.
    async fn end(step: BoxFuture<'static, Step>) {
        match tokio::time::timeout(STEP_TIME_MAX, step).await {
            Ok(Step::Connected(Ok(link)) | Step::Synchronised(Ok(link))) => link.close(false).await,
            Ok(_) => {}
            Err(_) => tracing::warn!("the gateway took too long to be left; the connection is dropped"),
        }
    }

    fn on_message(&mut self, message: Message) {
        match message {
            Message::Reconnect(reply) => {
                self.apply(Event::ReconnectAsked);
                drop(reply.send(Ok(())));
            }
            Message::Alive(reply) => drop(reply.send(Ok(()))),
            Message::Request(origin, command) => self.on_request(origin, command),
        }
    }

    fn on_timer(&mut self) {
        self.apply(Event::Tick);
        self.feel_pulse(Moment::now());
    }
}

impl Message {
    fn refuse(self, error: GatewayError) {
        match self {
            Self::Request(_, command) => command.refuse(error),
            Self::Reconnect(reply) | Self::Alive(reply) => drop(reply.send(Err(error))),
        }
    }
}

impl Moment {
    fn now() -> Self {
        Self { instant: Instant::now(), wall: clock::now() }
    }
}

async fn optional<T>(future: Option<&mut BoxFuture<'static, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

async fn notice(link: Option<&mut Link>) -> Option<Notice> {
    match link {
        Some(link) => link.notice().await,
        None => std::future::pending().await,
    }
}

/// A wait that never comes to its end by itself.
const FAR: Duration = Duration::from_hours(1);
