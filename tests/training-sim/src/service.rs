//! The service: its sessions, and what becomes of a request for one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use ktrdr_http_sim::{Answer, FaultKind, Frame, Service, Shared, Simulator, Tally};
use serde_json::json;
use tokio::time::Instant;

use crate::api::{self, Call, Outlook, Scene};
use crate::book::{Book, operation_status};
use crate::config::Config;
use crate::control;
use crate::report::{Report, SessionRow};
use crate::route::Route;
use crate::stamps::Stamps;

/// A training host service.
#[derive(Debug)]
pub struct Training {
    config: Config,
    origin: Instant,
    origin_time: Timestamp,
    book: Mutex<Book>,
}

/// Binds the address and serves from then on. Needs a tokio runtime with I/O and time.
pub async fn start(config: Config) -> std::io::Result<Simulator<Training>> {
    let frame = Frame { listen: config.listen, keep_alive: config.keep_alive, rules: config.rules.clone() };
    Simulator::start(Training::new(config), frame).await
}

impl Training {
    fn new(mut config: Config) -> Self {
        let invented = || format!("training-worker-{:08x}", fastrand::u32(..));
        config.worker_id = config.worker_id.or_else(|| Some(invented()));
        let book = Mutex::new(Book::new(&config));
        Self { book, origin_time: Timestamp::now(), origin: Instant::now(), config }
    }

    /// A poisoned lock is used as it is: each change of what is behind it is complete in itself.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets something see and change the sessions at this moment.
    pub(crate) fn scene<T>(&self, skew: SignedDuration, play: impl FnOnce(&mut Scene) -> T) -> T {
        let stamps = Stamps::new(self.origin_time, skew, !self.config.generation.has_pipeline());
        let mut book = self.book();
        play(&mut Scene { book: &mut book, now: self.origin.elapsed(), stamps, config: &self.config })
    }
}

impl Service for Training {
    type Route = Route;
    type Report = Report;

    const NAME: &'static str = "ktrdr-training-sim";

    fn serves(&self, route: Route) -> bool {
        self.config.generation.serves(route)
    }

    async fn execute(&self, route: Route, call: &Call, fault: Option<FaultKind>) -> Answer {
        let skewed = fault == Some(FaultKind::SkewedClock);
        let skew = if skewed { SignedDuration::from_hours(1) } else { SignedDuration::ZERO };
        let answer = match self.scene(skew, |scene| api::answer(scene, route, call)) {
            Outlook::Now(answer) => answer,
            Outlook::Later(due, answer) => {
                tokio::time::sleep_until(self.origin + due).await;
                answer
            }
        };
        if fault == Some(FaultKind::Executed500) { api::mute(call) } else { answer }
    }

    fn instead(&self, kind: FaultKind, call: &Call) -> Option<Answer> {
        Some(match kind {
            FaultKind::NotJson => {
                Answer::text(hyper::StatusCode::OK, "application/json", "{\"session_id\": \"x\", \"stat")
            }
            FaultKind::WrongShape => Answer::ok(&json!([{ "session_id": 7, "sessions": "none", "data": [] }])),
            FaultKind::E422 => api::unprocessable(),
            FaultKind::E500NotFound => api::seed_not_found(call),
            FaultKind::Conflict => api::conflict(call),
            FaultKind::Busy => self.scene(SignedDuration::ZERO, |scene| api::busy(scene)),
            _ => return None,
        })
    }

    fn control(shared: &Shared<Self>, method: &str, path: &str, body: &[u8]) -> Option<Result<(), String>> {
        control::answer(shared, method, path, body)
    }

    fn restarted(&self) {
        self.scene(SignedDuration::ZERO, |scene| scene.book.restart(scene.now));
    }

    fn report(&self, tally: &Tally) -> Report {
        self.scene(SignedDuration::ZERO, |scene| {
            let rows = scene.book.sessions.iter().map(|session| {
                let view = scene.book.view(session, scene.now);
                SessionRow {
                    id: session.id.clone(),
                    status: if session.in_memory { view.status.clone() } else { operation_status(session, &view) },
                    epoch: view.point.epoch,
                    started_times: scene.book.starts.get(&session.id).copied().unwrap_or(0),
                }
            });
            Report {
                connections: tally.connections,
                requests: tally.requests.clone(),
                starts: scene.book.starts.clone(),
                sessions: rows.collect(),
                faults: tally.faults.clone(),
                request_headers: tally.headers.clone(),
                most_running: scene.book.most_running,
            }
        })
    }
}
