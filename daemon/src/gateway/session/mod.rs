//! The task that owns the connection to the IB Gateway.
//!
//! It connects, synchronises, serves, and backs off when the peer is lost. The loop builds one [`Wake`]; what follows
//! from it is decided synchronously in `on_*`; only then is anything awaited again.
//!
//! Not here: when to try again (`phase`), when a request may leave (`pacing`), what a code means (`error_table`).

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use ibapi::Notice;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

mod connection;
mod dispatch;
mod report;

use super::{
    GatewayConfig, GatewayError, Status,
    command::{Command, Done, End, Kind},
    error_table::{self, Weather},
    link::Link,
    pacing::{Pacer, Rules},
    phase::{Attempts, Phase},
    translate::is_pacing,
};
use crate::clock;

/// Historical requests open at once. IB allows 50; answers get slower long before, and a lost connection loses them all.
const HISTORY_OPEN_MAX: usize = 3;
/// Lookups of contracts and head timestamps open at once.
const LOOKUPS_OPEN_MAX: usize = 2;
/// After about fifty of these, answers stop until the next session.
const HEADS_MAX: u32 = 30;
/// Requests that wait here: a few operations with a few each, and some people.
const QUEUE_MAX: usize = 256;
/// How long "IB's servers are away" is believed while the gateway's clock answers.
const DEGRADED_TIME_MAX: Duration = Duration::from_mins(1);
/// A second question for the gateway's clock within a second is never answered.
const CLOCK_SPACING: Duration = Duration::from_secs(2);
/// Silence after which the connection is tested.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// Unanswered tests after which it counts as lost.
const HEARTBEATS_MISSED_MAX: u32 = 2;
/// After a goodbye of our own: the gateway needs a moment to forget the session.
const RECONNECT_PAUSE: Duration = Duration::from_secs(5);

/// A step of making or ending a connection.
enum Step {
    Closed,
    Connected(Result<Link, GatewayError>),
    Synchronised(Result<Link, GatewayError>),
}

/// What ended the wait.
enum Wake {
    Stop,
    Done(Done),
    Step(Step),
    Notice(Option<Notice>),
    Command(Command),
    Timer,
}

pub(super) struct Session {
    config: GatewayConfig,
    phase: Phase,
    attempts: Attempts,
    step: Option<BoxFuture<'static, Step>>,
    link: Option<Link>,
    queue: VecDeque<Command>,
    in_flight: FuturesUnordered<BoxFuture<'static, Done>>,
    history_open: usize,
    lookups_open: usize,
    /// Head timestamps asked for in this session.
    heads_asked: u32,
    pacer: Pacer,
    last_answer: Instant,
    last_clock: Option<Instant>,
    clock_open: bool,
    heartbeats_missed: u32,
    sessions: u64,
    status: watch::Sender<Status>,
}

impl Session {
    pub(super) fn new(config: GatewayConfig) -> (Self, watch::Receiver<Status>) {
        let now = Instant::now();
        let not_yet = Phase::Waiting { until: now, failed_at: now, because: GatewayError::Lost };
        let phase = if config.enabled { not_yet } else { Phase::Disabled };
        let attempts = Attempts::default();
        let (status, watcher) = watch::channel(Status {
            state: phase.state(&attempts),
            since: clock::now(),
            reason: if config.enabled { "the daemon has started".into() } else { GatewayError::Disabled.to_string() },
            next: String::new(),
            address: config.address(),
            client_id: None,
            server_version: None,
            pacing_used: 0,
            pacing_limit: 0,
            next_slot: None,
            open: 0,
            queued: 0,
            reconnects: 0,
            farms: std::collections::BTreeMap::new(),
        });
        let session = Self {
            pacer: Pacer::new(Rules::new(&config)),
            config,
            phase,
            attempts,
            step: None,
            link: None,
            queue: VecDeque::new(),
            in_flight: FuturesUnordered::new(),
            history_open: 0,
            lookups_open: 0,
            heads_asked: 0,
            last_answer: Instant::now(),
            last_clock: None,
            clock_open: false,
            heartbeats_missed: 0,
            sessions: 0,
            status,
        };
        (session, watcher)
    }

    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>, stop: CancellationToken) {
        loop {
            let timer = self.dispatch(Instant::now());
            self.publish();
            let wake = tokio::select! {
                biased; // stopping beats working
                () = stop.cancelled() => Wake::Stop,
                // before answers: "no data" means nothing once history is said to be away
                notice = notice(self.link.as_mut()) => Wake::Notice(notice),
                Some(done) = self.in_flight.next() => Wake::Done(done),
                made = optional(self.step.as_mut()) => Wake::Step(made),
                Some(command) = commands.recv() => Wake::Command(command),
                () = tokio::time::sleep_until(timer.into()) => Wake::Timer,
            };
            match wake {
                Wake::Stop => break,
                Wake::Done(done) => self.on_done(&done),
                Wake::Step(made) => self.on_step(made),
                Wake::Notice(Some(notice)) => self.on_notice(&notice),
                Wake::Notice(None) => self.on_lost(GatewayError::Lost),
                Wake::Command(command) => self.on_command(command),
                Wake::Timer => self.on_timer(),
            }
        }
        self.stop(commands).await;
    }

    /// Takes leave: everyone gets an answer, open requests are withdrawn, the socket is closed.
    async fn stop(mut self, mut commands: mpsc::Receiver<Command>) {
        self.enter(Phase::Stopped, "the daemon is stopping");
        self.publish();
        commands.close();
        while let Ok(command) = commands.try_recv() {
            command.refuse(GatewayError::Stopped);
        }
        self.refuse_all(&GatewayError::Stopped);
        let cancelling = self.drop_requests();
        if let Some(link) = self.link.take() {
            link.close(cancelling).await;
        }
    }

    fn on_notice(&mut self, notice: &Notice) {
        match error_table::weather(notice.code) {
            Weather::UpstreamLost => {
                let because = error_table::without_accounts(&notice.message);
                self.refuse_all(&GatewayError::UpstreamLost);
                self.enter(Phase::Degraded { since: Instant::now() }, &because);
            }
            Weather::UpstreamBack if self.is_degraded() => {
                self.enter(Phase::Ready, "the gateway's connection to IB is back");
            }
            Weather::FarmUp if self.is_degraded() && error_table::announces_history(notice.code) => {
                self.enter(Phase::Ready, "IB's historical data are back");
            }
            _ => tracing::debug!(code = notice.code, text = error_table::without_accounts(&notice.message), "notice"),
        }
    }

    fn is_degraded(&self) -> bool {
        matches!(self.phase, Phase::Degraded { .. })
    }

    fn on_command(&mut self, command: Command) {
        if let Command::Reconnect(reply) = command {
            drop(reply.send(Ok(())));
            return self.reconnect();
        }
        if let Some(error) = self.refusal(&command) {
            return command.refuse(error);
        }
        self.phase.hurry(&self.attempts, &self.config);
        self.queue.push_back(command);
    }

    /// Why a request is not even queued.
    fn refusal(&self, command: &Command) -> Option<GatewayError> {
        match &self.phase {
            Phase::Disabled => Some(GatewayError::Disabled),
            Phase::Degraded { .. } if !matches!(command, Command::Clock(_)) => Some(GatewayError::UpstreamLost),
            // the pause is long and may not be shortened: waiting for its end would look like a hang; but a load has the
            // patience for our next client id
            Phase::Waiting { because, .. }
                if !self.phase.may_hurry(&self.attempts)
                    && (matches!(command, Command::Clock(_)) || !self.waits_for_other_id(because)) =>
            {
                Some(because.clone())
            }
            _ if self.queue.len() >= QUEUE_MAX => Some(GatewayError::Busy),
            _ => None,
        }
    }

    fn on_done(&mut self, done: &Done) {
        match done.kind {
            Kind::Bars => self.history_open = self.history_open.saturating_sub(1),
            Kind::Lookup => self.lookups_open = self.lookups_open.saturating_sub(1),
            Kind::Clock => self.clock_open = false,
        }
        let timed_out = matches!(done.end, End::Failed(GatewayError::TimedOut { .. }));
        if done.kind == Kind::Clock {
            self.heartbeats_missed = if timed_out { self.heartbeats_missed + 1 } else { 0 };
        }
        // a request that timed out, or that its caller gave up, is no sign of life
        if !timed_out && !matches!(done.end, End::Withdrawn) {
            self.last_answer = Instant::now();
        }
        match &done.end {
            End::Failed(GatewayError::Lost) => self.on_lost(GatewayError::Lost),
            End::Failed(error) if is_pacing(error) => self.pacer.refused(Instant::now()),
            End::Answered if done.kind == Kind::Bars => self.pacer.answered(),
            End::Answered if done.kind == Kind::Clock => self.on_clock(),
            _ if self.heartbeats_missed >= HEARTBEATS_MISSED_MAX => self.on_lost(GatewayError::Lost),
            _ => {}
        }
    }

    /// "Back" may have been said while nobody listened; a clock that answers a while later is as good.
    fn on_clock(&mut self) {
        if let Phase::Degraded { since } = self.phase
            && since.elapsed() >= self.config.scaled(DEGRADED_TIME_MAX)
        {
            self.enter(Phase::Ready, "the gateway answers again");
        }
    }

    fn on_timer(&mut self) {
        let now = Instant::now();
        match &self.phase {
            Phase::Waiting { until, .. } if *until <= now => self.connect(),
            Phase::Ready | Phase::Degraded { .. } if self.heartbeat_due() <= now => {
                self.last_answer = now;
                self.queue.push_back(Command::Clock(Vec::new()));
            }
            _ => {}
        }
    }

    fn heartbeat_due(&self) -> Instant {
        self.last_answer + HEARTBEAT
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
